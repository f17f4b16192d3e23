"""Which sessions have proved a second factor, and the end of the others when two-factor login changes."""

import time
from enum import Enum, auto
from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY, get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_reset, authenticator_used
from allauth.usersessions.models import UserSession
from django.http import HttpRequest

from collections_app.accounts.sessions import end_sessions_of


class SecondFactor(Enum):
    """The state of a session's second factor."""

    NOT_SET_UP = auto()  # the account has no authenticator app
    MISSING = auto()  # the account has one, and this session has not given a code
    PROVED = auto()


def second_factor_of(request: HttpRequest) -> SecondFactor:
    """From the session's own record: that the account has an app proves nothing about this session. One query."""
    user: Any = request.user
    app = Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP).defer("data").first()
    if app is None:
        return SecondFactor.NOT_SET_UP
    records = get_authentication_records(request, user)
    return SecondFactor.PROVED if any(_proves(record, app) for record in records) else SecondFactor.MISSING


def _proves(record: dict[str, Any], app: Authenticator) -> bool:
    """Whether the code was one of this app, or a recovery code given since the app was set up."""
    if record.get("method") != "mfa" or record.get("at", 0.0) < app.created_at.timestamp():
        return False
    return record.get("type") == Authenticator.Type.RECOVERY_CODES or record.get("id") == app.pk


def connect_signals() -> None:
    """End other sessions and mark this one when django-allauth signals that an authenticator was added or used.

    It sends the signal after its transaction. If the process dies before that, older sessions continue without a
    second factor.
    """
    authenticator_added.connect(_on_change)
    authenticator_reset.connect(_on_change)
    authenticator_used.connect(_on_use)


def _on_change(*, request: HttpRequest, user: Any, authenticator: Authenticator, **_: Any) -> None:
    """End all other sessions: only this one is known to be used by the person with the new app or codes."""
    end_sessions_of(user, keep=request.session.session_key)
    if authenticator.type == Authenticator.Type.TOTP:
        # The set-up has already checked its first code.
        at = max(time.time(), authenticator.created_at.timestamp())
        record = {"method": "mfa", "at": at, "id": authenticator.pk, "type": authenticator.type}
        records = get_authentication_records(request, user)
        request.session[AUTHENTICATION_METHODS_SESSION_KEY] = [*records, record]
        _change_key(request)


def _on_use(*, request: HttpRequest, reauthenticated: bool, **_: Any) -> None:
    if reauthenticated:  # at a login Django changes the session key itself
        _change_key(request)


def _change_key(request: HttpRequest) -> None:
    """Change the session key, so that one stolen before does not gain the session's new rights."""
    old = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=old).update(session_key=request.session.session_key)
