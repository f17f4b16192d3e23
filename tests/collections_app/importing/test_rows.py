"""What an import writes: the rows that differ. A page that changes nothing only marks its copies as seen."""

import pytest
import responses
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from collections_app.importing.steps import import_step, start_import
from collections_app.models import CollectionInstance, ImportPass, Release, WantlistItem
from tests.collections_app.importing.account import Account, row

pytestmark = pytest.mark.django_db(transaction=True)

COPIES, RELEASES = CollectionInstance._meta.db_table, Release._meta.db_table


@pytest.fixture
def account(make_user, settings):
    settings.DISCOGS_RATE_LIMIT = settings.PRICE_WORKER_RATE_LIMIT = 100_000
    settings.DISCOGS_RATE_WINDOW = 0.1
    with responses.mock:
        yield Account(make_user(), copies=[row(number) for number in range(1, 201)])


def statements_of_page(account, page: int = 1) -> list[str]:
    """The statements of the step that reads a page of copies, without those of the gate, which may try again."""
    started = start_import(account.user.discogs_connection, now=timezone.now())
    for _ in range(1 + page):  # folders, fields, the pages before
        import_step(started.pk, now=timezone.now())
    with CaptureQueriesContext(connection) as captured:
        import_step(started.pk, now=timezone.now())
    while import_step(started.pk, now=timezone.now()) is not None:
        pass
    statements = [query["sql"] for query in captured]
    return [sql for sql in statements if '"collections_app_' in sql and '"collections_app_api' not in sql]


def writes(statements: list[str], table: str) -> list[str]:
    return [sql for sql in statements if table in sql and not sql.startswith("SELECT")]


def test_unchanged_page_costs_the_same_if_longer(account):
    account.copies, others = account.copies[:110], account.copies[110:]
    account.read_once()
    of_10 = statements_of_page(account, page=2)
    account.copies += others[:80]
    account.read_once()
    of_90 = statements_of_page(account, page=2)
    assert len(of_90) == len(of_10)


def test_unchanged_page_marks_copies_as_seen(account):
    account.read_once()
    statements = statements_of_page(account)
    assert writes(statements, RELEASES) == []
    (update,) = writes(statements, COPIES)
    assert update.startswith(f'UPDATE "{COPIES}" SET "seen_in_pass"')
    newest = ImportPass.objects.latest("pk").pk
    assert CollectionInstance.objects.filter(seen_in_pass=newest).count() == 200


def test_changed_facts_are_written_alone(account):
    account.read_once()
    account.copies[6] = row(7, facts={"title": "Another title"})
    statements = statements_of_page(account)
    (insert,) = writes(statements, RELEASES)
    assert "Another title" in insert
    assert "Record 8" not in insert
    assert Release.objects.get(pk=7).title == "Another title"
    assert len(writes(statements, COPIES)) == 1


def test_changed_copy_is_written_alone(account):
    account.read_once()
    account.copies[6] = row(7, rating=5, notes=[{"field_id": 3, "value": "from Leeds"}])
    statements = statements_of_page(account)
    assert writes(statements, RELEASES) == []
    assert len(writes(statements, COPIES)) == 2
    changed = CollectionInstance.objects.get(release=7)
    assert (changed.rating, changed.notes) == (5, "from Leeds")


def test_unchanged_copy_that_returns_is_held_again(account):
    account.read_once()
    CollectionInstance.objects.filter(release=7).update(removed_at=timezone.now())
    account.read_once()
    assert CollectionInstance.objects.held().count() == 200


def test_unchanged_wants_are_only_marked_as_seen(account):
    account.wants = [row(number) for number in range(301, 311)]
    account.read_once()
    before = list(WantlistItem.objects.order_by("pk").values("pk", "release", "added_at"))
    assert account.read_once().wants_seen == 10
    assert list(WantlistItem.objects.order_by("pk").values("pk", "release", "added_at")) == before
    newest = ImportPass.objects.latest("pk").pk
    assert WantlistItem.objects.filter(seen_in_pass=newest).count() == 10
