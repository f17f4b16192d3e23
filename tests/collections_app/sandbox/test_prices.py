"""The sandbox Discogs over HTTP: releases and their prices, with every trap of the real ones."""

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest

from collections_app.sandbox.server import SandboxServer
from collections_app.sandbox.world.market import GRADE_GRID, USD_RATES, Kind
from tests.collections_app.sandbox.sandbox_client import SMALL, Api


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(limit=100_000) as running:
        yield running


def of_kind(server: SandboxServer, kind: Kind, *, even: bool | None = None) -> int:
    return next(
        n for n in range(1, 5000) if server.world.kind(n) is kind and (even is None or (n % 2 == 0) == even)
    )


def test_release_price_is_always_usd(api: Api, server: SandboxServer) -> None:
    market = server.world.market(7, server.today())
    prices = {api.get(f"/releases/7{query}").json()["lowest_price"] for query in ("", "?curr_abbr=EUR")}

    assert prices == {float(market.lowest_price or 0)}


def test_stats_convert_unrounded(api: Api, server: SandboxServer) -> None:
    usd = float(server.world.market(7, server.today()).lowest_price or 0)
    in_yen = api.get("/marketplace/stats/7?curr_abbr=JPY").json()["lowest_price"]
    by_account = api.get("/marketplace/stats/7?currency=JPY&curr=JPY").json()["lowest_price"]
    anonymous = api.get("/marketplace/stats/7", auth=None).json()["lowest_price"]

    assert in_yen == {"value": usd * USD_RATES["JPY"], "currency": "JPY"}
    assert by_account == {"value": usd * USD_RATES["EUR"], "currency": "EUR"}
    assert anonymous == {"value": usd, "currency": "USD"}


def test_price_floats_carry_noise(api: Api, server: SandboxServer) -> None:
    noisy = 0
    for release_id in range(3, 60, 3):
        wanted = server.world.market(release_id, server.today()).lowest_price
        text = json.loads(api.get(f"/releases/{release_id}").text, parse_float=str).get("lowest_price")
        if wanted is not None:
            noisy += len(text) > 12
            assert round(Decimal(text), 2) == wanted
    assert noisy


@pytest.mark.parametrize(("kind", "blocked"), [(Kind.BLOCKED, True), (Kind.NONE_FOR_SALE, False)])
@pytest.mark.parametrize(("even", "count"), [(True, None), (False, 0)])
def test_unsellable_releases_have_no_price(
    api: Api, kind: Kind, blocked: bool, even: bool, count: int | None
) -> None:
    server = api.server
    release_id = of_kind(server, kind, even=even)
    stats = api.get(f"/marketplace/stats/{release_id}?curr_abbr=EUR").json()
    release = api.get(f"/releases/{release_id}").json()

    assert stats == {"lowest_price": None, "num_for_sale": count, "blocked_from_sale": blocked}
    assert (release["lowest_price"], release["num_for_sale"]) == (None, 0)
    assert release.get("blocked_from_sale", False) is blocked


def test_gone_release_stays_in_the_collection(api: Api, server: SandboxServer) -> None:
    owned = server.world.users["crate_demo"].copies
    gone = next(copy.release_id for copy in owned if server.world.kind(copy.release_id) is Kind.GONE)
    listed = [row["id"] for page in range(1, 5) for row in page_of(api, page)]

    for path in (
        "/releases/{}",
        "/marketplace/stats/{}",
        "/releases/{}/rating",
        "/marketplace/price_suggestions/{}",
    ):
        assert api.get(path.format(gone)).status_code == 404
    assert gone in listed


def test_release_stats_are_empty(api: Api) -> None:
    assert api.get("/releases/7/stats").json() == {"is_offensive": False}


def test_rating_has_its_own_shape(api: Api, server: SandboxServer) -> None:
    market = server.world.market(7, server.today())

    assert api.get("/releases/7/rating").json() == {
        "release_id": 7,
        "rating": {"count": market.rating_count, "average": float(market.rating_average)},
    }


def test_suggestions_need_a_seller(api: Api, server: SandboxServer) -> None:
    found = api.get("/marketplace/price_suggestions/7?curr_abbr=USD").json()
    steps = {round(price["value"] / GRADE_GRID[grade], 9) for grade, price in found.items()}
    empty = next(n for n in range(1, 500) if not server.world.suggestions(n, server.today()))
    server.set_market(empty, gone=False)
    no_seller = api.get("/marketplace/price_suggestions/7", auth=SMALL)

    assert ({price["currency"] for price in found.values()}, len(found), len(steps)) == ({"EUR"}, 8, 1)
    assert api.get(f"/marketplace/price_suggestions/{empty}").json() == {}
    assert (no_seller.status_code, no_seller.json()["message"]) == (
        404,
        "You must fill out your seller settings first.",
    )
    assert api.get("/marketplace/price_suggestions/7", auth=None).status_code == 401


def test_listings_are_not_served(api: Api) -> None:
    assert api.get("/marketplace/search?release_id=7").status_code == 404
    assert api.get("/marketplace/search?release_id=7", auth=None).status_code == 401
    listings = api.get("/marketplace/listings?release_id=7")
    assert (listings.status_code, set(listings.json())) == (405, {"detail"})


def test_unknown_facts_are_absent_keys(api: Api, server: SandboxServer) -> None:
    def first(wanted: str) -> int:
        return next(
            n for n in range(1, 500) if not getattr(server.world.release(n), wanted) and is_there(server, n)
        )

    assert "country" not in api.get(f"/releases/{first('country')}").json()
    assert not {"master_id", "master_url"} & set(api.get(f"/releases/{first('master_id')}").json())
    without_year = api.get(f"/releases/{first('year')}").json()
    assert (without_year["year"], "released" in without_year) == (0, False)


def is_there(server: SandboxServer, release_id: int) -> bool:
    return server.world.kind(release_id) is Kind.ORDINARY


def page_of(api: Api, page: int) -> list[dict[str, object]]:
    return api.get(f"/users/crate_demo/collection/folders/0/releases?page={page}&per_page=100").json()[
        "releases"
    ]
