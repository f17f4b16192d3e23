"""The three users of every new world. Pure."""

from collections.abc import Iterator
from datetime import date
from itertools import count, islice
from random import Random

from collections_app.sandbox.world import holdings, names
from collections_app.sandbox.world.catalogue import odd_title
from collections_app.sandbox.world.holdings import Copy, SandboxUser, Want
from collections_app.sandbox.world.market import USD_RATES, Kind, market_day, profile
from collections_app.sandbox.world.noise import hash64

DEMO_USERNAME, DEMO_TOKEN, DEMO_ID = "crate_demo", "sandbox-demo-token", 1_000_001
SMALL_USERNAME, SMALL_TOKEN = "small_shelf", "sandbox-small-token"
PRIVATE_USERNAME, PRIVATE_TOKEN = "private_crate", "sandbox-private-token"

_DISTINCT, _TWICE, _WANTS = 380, 18, 60
_QUOTA = {Kind.NONE_FOR_SALE: 6, Kind.BLOCKED: 3, Kind.GONE: 2}
_FOLDERS = {1: "Uncategorized", 2: "Jazz & Soul", 3: "Sealed / never played", 4: '7" box', 5: "Für später"}


def stock_users(seed: int, releases: int, anchor: date) -> tuple[SandboxUser, SandboxUser, SandboxUser]:
    """crate_demo, small_shelf and private_crate, the same for the same arguments."""
    demo = _crate_demo(seed, releases, anchor)
    return demo, _small_shelf(seed, releases, anchor, demo), _private_crate(seed, releases, anchor)


def _crate_demo(seed: int, releases: int, anchor: date) -> SandboxUser:
    rng = Random(hash64(seed, 200))
    shuffled = rng.sample(range(1, releases + 1), releases)
    owned = _demo_releases(seed, releases, shuffled)
    taken = set(owned)
    wanted = islice((n for n in shuffled + list(_beyond(releases)) if n not in taken), _WANTS)
    return SandboxUser(
        id=DEMO_ID,
        username=DEMO_USERNAME,
        token=DEMO_TOKEN,
        curr_abbr="EUR",
        seller_currency="EUR",
        folders=dict(_FOLDERS),
        fields=(*holdings.DEFAULT_FIELDS, holdings.PAID_FIELD),
        copies=_demo_copies(rng, seed, owned, anchor),
        wants=tuple(_want(rng, anchor, n) for n in wanted),
    )


def _demo_releases(seed: int, releases: int, shuffled: list[int]) -> list[int]:
    """Distinct ids: the quotas of unusual kinds, every odd title once, and ordinary ones for the rest."""
    chosen = dict.fromkeys(n for kind, share in _QUOTA.items() for n in islice(_of_kind(seed, kind), share))
    for title in names.ODD_TITLES:
        carriers = (n for n in count(1) if odd_title(seed, n) == title and _sellable(seed, n))
        chosen[next(carriers)] = None
    for n in shuffled + list(_beyond(releases)):
        if len(chosen) == _DISTINCT:
            break
        if _sellable(seed, n):
            chosen[n] = None
    return list(chosen)


def _of_kind(seed: int, kind: Kind) -> Iterator[int]:
    return (n for n in count(1) if profile(seed, n).kind is kind)


def _sellable(seed: int, release_id: int) -> bool:
    return profile(seed, release_id).kind in (Kind.ORDINARY, Kind.SCARCE)


def _beyond(releases: int) -> range:
    return range(releases + 1, releases + 1000)


def _demo_copies(rng: Random, seed: int, owned: list[int], anchor: date) -> tuple[Copy, ...]:
    repeated = rng.sample([n for n in owned if _sellable(seed, n)], _TWICE + 1)
    ids = owned + repeated + repeated[:1]
    rng.shuffle(ids)
    copies = holdings.plain_copies(rng, ids, first_instance=500_000_001, before=anchor, folders=_FOLDERS)
    return tuple(_paid(rng, seed, copy) if rng.random() < 0.7 else copy for copy in copies)


def _paid(rng: Random, seed: int, copy: Copy) -> Copy:
    then = market_day(seed, copy.release_id, copy.date_added.date())
    return holdings.with_paid(rng, copy, float(then.lowest_price or 12) * USD_RATES["EUR"])


def _want(rng: Random, anchor: date, release_id: int) -> Want:
    notes = rng.choice(("", "", "", "only with the insert", "max 40 €"))
    return Want(release_id, holdings.random_datetime(rng, anchor, 700), rng.choice((0, 0, 3, 5)), notes)


def _small_shelf(seed: int, releases: int, anchor: date, demo: SandboxUser) -> SandboxUser:
    rng = Random(hash64(seed, 201))
    theirs = sorted({copy.release_id for copy in demo.copies if _sellable(seed, copy.release_id)})
    shared = rng.sample(theirs, 20)
    pool = rng.sample(range(1, releases + 1), releases) + list(_beyond(releases))
    others = {copy.release_id for copy in demo.copies}
    own = islice((n for n in pool if n not in others and _sellable(seed, n)), 30)
    folders = {1: "Uncategorized", 2: "Keepers"}
    ids = [*shared, *own]
    copies = holdings.plain_copies(rng, ids, first_instance=501_000_001, before=anchor, folders=folders)
    return SandboxUser(
        id=1_000_002, username=SMALL_USERNAME, token=SMALL_TOKEN, curr_abbr="", folders=folders, copies=copies
    )


def _private_crate(seed: int, releases: int, anchor: date) -> SandboxUser:
    rng = Random(hash64(seed, 202))
    ids = rng.sample(range(1, max(releases, 200) + 1), 30)
    folders = dict(holdings.DEFAULT_FOLDERS)
    return SandboxUser(
        id=1_000_003,
        username=PRIVATE_USERNAME,
        token=PRIVATE_TOKEN,
        curr_abbr="GBP",
        seller_currency="GBP",
        private=True,
        copies=holdings.plain_copies(rng, ids, first_instance=502_000_001, before=anchor, folders=folders),
    )
