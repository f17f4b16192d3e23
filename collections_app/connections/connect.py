"""Connect a user to Discogs, by a personal access token or by OAuth, and disconnect."""

import hmac
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from collections_app.connections.credentials import CredentialUnreadable, open_oauth, seal, seal_oauth
from collections_app.discogs import errors, oauth
from collections_app.discogs.client import Credentials, DiscogsClient
from collections_app.discogs.payloads import Identity
from collections_app.models import DiscogsConnection, ImportPass, PendingAuthorisation

AUTHORISE_WITHIN = timedelta(minutes=10)

User = AbstractBaseUser | Any
Kind = DiscogsConnection.Kind


class ConnectRefused(Exception):
    """The connection was not made. The text says what happened, what was kept and what to do."""


class AuthorisationDenied(ConnectRefused):
    """The user denied access at Discogs."""


class AuthorisationExpired(ConnectRefused):
    """The authorisation expired before the user returned."""


class AuthorisationUsed(ConnectRefused):
    """The callback of this authorisation was used before."""


class AuthorisationForeign(ConnectRefused):
    """The callback arrived in another account or another browser than the request."""


def connect_with_token(user: User, token: str, *, now: datetime) -> DiscogsConnection:
    """Check a personal access token with Discogs and store it, encrypted. One request.

    Raises ConnectRefused; an existing connection is unchanged then.
    """
    token = token.strip()
    if not oauth.TOKEN_SHAPE.fullmatch(token):
        raise ConnectRefused(
            "That does not look like a personal access token: it has letters and digits only. "
            "Copy it again from Discogs, Settings, Developers. Nothing was changed."
        )
    renews = _connected(user)
    client = DiscogsClient(Credentials.from_token(token), interactive=True)
    identity = _identity_of(
        client,
        rejected="Discogs does not accept this token. It may have been revoked or copied in part. "
        "Make a new one at Discogs, Settings, Developers, and paste it here. Nothing was changed.",
    )
    return _store(user, identity, Kind.TOKEN, seal(token, user_id=user.pk), renews=renews, now=now)


def begin_authorisation(user: User, *, callback: str, now: datetime) -> tuple[PendingAuthorisation, str]:
    """Get a request token from Discogs; return the pending authorisation and Discogs' page for it. One request.

    callback: the URL of this site to which Discogs sends the browser back.
    Raises ConnectRefused.
    """
    client = DiscogsClient(Credentials(oauth.to_ask_for_a_token(callback)), interactive=True)
    try:
        token = client.request_token()
    except errors.DiscogsError as error:
        raise _refused(
            error,
            rejected="Discogs does not know this site: its consumer key is wrong. Nothing was changed. "
            "Tell the operator of this site; meanwhile you can connect with a personal access token.",
        ) from None
    pending = PendingAuthorisation.objects.create(
        user_id=user.pk, credential=seal_oauth(token, user_id=user.pk), created_at=now
    )
    return pending, oauth.authorise_address(token)


def finish_authorisation(
    user: User, pending_id: str, *, token: str, verifier: str, now: datetime
) -> DiscogsConnection:
    """Exchange the answer of Discogs for an access token and store it, encrypted. Two requests.

    pending_id: of the authorisation begun in this session, "" for none. No verifier means the user said no.
    Raises ConnectRefused or a subclass; an existing connection is unchanged then.
    """
    pending = (
        PendingAuthorisation.objects.filter(pk=pending_id, user_id=user.pk).first() if pending_id else None
    )
    if pending is None:
        raise AuthorisationForeign(
            "It was started by another account, in another browser, or before a new login."
        )
    if pending.used_at:
        raise AuthorisationUsed("This answer of Discogs was used already. It can be used only once.")
    if now - pending.created_at > AUTHORISE_WITHIN:
        raise AuthorisationExpired("You came back after more than ten minutes.")
    request_token = _request_token_of(pending, token) if token or verifier else None
    _use(pending, now=now)
    if request_token is None or not verifier:
        raise AuthorisationDenied("You said no at Discogs, so this site was given no access.")
    return _exchange(user, request_token, verifier, now=now)


def disconnect(connection: DiscogsConnection) -> None:
    """Erase the credential and everything Discogs gave us about this user."""
    with transaction.atomic():
        # First the import pass: a running step locks its row and stores nothing once the row is gone. Then the lock on
        # the connection, so that no new pass can be added.
        ImportPass.objects.filter(connection=connection).delete()
        DiscogsConnection.objects.select_for_update().filter(pk=connection.pk).first()
        connection.instances.all().delete()
        connection.delete()
        PendingAuthorisation.objects.filter(user=connection.user_id).delete()


def _request_token_of(pending: PendingAuthorisation, token: str) -> oauth.Token:
    try:
        opened = open_oauth(pending.credential, user_id=pending.user_id)
    except CredentialUnreadable:
        raise AuthorisationExpired("The site's keys were changed meanwhile.") from None
    if not hmac.compare_digest(opened.key.encode(), token.encode()):
        raise AuthorisationForeign("The answer of Discogs belongs to another request, not to yours.")
    return opened


def _use(pending: PendingAuthorisation, *, now: datetime) -> None:
    """Mark the authorisation as used: only once, even if the same callback arrives twice at the same moment."""
    unused = PendingAuthorisation.objects.filter(pk=pending.pk, used_at__isnull=True)
    if not unused.update(used_at=now, credential=""):
        raise AuthorisationUsed("This answer of Discogs was used already. It can be used only once.")


def _exchange(user: User, request_token: oauth.Token, verifier: str, *, now: datetime) -> DiscogsConnection:
    rejected = "Discogs no longer accepts its own answer; it may be too old."
    renews = _connected(user)
    asking = DiscogsClient(Credentials(oauth.to_exchange(request_token, verifier)), interactive=True)
    try:
        token = asking.access_token()
    except errors.DiscogsError as error:
        raise _refused(error, rejected=f"{rejected} Nothing was changed. Start again.") from None
    client = DiscogsClient(Credentials.from_oauth(token), interactive=True)
    identity = _identity_of(client, rejected=f"{rejected} Nothing was changed. Start again.")
    return _store(user, identity, Kind.OAUTH, seal_oauth(token, user_id=user.pk), renews=renews, now=now)


def _connected(user: User) -> int | None:
    """The connection before the request to Discogs: if it is gone afterwards, its owner has disconnected."""
    return DiscogsConnection.objects.filter(user_id=user.pk).values_list("pk", flat=True).first()


def _store(
    user: User, identity: Identity, kind: str, credential: str, *, renews: int | None, now: datetime
) -> DiscogsConnection:
    """Create the connection, or renew it if it is to the same Discogs account. Raises ConnectRefused."""
    fields = {
        "discogs_user_id": identity.discogs_id,
        "discogs_username": identity.username,
        "kind": kind,
        "state": DiscogsConnection.State.ACTIVE,
        "has_seller_settings": None,  # to be asked again
        "credential": credential,
        "last_success_at": now,
    }
    try:
        with transaction.atomic():
            # If two requests arrive at once, the second waits here for the row of the first.
            connection, is_new = DiscogsConnection.objects.select_for_update().get_or_create(
                user_id=user.pk, defaults={**fields, "connected_at": now}
            )
            _refuse_another(connection, identity)
            if renews not in {None, connection.pk}:
                raise ConnectRefused("You have disconnected meanwhile, so nothing was stored. Connect again.")
            if not is_new:
                DiscogsConnection.objects.filter(pk=connection.pk).update(**fields)
                connection.refresh_from_db()
    except IntegrityError:
        raise ConnectRefused("Your account was deleted meanwhile. Nothing was stored.") from None
    return connection


def _refuse_another(connection: DiscogsConnection, identity: Identity) -> None:
    if connection.discogs_user_id != identity.discogs_id:
        raise ConnectRefused(
            f"At Discogs you are {identity.username}, but here you are connected as "
            f"{connection.discogs_username}. Nothing was changed. Disconnect first to use another account."
        )


def _identity_of(client: DiscogsClient, *, rejected: str) -> Identity:
    try:
        return client.identity()
    except errors.DiscogsError as error:
        raise _refused(error, rejected=rejected) from None


def _refused(error: errors.DiscogsError, *, rejected: str) -> ConnectRefused:
    if isinstance(error, errors.CredentialsRejected | errors.ConsumerRejected):
        return ConnectRefused(rejected)
    if isinstance(error, errors.GateClosed):
        return ConnectRefused(
            f"Discogs asks this site to wait. Try again in {max(1, round(error.wait_seconds))} seconds. "
            "Nothing was changed."
        )
    return ConnectRefused(
        "Discogs could not be reached just now. Nothing was changed. Try again in a minute."
    )
