"""What a migration makes of rows that are there already."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE, AFTER = ("collections_app", "0002_gate_heeds_headers"), ("collections_app", "0003_a_true_mirror")


@pytest.fixture
def before() -> Iterator[MigrationExecutor]:
    """The tables as they were; as they are again afterwards."""
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    executor = MigrationExecutor(connection)
    executor.migrate([BEFORE])
    yield executor
    MigrationExecutor(connection).migrate(latest)


def test_old_import_proves_no_removal(before):
    old = before.loader.project_state([BEFORE]).apps
    user = old.get_model("auth", "User").objects.create(username="early")
    collection = old.get_model("collections_app", "DiscogsConnection").objects.create(
        user=user, discogs_user_id=1, discogs_username="early_there", connected_at=timezone.now()
    )
    passes = old.get_model("collections_app", "ImportPass").objects
    number = passes.create(connection=collection, state="complete", started_at=timezone.now()).pk
    MigrationExecutor(connection).migrate([AFTER])
    # The model as it was then: today's has columns that later migrations add.
    passes = before.loader.project_state([AFTER]).apps.get_model("collections_app", "ImportPass").objects
    import_pass = passes.get(pk=number)
    assert (import_pass.instances_consistent, import_pass.wants_consistent) == (False, False)
    later = passes.create(connection_id=import_pass.connection_id, started_at=timezone.now())
    later.refresh_from_db()
    assert (later.instances_consistent, later.wants_consistent) == (True, True)
