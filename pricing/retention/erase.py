"""Erasing what belongs to a user: their collection, or all of it with the account.

Work under way ends first or stores nothing. A step of an import holds the row of its pass while it stores, and a
writer of values that of the connection; whoever comes later finds neither. Locks are taken in one order everywhere:
connection, passes, runs, user.
"""

from datetime import datetime

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction

from collections_app.accounts.sessions import end_sessions_of
from collections_app.connections.connect import disconnect
from collections_app.models import DiscogsConnection, ImportPass
from pricing.models import SyncRun
from pricing.sync import planner
from pricing.value.daily import forget_values


class LastAdministrator(Exception):
    """Without this account nobody could administer the site."""


def erase_holdings(user_id: int, *, now: datetime) -> None:
    """Erase what came from Discogs: credential, copies, runs and values. A run under way is cancelled."""
    with transaction.atomic():
        connection = _lock_for_erasure(user_id)
        for run in SyncRun.objects.of(user_id).active():
            planner.cancel_run(run, now=now)
        forget_values(user_id)
        if connection is not None:
            disconnect(connection)


def erase_account(user: User, *, now: datetime) -> None:
    """Erase a user with everything that is theirs. Prices of releases stay: they are nobody's. Safe to run twice.

    Raises LastAdministrator, and nothing is changed, for the last active superuser.
    """
    people = get_user_model().objects
    with transaction.atomic():
        if is_last_administrator(user):
            raise LastAdministrator
        erase_holdings(user.pk, now=now)
        # From here on no other transaction can add a row of this user.
        account = people.select_for_update().filter(pk=user.pk).first()
        if account is not None:
            end_sessions_of(account)
            account.delete()


def is_last_administrator(user: User) -> bool:
    """In a transaction: two superusers cannot leave at the same time."""
    if not user.is_superuser:
        return False
    rows = get_user_model().objects.select_for_update(no_key=True)
    active = rows.filter(is_superuser=True, is_active=True).order_by("pk").values_list("pk", flat=True)
    return set(active) <= {user.pk}


def _lock_for_erasure(user_id: int) -> DiscogsConnection | None:
    """The connection, once nobody stores anything for it any more, locked against whoever begins."""
    rows = DiscogsConnection.objects.filter(user_id=user_id)
    # A step that stores refers to the connection when it commits, so the strong lock comes after its pass.
    connection = rows.select_for_update(no_key=True).first()
    if connection is None:
        return None
    list(ImportPass.objects.select_for_update().filter(connection=connection).order_by("pk").values("pk"))
    return rows.select_for_update().get()
