"""What left a collection: believed at once where that is certain, and decided by a second pass otherwise."""

import pytest
import responses

from collections_app.models import CollectionInstance, WantlistItem
from tests.collections_app.importing.account import Account, row

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(make_user, settings):
    settings.DISCOGS_RATE_LIMIT = settings.PRICE_WORKER_RATE_LIMIT = 100_000
    settings.DISCOGS_RATE_WINDOW = 0.1
    with responses.mock:
        yield Account(make_user())


def fill(account, copies: int, wants: int = 0) -> None:
    account.copies[:] = [row(number) for number in range(1, copies + 1)]
    account.wants[:] = [row(number) for number in range(1, wants + 1)]
    account.read_once()


def held(account) -> int:
    return CollectionInstance.objects.of(account.user.pk).held().count()


@pytest.mark.parametrize(("before", "gone"), [(4, 1), (2, 1), (6, 5), (10, 5), (40, 8), (100, 20)])
def test_few_removals_count_at_once(account, before, gone):
    fill(account, before)
    del account.copies[:gone]
    done = account.read_once()
    assert (held(account), done.unconfirmed_copies) == (before - gone, 0)
    assert account.second_pass() is None


@pytest.mark.parametrize(("before", "gone"), [(1, 1), (4, 4), (10, 6), (40, 9), (40, 40), (120, 25)])
def test_many_removals_start_a_second_pass(account, before, gone):
    fill(account, before)
    del account.copies[:gone]
    done = account.read_once()
    assert (held(account), done.unconfirmed_copies) == (before, gone)
    second = account.second_pass()
    assert second is not None
    assert second.is_confirmation
    account.read_once()  # the pass that is running
    second.refresh_from_db()
    assert (held(account), second.state, second.unconfirmed_copies) == (before - gone, "complete", 0)
    assert account.second_pass() is None


def test_second_pass_keeps_what_came_back(account):
    fill(account, 40)
    whole = list(account.copies)
    account.copies.clear()
    account.read_once()
    account.copies[:] = whole
    account.read_once()
    assert held(account) == 40


def test_second_pass_is_not_followed_by_a_third(account):
    fill(account, 40)
    del account.copies[:20]
    account.read_once()
    del account.copies[1:]
    account.read_once()
    assert held(account) == 20  # those that neither pass saw are gone; the others wait for the next import
    assert account.second_pass() is None
    account.read_once()
    assert held(account) == 1


def test_many_removed_wants_start_a_second_pass(account):
    fill(account, 1, wants=30)
    del account.wants[:20]
    done = account.read_once()
    assert (WantlistItem.objects.count(), done.unconfirmed_wants) == (30, 20)
    account.read_once()
    assert WantlistItem.objects.count() == 10


def test_few_removed_wants_count_at_once(account):
    fill(account, 1, wants=4)
    del account.wants[:1]
    account.read_once()
    assert WantlistItem.objects.count() == 3
