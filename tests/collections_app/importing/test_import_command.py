"""`import_collection --wait`: the rows that could not be read, and the second pass for what is missing."""

from io import StringIO

import pytest
import responses
from django.core.management import CommandError, call_command

from collections_app.importing import unread
from collections_app.models import CollectionInstance, ImportPass
from tests.collections_app.importing.account import Account, row

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(make_user, settings):
    settings.DISCOGS_RATE_LIMIT = settings.PRICE_WORKER_RATE_LIMIT = 100_000
    settings.DISCOGS_RATE_WINDOW = 0.1
    with responses.mock:
        yield Account(make_user(), copies=[row(number) for number in range(1, 41)])


def run_import() -> str:
    out = StringIO()
    call_command("import_collection", wait=True, stdout=out)
    return out.getvalue()


def test_unread_rows_are_counted_and_named(account):
    account.copies[0]["instance_id"] = None
    account.copies[1] = None
    text = run_import()
    assert "2 rows could not be read: " in text
    assert 'copy of release 1 "Record 1" (Discogs sent no usable number for this copy)' in text
    assert "copy (Discogs sent no data for this row)." in text


def test_complete_import_names_nothing_unread(account):
    text = run_import()
    assert "40 copies, " in text
    assert "could not" not in text
    assert "second time" not in text


def test_long_list_is_cut(account):
    account.copies[:] = [row(number, basic_information=None) for number in range(1, 26)]
    text = run_import()
    assert "25 rows could not be read: " in text
    assert f"and {25 - unread.MAX_LISTED} more." in text


def test_second_pass_is_run_and_announced(account):
    run_import()
    del account.copies[10:]
    text = run_import()
    assert "30 copies and 0 wants were missing. Reading a second time to confirm it." in text
    assert CollectionInstance.objects.of(account.user.pk).held().count() == 10
    assert not ImportPass.objects.running().exists()


def test_failed_second_pass_fails_the_command(account, monkeypatch):
    run_import()
    account.copies.clear()
    account.read_once()
    second = account.second_pass()
    ImportPass.objects.filter(pk=second.pk).update(attempts=5)
    with pytest.raises(CommandError, match="1 of 1 imports failed"):
        run_import()
