"""An export to try out on a site that knows nothing of it, and what must not be there when it was refused."""

from datetime import timedelta
from functools import cache

from django.utils import timezone

from collections_app.models import (
    CollectionInstance,
    Decision,
    DiscogsConnection,
    Folder,
    GradeEdit,
    OwnValue,
    Preferences,
    PriceDecision,
    Release,
)
from pricing import export
from pricing.models import (
    CollectionValue,
    DiscogsRange,
    EarlierPrice,
    MarketStat,
    NearMintPrice,
    PriceSnapshot,
    ReleasePrice,
)
from tests import factories as make

STORED = (
    DiscogsConnection,
    Folder,
    Release,
    CollectionInstance,
    PriceDecision,
    OwnValue,
    GradeEdit,
    PriceSnapshot,
    ReleasePrice,
    EarlierPrice,
    NearMintPrice,
    CollectionValue,
    DiscogsRange,
)


@cache
def lines_of_an_export() -> tuple[str, ...]:
    """An export of two copies, three releases and four snapshots; the site is empty again."""
    now = timezone.now()
    collection = make.make_connection()
    folder = make.make_folder(collection, "Shelf")
    for number in (11, 12):
        release = make.make_release(discogs_id=number)
        copy = make.make_copy(
            collection, release, folder=folder, instance_id=number, paid_minor=5, paid_currency="EUR"
        )
        make.make_price(release, 1000, near_mint_minor=1, near_mint_at=now, near_mint_since=now.date())
        for ago in (1, 2):
            make.make_snapshot(release, 1000, day=now.date() - timedelta(days=ago))
    make.make_want(collection, make.make_release(discogs_id=13))
    PriceDecision.objects.create(
        connection=collection, release=release, decision=Decision.NEVER, decided_at=now
    )
    EarlierPrice.objects.create(release=release, day=now.date(), amount_minor=1, observed_at=now)
    NearMintPrice.objects.create(release=release, day=now.date(), amount_minor=1)
    for amount, ago in ((700, 2), (900, 1)):
        set_at = now - timedelta(days=ago)
        OwnValue.objects.create(
            copy=copy,
            amount_minor=amount,
            currency="EUR",
            usd_minor=amount + 50,
            note="signed",
            set_at=set_at,
        )
        GradeEdit.objects.create(copy=copy, before="Fair (F)", edited_at=set_at)
    MarketStat.objects.create(release=release, currency="EUR", amount_minor=1, observed_at=now)
    make.make_value(collection, 2000, day=now.date())
    DiscogsRange.objects.create(
        connection=collection,
        day=now.date(),
        currency="EUR",
        minimum_minor=1,
        median_minor=2,
        maximum_minor=3,
    )
    Preferences.objects.create(user=collection.user)
    text = "".join(export.document(collection.user_id, now=now))
    collection.user.delete()
    Release.objects.all().delete()
    return tuple(text.splitlines())
