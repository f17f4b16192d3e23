"""A hundred imports over pages that shrink, repeat, lie or fail: nothing is taken for removed that is still there."""

from collections.abc import Iterator
from random import Random

import pytest
from django.utils import timezone

from collections_app.importing.steps import import_step, start_import
from collections_app.models import ApiGate, CollectionInstance, ImportPass, WantlistItem
from collections_app.sandbox.server import SandboxServer
from tests.conftest import point_at

pytestmark = pytest.mark.django_db(transaction=True)

COPIES, WANTS = 230, 120  # three pages and two
NOTHING = '{"pagination": {"items": 0, "pages": 1}, "releases": [], "wants": []}'
ACCOUNT = "collector_at_discogs"


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer(limit=100_000) as server:
        yield server


@pytest.fixture
def discogs(running, settings) -> Iterator[SandboxServer]:
    point_at(settings, running, limit=100_000, window=6)
    yield running
    running.reset()


@pytest.fixture
def collector(make_collector, discogs):
    user = make_collector(discogs, count=COPIES, wants=range(6000, 6000 + WANTS))
    import_once(user)
    return user


def import_once(user) -> ImportPass:
    """A whole import. Without the breaker's memory, which would have it wait half a minute after five faults."""
    started = start_import(user.discogs_connection, now=timezone.now())
    while import_step(started.pk, now=timezone.now()) is not None:
        ApiGate.objects.all().delete()
    ApiGate.objects.all().delete()
    return ImportPass.objects.get(pk=started.pk)


def lie(discogs: SandboxServer, chance: Random) -> None:
    """One to four faults, each on pages of copies or of wants, mostly once."""
    for _ in range(chance.randint(1, 4)):
        page = chance.randint(1, 3)
        part = chance.choice(("folders/0/releases", "wants"))
        path = rf"^/users/.*{part}.*[?&]page={page}\b"
        items = chance.choice((0, 1, 30, 99, 100, 229, 231, 10_000))
        kind, options = chance.choice(
            (
                ("shrink", {"rows": chance.choice((1, 3, 20, 100)), "honest": chance.random() < 0.5}),
                ("repeat", {}),
                ("items", {"items": items, "pages": chance.randint(0, 9)}),
                ("status", {"status": chance.choice((500, 502, 503, 520, 404))}),
                ("html", {}),
                ("empty", {}),
                ("cut", {"keep": chance.random()}),
                ("body", {"body": NOTHING}),
            )
        )
        discogs.add_fault(path=path, kind=kind, times=chance.choice((1, 1, 1, 2, 9)), **options)


@pytest.mark.parametrize("seeds", [range(start, start + 10) for start in range(0, 100, 10)], ids=str)
def test_lying_import_removes_nothing(collector, discogs, seeds):
    for seed in seeds:
        lie(discogs, Random(seed))
        import_once(collector)
        held = CollectionInstance.objects.of(collector.pk).held()
        assert held.count() == COPIES, f"seed {seed}: a copy was taken for removed"
        assert WantlistItem.objects.count() == WANTS, f"seed {seed}: a want was taken for removed"
        discogs.reset("faults")
        ordinary = import_once(collector)
        assert ordinary.state == ImportPass.State.COMPLETE, f"seed {seed}: {ordinary.error}"
        assert (ordinary.instances_consistent, ordinary.wants_consistent) == (True, True)
        assert (held.count(), WantlistItem.objects.count()) == (COPIES, WANTS)


def test_same_imports_see_true_removals(collector, discogs):
    gone = CollectionInstance.objects.of(collector.pk).held()[:2]
    discogs.world.remove_copies(ACCOUNT, [copy.instance_id for copy in gone])
    import_once(collector)
    assert CollectionInstance.objects.of(collector.pk).held().count() == COPIES - 2
