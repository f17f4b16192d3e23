"""Erase a user's collection, or the whole account.

Concurrent work either ends first or stores nothing. An import step locks the row of its pass while it stores, and a
writer of values locks the connection; work that starts later finds neither row. Locks are taken in the same order
everywhere: connection, passes, runs, user.
"""

from datetime import datetime

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction

from collections_app.accounts.sessions import end_sessions_of
from collections_app.connections.connect import disconnect
from collections_app.models import DiscogsConnection, ImportPass
from pricing.daily.stored import forget_values
from pricing.models import SyncRun
from pricing.sync import runs


class LastAdministrator(Exception):
    """The account cannot be erased: no other active account could administer the site."""


def erase_holdings(user_id: int, *, now: datetime) -> None:
    """Erase everything that came from Discogs: credential, copies, runs and values. An active run is cancelled."""
    with transaction.atomic():
        connection = _lock_for_erasure(user_id)
        for run in SyncRun.objects.of(user_id).active():
            runs.cancel_run(run, now=now)
        forget_values(user_id)
        if connection is not None:
            disconnect(connection)


def erase_account(user: User, *, now: datetime) -> None:
    """Erase a user with all their data. Prices of releases stay, as they belong to no user. Safe to run twice.

    Raises LastAdministrator and changes nothing if the user is the last active superuser.
    """
    users = get_user_model().objects
    with transaction.atomic():
        if is_last_administrator(user):
            raise LastAdministrator
        erase_holdings(user.pk, now=now)
        # From here on no other transaction can add a row of this user.
        account = users.select_for_update().filter(pk=user.pk).first()
        if account is not None:
            end_sessions_of(account)
            account.delete()


def is_last_administrator(user: User) -> bool:
    """Whether no other superuser is active. Call it in a transaction: its locks keep two from erasing at once."""
    if not user.is_superuser:
        return False
    rows = get_user_model().objects.select_for_update(no_key=True)
    active = rows.filter(is_superuser=True, is_active=True).order_by("pk").values_list("pk", flat=True)
    return set(active) <= {user.pk}


def _lock_for_erasure(user_id: int) -> DiscogsConnection | None:
    """Wait until nothing is being stored for the connection, then lock it so that no new work starts."""
    rows = DiscogsConnection.objects.filter(user_id=user_id)
    # A step that stores references the connection when it commits, so the strong lock is taken after that of its pass.
    connection = rows.select_for_update(no_key=True).first()
    if connection is None:
        return None
    list(ImportPass.objects.select_for_update().filter(connection=connection).order_by("pk").values("pk"))
    return rows.select_for_update().get()
