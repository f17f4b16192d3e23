"""Documents of the sandbox with something wrong in them, and the parser for each."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from hypothesis import strategies as st

from collections_app.discogs import collection_payloads, market_payloads, payloads
from collections_app.discogs.json_values import MAX_COUNT
from collections_app.sandbox.api import documents
from collections_app.sandbox.world.world import World

BASE, RELEASE = "http://127.0.0.1:8001", 7

# What may stand in a place where something else is expected ------------------------------------------

ODD_TEXTS = st.sampled_from(
    [
        "", " ", "\x00", "a\x00b", "\ud800", "x\udfffy", "\u202eleft", "²", "٣", "½", "𝟘", "12²", "e\u0301" * 40,
        "<script>alert(1)</script>", "[a=12]", "https://", "https://i.example/x y", "http://127.0.0.1:1@evil.example/",
        "http://localhost:80/\n", "javascript:alert(1)", "HTTPS://I.EXAMPLE/", "https://[", "https://a@b/", "(2)",
        "null", "NaN", "-1", "2024-02-30", "2024-01-01", "2024-01-01T00:00:00", "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59", "2200-12-31T23:59:59.999999-23:59", "2024-W01-1T00Z", "2024-01-01T00:00:00Z",
        "USD", "EUR", "usd", "XXX", "x" * 6_000, "ü" * 6_000, "\U0001f4bf" * 6_000, "€12,50", "1" * 40, "1e400",
    ]
)  # fmt: skip
TEXTS = ODD_TEXTS | st.text(st.characters(), max_size=12)
NUMBERS = st.sampled_from(
    [0, -1, 1, 5, 6, 2**31 - 1, 2**31, 2**62, 2**62 + 1, 2**63, 2**64, MAX_COUNT, -(2**63)]
)


@dataclass(frozen=True, slots=True)
class Raw:
    """JSON text that no Python value is written as."""

    text: str


RAWS = st.sampled_from(
    [
        "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e-400", "1e-999999999", "1e999999999999999999999",
        "0.001", "0.004", "0.005", "-0.0", "-0", "0e50", "10000000.004", "10000000.005", "8.415000000000001", "1.5",
        "9" * 21, "9" * 5_000, "0." + "1" * 60, "1E+2", "1e7", "01", "+1", "0x1", "'x'", "nul", "[" * 3_000,
        '"\\ud83d"', '"\\u0000"', '{"a": 1, "a": 2}',
    ]
).map(Raw)  # fmt: skip
LEAVES = st.none() | st.booleans() | NUMBERS | st.integers() | TEXTS | ODD_TEXTS | RAWS


def json_values(keys: Sequence[str]) -> st.SearchStrategy[Any]:
    """Any JSON, whose objects often have the given keys."""
    names = st.sampled_from(sorted(keys)) | st.text(max_size=5)
    return st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
        max_leaves=12,
    )


# Valid documents, and mutations of them -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kind:
    """A document that Discogs could send, and the parser that reads it."""

    name: str
    document: Any
    parse: Callable[[Any], Any]

    def places(self) -> list[tuple[str | int, ...]]:
        return list(_places(self.document))


def _places(document: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield at
    inner = document.items() if isinstance(document, dict) else ()
    inner = enumerate(document) if isinstance(document, list) else inner
    for key, value in inner:
        yield from _places(value, (*at, key))


def _kinds() -> tuple[Kind, ...]:
    world, day = World(), date(2026, 11, 23)
    user = world.users["crate_demo"]
    facts, market = world.release(RELEASE), world.market(RELEASE, day)
    copies = [copy for copy in user.copies if len(copy.notes) > 2][:1]
    ids = {field.id for field in user.fields}
    pagination = documents.pagination(BASE, "/x", {}, page=1, per_page=100, items=1)
    rows = [documents.collection_row(BASE, world.release(copy.release_id), copy, ids) for copy in copies]
    wants = [documents.want_row(BASE, "x", world.release(want.release_id), want) for want in user.wants[:1]]
    folders = [documents.folder(BASE, user, number) for number in (0, *user.folders)]
    return (
        Kind("identity", {"id": 3, "username": "x", "resource_url": ""}, payloads.parse_identity),
        Kind("folders", {"folders": folders}, collection_payloads.parse_folders),
        Kind("fields", documents.collection_fields(user, owner=True), collection_payloads.parse_fields),
        Kind("copies", {"pagination": pagination, "releases": rows}, collection_payloads.parse_copy_page),
        Kind("wants", {"pagination": pagination, "wants": wants}, collection_payloads.parse_want_page),
        Kind("market", documents.release(world, BASE, facts, market), parse_market),
        Kind("stats", documents.marketplace_stats(market, "EUR"), parse_stats),
        Kind(
            "suggestions",
            documents.price_suggestions(world, RELEASE, "GBP", day),
            market_payloads.parse_suggestions,
        ),
        Kind("range", documents.collection_value(world, user, day), market_payloads.parse_collection_range),
    )


def parse_market(data: Any) -> payloads.Market:
    return payloads.parse_release_market(data, discogs_id=RELEASE)


def parse_stats(data: Any) -> market_payloads.MarketStats:
    return market_payloads.parse_market_stats(data, currency="EUR")


KINDS = {kind.name: kind for kind in _kinds()}
KEYS = {part for kind in KINDS.values() for place in kind.places() for part in place if isinstance(part, str)}
REMOVE, TWICE = object(), object()


def mutated(kind: Kind) -> st.SearchStrategy[bytes]:
    """The kind's document as bytes, with up to four of its places changed, removed or doubled."""
    change = st.just(REMOVE) | st.just(TWICE) | LEAVES | LEAVES | json_values(sorted(KEYS))
    changes = st.lists(st.tuples(st.sampled_from(kind.places()), change), min_size=1, max_size=4)
    return st.builds(_written, st.just(kind.document), changes, st.booleans())


def _written(document: Any, changes: list[tuple[tuple[str | int, ...], Any]], as_ascii: bool) -> bytes:
    document = json.loads(json.dumps(document))
    for place, value in changes:
        document = _changed(document, place, value)
    return as_bytes(document, as_ascii=as_ascii)


def _changed(document: Any, place: tuple[str | int, ...], value: Any) -> Any:
    if not place:
        return document if value in (REMOVE, TWICE) else value
    parent = document
    for part in place[:-1]:
        try:
            parent = parent[part]
        except (LookupError, TypeError):
            return document  # an earlier change took the way away
    if isinstance(parent, dict):
        _change_member(parent, str(place[-1]), value)
    elif isinstance(parent, list) and isinstance(place[-1], int) and place[-1] < len(parent):
        _change_entry(parent, place[-1], value)
    return document


def _change_member(parent: dict[str, Any], key: str, value: Any) -> None:
    if value is REMOVE:
        parent.pop(key, None)
    elif value is not TWICE:
        parent[key] = value


def _change_entry(parent: list[Any], place: int, value: Any) -> None:
    if value is REMOVE:
        del parent[place]
    elif value is TWICE:
        parent.append(parent[place])
    else:
        parent[place] = value


def as_bytes(document: Any, *, as_ascii: bool = True) -> bytes:
    """JSON as a careless server writes it: lone surrogates as they are, numbers of any size."""
    raws: list[str] = []

    def stand_in(value: Any) -> str:
        raws.append(value.text)
        return f"@raw-{len(raws) - 1}@"

    text = json.dumps(document, ensure_ascii=as_ascii, default=stand_in)
    for number, raw in enumerate(raws):
        text = text.replace(f'"@raw-{number}@"', raw)
    return text.encode("utf-8", "surrogatepass")
