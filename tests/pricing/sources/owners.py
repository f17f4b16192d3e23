"""An owner of three releases whose prices are known, and what the queue holds."""

from django_q.models import OrmQ

from collections_app.models import DiscogsConnection
from pricing.models import ReleasePrice
from tests.factories import make_price
from tests.pricing.engine import import_all

RELEASES = (11, 12, 13)


def make_owner(make_collector, sandbox, name: str, **account):
    user = make_collector(sandbox, name, release_ids=RELEASES, **account)
    import_all(user)
    for release in RELEASES:
        sandbox.set_market(release, lowest_price="8.00", num_for_sale=2)
        if not ReleasePrice.objects.filter(pk=release).exists():
            copy, price = user.discogs_connection.instances.get(release=release), 800 + release
            make_price(copy.release, price, last_minor=price)
    sandbox.reset("stats")
    return user


def connection_of(user) -> DiscogsConnection:
    return DiscogsConnection.objects.get(user=user)


def queued() -> list[tuple[str, tuple[int, ...]]]:
    return [(row.task["func"].rpartition(".")[2], row.task["args"]) for row in OrmQ.objects.order_by("id")]
