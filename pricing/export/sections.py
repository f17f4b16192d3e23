"""The sections of an export: one declaration for writing and for reading.

Keys are Discogs' own ids, never ours. A new column has a default for older files, or is null for them (`is_new`).
A section that is no longer written goes to DROPPED_SECTIONS. For any other change of a section raise VERSION, so that
an older file is refused.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from collections_app.currencies import CODES
from collections_app.discogs.payloads import MarketStatus
from collections_app.models import (
    CollectionField,
    CollectionInstance,
    Decision,
    DiscogsConnection,
    Folder,
    GradeEdit,
    OwnValue,
    Preferences,
    PriceDecision,
    Release,
    WantlistItem,
)
from pricing.export.kinds import (
    BOOLEAN,
    COUNT,
    DATETIME,
    ID,
    LARGEST,
    MINOR,
    NAMED_TEXTS,
    PAST_DATETIME,
    PAST_DAY,
    PRICE,
    TEXTS,
    TIME_ZONE,
    number,
    one_of,
    optional,
    text,
    whole,
)
from pricing.export.shape import Column, Section, Values
from pricing.models import (
    CollectionValue,
    DiscogsRange,
    Doubt,
    EarlierPrice,
    MarketStat,
    NearMintPrice,
    PriceSnapshot,
    ReleasePrice,
)
from pricing.money import locales
from pricing.money.convert import PRICE_CURRENCY
from pricing.value.change import Part

FORMAT, VERSION = "crateworth-export", 1
# Older files have them; their rows are passed over. What was in “suggestions” is requested from Discogs again.
DROPPED_SECTIONS = ("suggestions",)


def _of_user(model: Any) -> Callable[[int], "QuerySet[Any]"]:
    return lambda user_id: model.objects.filter(user_id=user_id)


def _of_connection(model: Any) -> Callable[[int], "QuerySet[Any]"]:
    return lambda user_id: model.objects.filter(connection__user_id=user_id)


def _of_copies(model: Any) -> Callable[[int], "QuerySet[Any]"]:
    return lambda user_id: model.objects.filter(copy__connection__user_id=user_id)


def releases_of(user_id: int) -> "QuerySet[Any]":
    """The ids of the releases that a user owns, has owned or wants."""
    owned = CollectionInstance.objects.of(user_id).order_by().values("release_id")
    return owned.union(
        WantlistItem.objects.filter(connection__user_id=user_id).order_by().values("release_id")
    )


def _of_releases(model: Any, field: str = "release_id") -> Callable[[int], "QuerySet[Any]"]:
    return lambda user_id: model.objects.filter(**{f"{field}__in": releases_of(user_id)})


def _reading_fits(row: Values) -> str:
    """Check the table's constraints here: on SQLite a row that breaks one would be skipped silently."""
    if (row["status"] == MarketStatus.PRICED) != (row["amount_minor"] is not None):
        return "an amount must be given exactly when the status is “priced”"
    if row["amount_minor"] is not None and not row["currency"]:
        return "an amount must have a currency"
    if row["doubt"] and row["amount_minor"] is None:
        return "only an amount can be doubted"
    return ""


def _price_fits(row: Values) -> str:
    times = [row[name] for name in ("near_mint_at", "near_mint_since") if row[name] is not None]
    if len(times) == 1 or (row["near_mint_minor"] is not None and not times):
        return "a suggestion must have both of its times"
    return _reading_fits(row)


def _paid_fits(row: Values) -> str:
    return "a currency without an amount paid" if row["paid_currency"] and row["paid_minor"] is None else ""


def _own_value_fits(row: Values) -> str:
    given = {row["amount_minor"] is not None, row["usd_minor"] is not None, bool(row["currency"])}
    return "" if len(given) == 1 else "an amount, its currency and its worth in USD belong together"


def _range_fits(row: Values) -> str:
    if not row["minimum_minor"] <= row["median_minor"] <= row["maximum_minor"]:
        return "minimum, median and maximum are not in order"
    return ""


RELEASE = Column("release", ID, "release_id")
COPY = Column("instance", ID, "copy__instance_id")
CURRENCY = Column("currency", one_of(CODES))
READING = (
    Column("status", one_of([status.value for status in MarketStatus])),
    Column("currency", one_of(("", PRICE_CURRENCY))),
    Column("amount_minor", optional(PRICE)),
    *(Column(name, optional(COUNT)) for name in ("num_for_sale", "want", "have", "rating_count")),
    Column("rating_average", optional(number(0, 5))),
    Column("observed_at", PAST_DATETIME),
    Column("doubt", one_of(Doubt.values), default=int(Doubt.NONE)),
)

SECTIONS = (
    Section(
        "account",
        get_user_model(),
        (Column("username", text(150)), Column("email", text(254))),
        rows=lambda user_id: get_user_model().objects.filter(pk=user_id),
    ),
    Section(
        "preferences",
        Preferences,
        (
            Column("sync_every_hours", one_of(Preferences.SyncEvery.values)),
            Column("currency", one_of(CODES)),
            Column("basis", one_of(Preferences.Basis.values), default=Preferences.Basis.FLOOR.value),
            Column("hides_amounts", BOOLEAN),
            Column("time_zone", TIME_ZONE),
            Column("locale", one_of(locales.TAGS), default=locales.DEFAULT),
        ),
        rows=_of_user(Preferences),
        owner="user",
    ),
    Section(
        "connection",
        DiscogsConnection,
        (
            Column("discogs_user_id", ID),
            Column("discogs_username", text(255)),
            Column("kind", one_of(DiscogsConnection.Kind.values)),
            Column("state", one_of(DiscogsConnection.State.values)),
            Column("has_seller_settings", optional(BOOLEAN)),
            Column("connected_at", DATETIME),
            Column("last_success_at", optional(DATETIME)),
        ),
        rows=_of_user(DiscogsConnection),
        owner="user",
    ),
    Section(
        "folders",
        Folder,
        (Column("discogs_id", ID), Column("name", text())),
        rows=_of_connection(Folder),
        key=("discogs_id",),
        owner="connection",
    ),
    Section(
        "fields",
        CollectionField,
        (
            Column("discogs_id", ID),
            Column("name", text()),
            Column("role", one_of(CollectionField.Role.values)),
        ),
        rows=_of_connection(CollectionField),
        key=("discogs_id",),
        owner="connection",
    ),
    Section(
        "releases",
        Release,
        (
            Column("discogs_id", ID),
            *(Column(name, text()) for name in ("title", "artists")),
            Column("year", optional(whole(0, 9999))),
            *(Column(name, text()) for name in ("format", "labels", "catalog_number")),
            *(Column(name, TEXTS) for name in ("genres", "styles")),
            Column("master_id", optional(ID)),
            *(Column(name, text()) for name in ("thumb_url", "cover_url")),
        ),
        rows=_of_releases(Release, "discogs_id"),
        key=("discogs_id",),
    ),
    Section(
        "instances",
        CollectionInstance,
        (
            Column("instance_id", ID),
            RELEASE,
            Column("folder", optional(ID), "folder__discogs_id"),
            Column("rating", whole(0, 5)),
            *(Column(name, text()) for name in ("media_condition", "sleeve_condition", "notes")),
            Column("custom_fields", NAMED_TEXTS),
            Column("paid_minor", optional(MINOR)),
            Column("paid_currency", one_of(("", *CODES))),
            Column("added_at", DATETIME),
            Column("removed_at", optional(DATETIME)),
        ),
        rows=_of_connection(CollectionInstance),
        key=("instance_id",),
        owner="connection",
        check=_paid_fits,
    ),
    Section(
        "decisions",
        PriceDecision,
        (RELEASE, Column("decision", one_of(Decision.values)), Column("decided_at", PAST_DATETIME)),
        rows=_of_connection(PriceDecision),
        key=("release", "decided_at"),
        owner="connection",
        is_new=True,
    ),
    Section(
        "own_values",
        OwnValue,
        (
            COPY,
            Column("set_at", PAST_DATETIME),
            Column("amount_minor", optional(MINOR)),
            Column("currency", one_of(("", *CODES))),
            Column("usd_minor", optional(MINOR)),
            Column("note", text()),
        ),
        rows=_of_copies(OwnValue),
        key=("instance", "set_at"),
        owner="copy",
        is_new=True,
        check=_own_value_fits,
    ),
    Section(
        "grade_edits",
        GradeEdit,
        (COPY, Column("edited_at", PAST_DATETIME), Column("before", text())),
        rows=_of_copies(GradeEdit),
        key=("instance", "edited_at"),
        owner="copy",
        is_new=True,
    ),
    Section(
        "wants",
        WantlistItem,
        (RELEASE, Column("rating", whole(0, 5)), Column("notes", text()), Column("added_at", DATETIME)),
        rows=_of_connection(WantlistItem),
        key=("release",),
        owner="connection",
    ),
    Section(
        "snapshots",
        PriceSnapshot,
        (
            RELEASE,
            Column("day", PAST_DAY),
            *READING,
            Column("duration_ms", optional(COUNT)),
            Column("source", one_of(PriceSnapshot.Source.values)),
        ),
        rows=_of_releases(PriceSnapshot),
        key=("release", "day"),
        check=_reading_fits,
    ),
    Section(
        "prices",
        ReleasePrice,
        (
            RELEASE,
            *READING,
            Column("status_since", PAST_DATETIME),
            Column("near_mint_minor", optional(PRICE), is_new=True),
            Column("near_mint_at", optional(PAST_DATETIME), is_new=True),
            Column("near_mint_since", optional(PAST_DAY), is_new=True),
        ),
        rows=_of_releases(ReleasePrice),
        key=("release",),
        check=_price_fits,
        dropped=("volatility",),
    ),
    Section(
        "earlier_prices",
        EarlierPrice,
        (
            RELEASE,
            Column("day", PAST_DAY),
            Column("amount_minor", PRICE),
            Column("observed_at", PAST_DATETIME),
        ),
        rows=_of_releases(EarlierPrice),
        key=("release", "day"),
        is_new=True,
    ),
    Section(
        "near_mint",
        NearMintPrice,
        (RELEASE, Column("day", PAST_DAY), Column("amount_minor", optional(PRICE))),
        rows=_of_releases(NearMintPrice),
        key=("release", "day"),
        is_new=True,
    ),
    Section(
        "stats",
        MarketStat,
        (
            RELEASE,
            CURRENCY,
            Column("amount_minor", optional(MINOR)),
            Column("num_for_sale", optional(COUNT)),
            Column("observed_at", PAST_DATETIME),
        ),
        rows=_of_releases(MarketStat),
        key=("release", "currency"),
    ),
    Section(
        "ranges",
        DiscogsRange,
        (
            Column("day", PAST_DAY),
            CURRENCY,
            *(Column(name, MINOR) for name in ("minimum_minor", "median_minor", "maximum_minor")),
        ),
        rows=_of_connection(DiscogsRange),
        key=("day",),
        owner="connection",
        check=_range_fits,
        is_new=True,
    ),
    Section(
        "values",
        CollectionValue,
        (
            Column("day", PAST_DAY),
            Column("basis", one_of(Preferences.Basis.values), default=Preferences.Basis.FLOOR.value),
            CURRENCY,
            Column("value_minor", MINOR),
            Column("like_minor", MINOR, default=0),
            *(Column(f"{part}_minor", whole(-LARGEST, LARGEST), default=0) for part in Part),
            *(Column(name, COUNT) for name in ("instances", "priced", "stale", "unpriced")),
            *(Column(name, whole(0, LARGEST)) for name in ("num_for_sale", "want")),
        ),
        rows=_of_user(CollectionValue),
        key=("day", "basis"),
        owner="user",
    ),
)
