"""What the optional sources share: whose credentials they use, and how attempts are recorded."""

from datetime import timedelta

import pytest
import requests
from django.db import IntegrityError, transaction
from django.utils import timezone

from collections_app.connections.connect import disconnect
from collections_app.connections.credentials import seal
from collections_app.models import DiscogsConnection
from pricing.models import SourceAttempt
from pricing.sources.access import credentials_of_owner, record_attempt
from tests.factories import make_connection, make_copy, make_release

pytestmark = pytest.mark.django_db

SOURCE, Outcome = SourceAttempt.Source.SUGGESTIONS, SourceAttempt.Outcome


def make_owner_of(release, username: str, **connection):
    owner = make_connection(username, **connection)
    owner.credential = seal(f"token-of-{username}", user_id=owner.user_id)
    owner.save()
    make_copy(owner, release)
    return owner


def token_for(release) -> str:
    """The token that a request for the release carries."""
    found = credentials_of_owner(release.pk)
    assert found is not None
    request = requests.Request("GET", "https://discogs.test/", auth=found.auth).prepare()
    return request.headers["Authorization"].rpartition("=")[2]


def test_credentials_are_of_first_readable_owner():
    release = make_release()
    assert credentials_of_owner(release.pk) is None
    first = make_owner_of(release, "first")
    make_owner_of(release, "second")
    assert token_for(release) == "token-of-first"
    DiscogsConnection.objects.filter(pk=first.pk).update(credential="sealed with a lost key")
    assert token_for(release) == "token-of-second"


@pytest.mark.parametrize("state", ["reconnect_needed", "private"])
def test_credentials_are_of_active_owners_only(state):
    release = make_release()
    make_owner_of(release, "owner", state=state)
    assert credentials_of_owner(release.pk) is None


def test_credentials_are_not_of_a_former_owner():
    release = make_release()
    make_owner_of(release, "owner").instances.update(removed_at=timezone.now())
    assert credentials_of_owner(release.pk) is None


def test_attempt_replaces_the_one_before():
    subjects = (
        {"release_id": make_release().pk},
        {"connection_id": make_connection().pk},
        {"currency": "EUR"},
        {"currency": "JPY"},
    )
    now = timezone.now()
    for outcome in (Outcome.FAILED, Outcome.NONE):
        now += timedelta(days=1)
        for subject in subjects:
            record_attempt(SOURCE, outcome, now=now, **subject)
    assert list(SourceAttempt.objects.values_list("outcome", "tried_at")) == [("none", now)] * 4


@pytest.mark.parametrize("doubled", ["release", "connection", "currency"])
def test_attempt_exists_once_for_each_subject(doubled):
    subject = {"release": make_release(), "connection": make_connection(), "currency": "EUR"}[doubled]
    fields = {"source": SOURCE, "outcome": Outcome.FAILED, "tried_at": timezone.now(), doubled: subject}
    SourceAttempt.objects.create(**fields)
    SourceAttempt.objects.create(**{**fields, "source": SourceAttempt.Source.EXCHANGE_RATE})
    with pytest.raises(IntegrityError), transaction.atomic():
        SourceAttempt.objects.create(**fields)


@pytest.mark.parametrize("chosen", [(), ("release", "connection"), ("release", "currency")])
def test_attempt_has_exactly_one_subject(chosen):
    subjects = {"release": make_release(), "connection": make_connection(), "currency": "EUR"}
    fields = {name: subjects[name] for name in chosen}
    with pytest.raises(IntegrityError), transaction.atomic():
        SourceAttempt.objects.create(source=SOURCE, outcome=Outcome.FAILED, tried_at=timezone.now(), **fields)


def test_attempt_goes_with_its_connection():
    connection, release = make_connection(), make_release()
    record_attempt(SOURCE, Outcome.REFUSED, now=timezone.now(), connection_id=connection.pk)
    record_attempt(SOURCE, Outcome.FAILED, now=timezone.now(), release_id=release.pk)
    disconnect(connection)
    assert SourceAttempt.objects.get().release == release
