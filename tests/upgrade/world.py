"""The sandbox accounts and prices that a dump and the test that loads it agree on. All of it is made up."""

from collections import Counter

from collections_app.sandbox.server import SandboxServer

# One release twice: two copies of it count twice.
ANNA = (*range(1101, 1113), 1103)
BEN = tuple(range(1110, 1126))  # shares three releases with anna
CORA = tuple(range(1201, 1207))
DORA = tuple(range(1301, 1305))
SHELVES = {"anna": ANNA, "ben": BEN, "cora": CORA, "dora": DORA}
WANTS = {"anna": (2001, 2002)}
NONE_FOR_SALE, BLOCKED = 1105, 1106


def price_minor(release: int) -> int:
    """The lowest price of a release in US cents; zero if none is for sale."""
    return 0 if release in {NONE_FOR_SALE, BLOCKED} else release * 3 + release % 89


def total_minor(username: str) -> int:
    """What a user's copies are worth once every release has been fetched."""
    return sum(copies * price_minor(release) for release, copies in Counter(SHELVES[username]).items())


def fill(server: SandboxServer) -> None:
    """Add the accounts and set the prices."""
    for username, releases in SHELVES.items():
        server.add_user(
            f"{username}_at_discogs",
            f"token-of-{username}",
            release_ids=releases,
            wants=WANTS.get(username, ()),
            fields=("Paid",),
            notes=({1: "Mint (M)", 4: "$12.50"},),
        )
        for release in releases:
            _set_price(server, release)


def _set_price(server: SandboxServer, release: int) -> None:
    if release == BLOCKED:
        server.set_market(release, blocked=True)
    elif release == NONE_FOR_SALE:
        server.set_market(release, lowest_price=None, num_for_sale=0)
    else:
        minor = price_minor(release)
        server.set_market(release, lowest_price=f"{minor // 100}.{minor % 100:02d}", num_for_sale=3)
