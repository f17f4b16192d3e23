"""The made-up catalogue, market and collections behind the sandbox Discogs."""

from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median

import pytest

from collections_app.sandbox.world import demo, names
from collections_app.sandbox.world.holdings import pacific
from collections_app.sandbox.world.market import GRADE_GRID, USD_RATES, Kind
from collections_app.sandbox.world.world import ANCHOR, World

DAY = date(2026, 11, 23)
IDS = range(1, 3001)


@pytest.fixture(scope="module")
def world() -> World:
    return World(seed=1)


def test_equal_seeds_give_equal_worlds(world: World) -> None:
    twin = World(seed=1)

    assert twin.users == world.users
    assert [twin.release(n) for n in range(1, 50)] == [world.release(n) for n in range(1, 50)]
    assert [twin.market(n, DAY) for n in range(1, 50)] == [world.market(n, DAY) for n in range(1, 50)]


def test_another_seed_gives_another_world(world: World) -> None:
    other = World(seed=2)

    assert other.users["crate_demo"].copies != world.users["crate_demo"].copies
    assert other.market(7, DAY) != world.market(7, DAY)


def test_market_ignores_the_order_of_questions() -> None:
    twin = World(seed=3)
    forward = World(seed=3).market_series(17, DAY - timedelta(days=60), DAY)
    backward = [twin.market(17, DAY - timedelta(days=n)) for n in range(61)]

    assert forward == backward[::-1]


def test_known_release_keeps_its_figures(world: World) -> None:
    market = world.market(7, DAY)

    assert (market.lowest_price, market.num_for_sale, market.want, market.have) == (
        Decimal("8.99"),
        50,
        98,
        456,
    )


def test_prices_are_believable(world: World) -> None:
    prices = [market.lowest_price for market in (world.market(n, DAY) for n in IDS) if market.lowest_price]

    assert 9 <= median(prices) <= 16
    assert min(prices) >= Decimal("0.95")
    assert 150 <= max(prices) <= 1500
    assert all(price == round(price, 2) for price in prices)


def test_awkward_kinds_have_their_shares(world: World) -> None:
    kinds = Counter(world.kind(n) for n in range(1, 20_001))

    assert 0.008 <= kinds[Kind.GONE] / 20_000 <= 0.012
    assert 0.008 <= kinds[Kind.BLOCKED] / 20_000 <= 0.012
    none = [n for n in IDS if not (m := world.market(n, DAY)).num_for_sale and not m.blocked and not m.gone]
    assert 0.02 <= len(none) / len(IDS) <= 0.04


def test_price_exists_if_something_is_for_sale(world: World) -> None:
    for market in (world.market(n, DAY) for n in IDS):
        assert (market.lowest_price is None) == (market.num_for_sale == 0)
        assert not (market.num_for_sale and (market.blocked or market.gone))


def test_prices_hold_for_some_days_and_then_move(world: World) -> None:
    series = [m.lowest_price for m in world.market_series(6, DAY - timedelta(days=364), DAY)]
    steps = sum(a != b for a, b in pairwise(series))

    assert len(series) == 365
    assert 40 <= steps <= 363


def test_prices_stay_near_their_trend(world: World) -> None:
    for year in (2016, 2036):
        prices = [m.lowest_price for m in (world.market(n, date(year, 2, 28)) for n in IDS) if m.lowest_price]
        assert 4 <= median(prices) <= 40


def test_rising_releases_lose_listings(world: World) -> None:
    then = {n: world.market(n, DAY - timedelta(days=365)) for n in IDS}
    now = {n: world.market(n, DAY) for n in IDS}
    sold = [n for n in IDS if then[n].lowest_price and now[n].lowest_price and then[n].num_for_sale > 10]
    change = {n: float(now[n].lowest_price or 0) / float(then[n].lowest_price or 1) for n in sold}
    rising = [n for n in sold if change[n] > 1.4]
    falling = [n for n in sold if change[n] < 0.75]

    assert len(rising) > len(sold) * 0.05
    assert len(falling) > len(sold) * 0.05
    assert median(now[n].num_for_sale / then[n].num_for_sale for n in rising) < 0.75
    assert median(now[n].want / then[n].want for n in rising) > 1.1
    assert median(now[n].num_for_sale / then[n].num_for_sale for n in falling) > 1.1


def test_any_id_up_to_ten_million_exists(world: World) -> None:
    assert world.release(10_000_000).title
    assert world.market(10_000_000, DAY).have > 0
    for release_id in (0, -1, 10_000_001):
        with pytest.raises(KeyError):
            world.release(release_id)


def test_catalogue_holds_awkward_shapes(world: World) -> None:
    facts = [world.release(n) for n in IDS]

    assert any(release.year == 0 for release in facts)
    assert any(release.master_id == 0 for release in facts)
    assert any(not release.country for release in facts)
    assert any(not release.styles for release in facts)
    assert any(len(release.artists) == 3 and release.artists[0].join for release in facts)
    assert any(release.artists[0].anv for release in facts)
    assert any(release.artists[0].name.endswith(" (2)") for release in facts)
    assert any(len(release.formats) > 1 for release in facts)
    assert all(release.tracklist and release.labels and release.genres for release in facts)


def test_demo_collection_is_as_documented(world: World) -> None:
    user = world.users[demo.DEMO_USERNAME]
    owned = Counter(copy.release_id for copy in user.copies)
    kinds = Counter(world.kind(n) for n in owned)

    assert (user.id, user.token) == (demo.DEMO_ID, demo.DEMO_TOKEN)
    assert (len(user.copies), len(owned), len(user.wants)) == (400, 380, 60)
    assert Counter(owned.values()) == {1: 361, 2: 18, 3: 1}
    assert (kinds[Kind.NONE_FOR_SALE], kinds[Kind.BLOCKED], kinds[Kind.GONE]) == (6, 3, 2)
    assert len({copy.instance_id for copy in user.copies}) == 400
    assert {world.release(n).title for n in owned} >= set(names.ODD_TITLES)
    assert set(user.folder_counts()) == {0, 1, 2, 3, 4, 5}
    assert not {want.release_id for want in user.wants} & set(owned)


def test_demo_collection_fits_a_small_catalogue() -> None:
    user = World(releases=300).users[demo.DEMO_USERNAME]

    assert (len(user.copies), len({copy.release_id for copy in user.copies})) == (400, 380)


def test_demo_copies_carry_grades_paid_and_notes(world: World) -> None:
    copies = world.users[demo.DEMO_USERNAME].copies
    paid = [copy.notes[4] for copy in copies if 4 in copy.notes]
    ages = [(ANCHOR - copy.date_added.date()).days for copy in copies]

    assert 0.6 <= len(paid) / 400 <= 0.8
    assert {"€", "U", "a"} <= {text[0] for text in paid}
    assert any(not copy.notes for copy in copies)
    assert (min(ages) >= 0, 900 < max(ages) <= 1096) == (True, True)
    assert {copy.date_added.isoformat()[-6:] for copy in copies} == {"-07:00", "-08:00"}
    assert {copy.rating for copy in copies} <= set(range(6))


def test_small_collection_shares_twenty_releases(world: World) -> None:
    small = {copy.release_id for copy in world.users["small_shelf"].copies}
    big = {copy.release_id for copy in world.users["crate_demo"].copies}

    assert (len(small), len(small & big)) == (50, 20)


@pytest.mark.parametrize(
    ("moment", "offset"),
    [
        ("2026-03-08T09:59:59+00:00", "-08:00"),
        ("2026-03-08T10:00:00+00:00", "-07:00"),
        ("2026-11-01T08:59:59+00:00", "-07:00"),
        ("2026-11-01T09:00:00+00:00", "-08:00"),
    ],
)
def test_dates_carry_the_pacific_offset(moment: str, offset: str) -> None:
    assert pacific(datetime.fromisoformat(moment)).isoformat().endswith(offset)


def test_instance_ids_are_unique_across_users() -> None:
    world = World()
    world.add_user("second", "t", count=30)
    world.add_user("third", release_ids=[5, 5, 5])
    ids = [copy.instance_id for user in world.users.values() for copy in user.copies]

    assert len(ids) == len(set(ids))


def test_added_user_owns_what_was_asked_for() -> None:
    world = World()
    listed = world.add_user("listed", "one", release_ids=[9, 9, 12], wants=[4])
    counted = world.add_user("counted", "two", count=250)

    assert [copy.release_id for copy in listed.copies] == [9, 9, 12]
    assert len({copy.release_id for copy in counted.copies}) == 250
    assert all(world.kind(copy.release_id) is not Kind.GONE for copy in counted.copies)
    assert world.user_by_token("two") is counted
    assert world.user_by_token("three") is None


def test_user_can_own_more_than_the_catalogue() -> None:
    user = World(releases=100).add_user("hoarder", count=2000)

    assert len({copy.release_id for copy in user.copies}) == 2000


def test_instance_ids_are_never_reused() -> None:
    world = World()
    first, second = world.add_user("mover", release_ids=[1, 2]).copies
    world.remove_copies("mover", [second.instance_id])
    (new,) = world.add_copies("mover", [3])

    assert [copy.release_id for copy in world.users["mover"].copies] == [1, 3]
    assert new.instance_id > second.instance_id > first.instance_id


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"lowest_price": None}, (None, 0, False, False)),
        ({"lowest_price": "3.50", "num_for_sale": 4}, (Decimal("3.50"), 4, False, False)),
        ({"gone": True}, (None, 0, False, True)),
        ({"blocked": True}, (None, 0, True, False)),
        ({"num_for_sale": 0}, (None, 0, False, False)),
    ],
)
def test_override_stays_consistent(
    fields: dict[str, object], expected: tuple[Decimal | None, int, bool, bool]
) -> None:
    world = World()
    world.set_market(7, **fields)
    market = world.market(7, DAY)

    assert (market.lowest_price, market.num_for_sale, market.blocked, market.gone) == expected


def test_blocked_or_gone_release_can_return() -> None:
    world = World()
    gone = next(n for n in IDS if world.kind(n) is Kind.GONE)
    world.set_market(gone, gone=False)
    assert world.market(gone, DAY).lowest_price is not None

    world.set_market(gone)
    assert world.market(gone, DAY).gone


def test_overriding_wants_keeps_a_release_gone() -> None:
    world = World()
    gone = next(n for n in IDS if world.kind(n) is Kind.GONE)
    world.set_market(gone, want=5)

    assert (world.market(gone, DAY).gone, world.market(gone, DAY).want) == (True, 5)


def test_unknown_market_field_is_refused() -> None:
    with pytest.raises(ValueError, match="price_of_tea"):
        World().set_market(7, price_of_tea=3)


def test_reset_forgets_overrides_and_users(world: World) -> None:
    changed = World()
    changed.set_market(7, lowest_price=None)
    changed.add_user("passing", count=3)
    changed.reset()

    assert changed.users == world.users
    assert changed.market(7, DAY) == world.market(7, DAY)


def test_suggestions_are_one_number_on_the_grid(world: World) -> None:
    suggested = world.suggestions(7, DAY)
    steps = {amount / GRADE_GRID[grade] for grade, amount in suggested.items()}

    assert list(suggested) == list(GRADE_GRID)
    assert len({round(step, 20) for step in steps}) == 1
    assert any(not world.suggestions(n, DAY) for n in range(1, 200))


def test_twelve_currencies_have_a_fixed_rate() -> None:
    assert len(USD_RATES) == 12
    assert World.convert(Decimal("10"), "USD") == 10.0
    assert World.convert(Decimal("10"), "EUR") == 10.0 * USD_RATES["EUR"]
    with pytest.raises(KeyError):
        World.convert(Decimal("10"), "XAU")
