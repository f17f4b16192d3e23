"""A made-up history of a collection: readings by the recorder, decisions, own figures, grades, purchases, sales."""

import random
import uuid
from datetime import UTC, datetime, timedelta

from collections_app.discogs.payloads import Market, MarketStatus
from collections_app.models import CollectionInstance, Decision, GradeEdit, OwnValue
from pricing.models import NearMintPrice, PriceJob, ReleasePrice
from pricing.sync.recorder import record_market
from pricing.value.cascade import FACTORS
from pricing.value.decisions import decide
from tests import factories as make

GRADES = ["", "a note", *FACTORS]
DAYS = 40


def read(release, *, at: datetime, amount: int | None, status: str = "", for_sale: int = 5) -> None:
    """Record an answer of Discogs through the product's own recorder."""
    job = PriceJob.objects.create(
        release=release, state="running", lease_owner=uuid.uuid4(), created_at=at, lease_until=at
    )
    kind = status or (MarketStatus.PRICED if amount is not None else MarketStatus.NONE_FOR_SALE)
    currency = "" if amount is None else "USD"
    market = Market(release.pk, MarketStatus(kind), currency, amount, for_sale, 20, 40, 3, 4.5)
    assert record_market(job, market, duration_ms=1, requests=1, now=at)


def set_own(copy: CollectionInstance, minor: int | None, *, at: datetime) -> None:
    currency = "" if minor is None else "USD"
    OwnValue.objects.create(copy=copy, amount_minor=minor, usd_minor=minor, currency=currency, set_at=at)
    CollectionInstance.objects.filter(pk=copy.pk).update(own_minor=minor, own_set_at=at)


def grade(copy: CollectionInstance, text: str, *, at: datetime) -> None:
    copy.refresh_from_db()
    GradeEdit.objects.create(copy=copy, before=copy.media_condition, edited_at=at)
    CollectionInstance.objects.filter(pk=copy.pk).update(media_condition=text, grade_edited_at=at)


def suggest(release, minor: int | None, *, at: datetime) -> None:
    """Only for a release that has been read, as the product does."""
    day = at.astimezone(UTC).date()
    changed = ReleasePrice.objects.filter(pk=release.pk)
    if changed.update(near_mint_minor=minor, near_mint_at=at, near_mint_since=day):
        NearMintPrice.objects.update_or_create(release=release, day=day, defaults={"amount_minor": minor})


def live(connection, dice: random.Random, *, now: datetime, releases: int = 7) -> None:
    """Let DAYS pass until `now`: every kind of event, at odd hours, several of a day among them."""
    held = [make.make_release() for _ in range(releases)]
    begin = now - timedelta(days=DAYS)
    copies = {release: _copies(connection, release, dice, begin=begin) for release in held}
    for number in range(DAYS):
        for release in held:
            for hour in sorted(dice.sample(range(24), dice.choice((0, 0, 1, 2)))):
                at = begin + timedelta(days=number, hours=hour)
                if at < now:
                    _happen(connection, release, copies[release], dice, at=at)


def _copies(connection, release, dice: random.Random, *, begin: datetime) -> list[CollectionInstance]:
    """One to three copies: held throughout, bought on the way, sold on the way."""
    copies = []
    for _ in range(dice.randint(1, 3)):
        added = begin + timedelta(days=dice.choice((-90, -90, dice.randint(0, DAYS - 1))), hours=3)
        removed = added + timedelta(days=dice.randint(0, 30), hours=5) if dice.random() < 0.3 else None
        removed = removed if removed is None or removed < begin + timedelta(days=DAYS) else None
        media = dice.choice(GRADES)
        copies.append(
            make.make_copy(connection, release, added_at=added, removed_at=removed, media_condition=media)
        )
    return copies


def _happen(connection, release, copies, dice: random.Random, *, at: datetime) -> None:
    what = dice.random()
    if what < 0.75:
        amount = dice.choice((None, dice.randint(100, 400), dice.randint(100, 400), dice.randint(9000, 9999)))
        status = dice.choice(("", "", "blocked", "gone")) if amount is None else ""
        if status == "gone" and release.snapshots.filter(day=at.date()).exists():
            return  # the product never believes this on a day with another reading: `sync.absence`
        read(release, at=at, amount=amount, status=status, for_sale=dice.choice((0, 2, 8, 40)))
    elif what < 0.82:
        decide(connection.user_id, release.pk, dice.choice(list(Decision)), now=at)
    elif what < 0.88:
        suggest(release, dice.choice((None, dice.randint(300, 3000))), at=at)
    elif what < 0.94:
        set_own(dice.choice(copies), dice.choice((None, dice.randint(0, 5000))), at=at)
    else:
        grade(dice.choice(copies), dice.choice(GRADES), at=at)
