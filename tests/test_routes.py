"""The answer of every route of the site to each role. A new route needs a row in ROWS; no route is skipped.

A row names its routes by a pattern, and for each role the answers to GET and POST: a status, or an arrow and the name
of the view that a redirect leads to. Objects in addresses are the owner's. A method that a view does not accept is 405
for every role, even if the object belongs to another user.
"""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.utils import timezone

from collections_app.models import ApiGate, ApiMinute, Capability, ImportPass, Preferences
from pricing.models import (
    ExchangeRate,
    HealthAlert,
    MarketStat,
    SourceAttempt,
    WorkerHeartbeat,
)
from tests import factories as make
from tests.accounts import force_login_with_code
from tests.headers import assert_secure
from tests.routes import Route, admin_arguments, ask, belongings, everything, is_stored, routes

pytestmark = pytest.mark.django_db
ROLES = ("anonymous", "owner", "other", "staff")


@dataclass(frozen=True)
class Row:
    routes: str  # a pattern that must match the whole name
    anonymous: str
    owner: str
    other: str
    staff: str

    def fits(self, route: Route) -> bool:
        return re.fullmatch(self.routes, route.label) is not None


LOGIN, ADMIN_LOGIN = "→account_login →account_login", "→admin:login →admin:login"
ASKED_FIRST = "→account_reauthenticate →account_reauthenticate"


def public(names: str, answers: str, *, signed_in: str = "") -> Row:
    return Row(names, answers, *[signed_in or answers] * 3)


def private(names: str, answers: str, *, staff: str = "") -> Row:
    """For every signed-in user. The staff user of these tests has no connection."""
    return Row(names, LOGIN, answers, answers, staff or answers)


def owned(names: str, answers: str, *, foreign: str) -> Row:
    return Row(names, LOGIN, answers, foreign, foreign)


def for_staff(names: str, answers: str, *, anonymous: str = LOGIN) -> Row:
    """The administration; MODEL in an answer stands for the app and the model of the page."""
    return Row(names, anonymous, ADMIN_LOGIN, ADMIN_LOGIN, answers)


OURS = "admin:(collections_app|pricing|account|mfa|usersessions)_[a-z]+"
THEIRS = "admin:auth_[a-z]+"
ROWS = (
    # The site
    public("landing", "200 405", signed_in="→dashboard 405"),
    public("healthz", "200 405"),
    private("dashboard|headline|settings|syncs|sync_bar|export", "200 405"),
    private("collection|accuracy", "200 405", staff="→connect 405"),
    private("bulk_values", "200 200", staff="→connect →connect"),
    private("connect", "200 200"),
    private("authorise", "405 404"),  # the site of these tests has no consumer key
    private("authorised", "200 405"),  # “not begun here”
    private("disconnect", "200 →dashboard", staff="404 404"),
    private("preferences", "405 200"),
    private("amounts", "405 →dashboard"),
    private("basis", "405 →dashboard"),
    private("sync_start", "405 →sync_run", staff="405 →connect"),
    # The owner of these tests has an active run; the other user has no price that could be narrowed.
    Row("narrow", LOGIN, "405 →sync_run", "405 →accuracy", "405 →connect"),
    owned("release|sync_run|sync_progress", "200 405", foreign="404 405"),
    owned("release_check", "405 →release", foreign="405 404"),
    owned("release_(count|leave_out|undecide)", "405 →release", foreign="405 404"),
    owned("copy_value", "405 200", foreign="405 404"),  # without an amount
    owned("sync_(pause|resume|cancel|retry)", "405 →sync_run", foreign="405 404"),
    # Accounts
    public("account_(login|signup)", "200 200", signed_in="→dashboard →dashboard"),
    public("account_inactive|account_password_reset_completed", "200 405"),
    public("account_reset_password(_from_key)?", "200 200"),
    # No user of these tests has been sent a code.
    public("account_confirm_password_reset_code", "→account_login →account_login"),
    public("account_complete_password_reset", "→account_reset_password →account_reset_password"),
    private("account_email_verification_sent", "→account_email →account_email"),
    public("account_confirm_login_code|mfa_authenticate", LOGIN, signed_in="→dashboard →dashboard"),
    public("account_logout", "→landing →landing", signed_in="200 →landing"),
    private("account_reauthenticate|account_change_password", "200 200"),
    private("account_set_password", "→account_change_password →account_change_password"),
    private("account_email", "200 →account_email"),
    private("usersessions_list", "200 →usersessions_list"),
    owned("account_end_session", "405 →usersessions_list", foreign="405 404"),
    # Users of these tests have signed in without a password, so they are asked for it first.
    private("account_delete", ASKED_FIRST),
    # Two-factor login, which only the staff user of these tests has.
    private("mfa_index", "200 405"),
    private("mfa_reauthenticate", ASKED_FIRST, staff="200 200"),
    private("mfa_activate_totp|mfa_generate_recovery_codes", ASKED_FIRST),
    private("mfa_deactivate_totp|mfa_download_recovery_codes", "404 404", staff=ASKED_FIRST),
    private("mfa_view_recovery_codes", "404 405", staff="→account_reauthenticate 405"),
    # The administration
    private(
        "admin/password_change/|admin:password_change", "→account_change_password →account_change_password"
    ),
    for_staff("admin:(index|app_list)", "200 200", anonymous=ADMIN_LOGIN),
    for_staff("admin:(password_change_done|jsi18n)", "200 405", anonymous=ADMIN_LOGIN),
    for_staff("admin:autocomplete", "403 405", anonymous=ADMIN_LOGIN),
    for_staff(r"admin:view_on_site|admin/\(\?P<url>\.\*\)\$", "404 404", anonymous=ADMIN_LOGIN),
    Row("admin:login", LOGIN, "403 403", "403 403", "→admin:index →admin:index"),
    Row("admin:logout", ADMIN_LOGIN, "→admin:index →admin:index", "→admin:index →admin:index", "405 200"),
    for_staff(f"{OURS}_(changelist|history)|admin:pricing_engine", "200 200"),
    for_staff(f"{OURS}_(add|delete)", "403 403"),
    for_staff(f"{OURS}_change", "200 403"),
    for_staff(f"{THEIRS}_(changelist|history|add|delete|change|password_change)", "200 200"),
    for_staff("admin/[a-z_]+/[a-z]+/<path:object_id>/", "→admin:MODEL_change →admin:MODEL_change"),
)


@dataclass(frozen=True)
class Stage:
    people: dict[str, Any]
    arguments: dict[str, str]

    def client(self, role: str, **options: Any) -> Client:
        client = Client(**options)
        if role == "staff":
            force_login_with_code(client, self.people[role])
        elif self.people[role] is not None:
            client.force_login(self.people[role])
        return client

    def address(self, route: Route) -> str:
        return route.address({**self.arguments, **admin_arguments(route)})


@pytest.fixture
def stage(settings, make_staff) -> Stage:
    """An owner with one row of everything, another collector, and staff."""
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher"
    ]  # quick; hashing is not tested
    now = timezone.now()
    mine, theirs = make.make_connection("owner"), make.make_connection("other")
    make.make_copy(theirs)
    copy, run = make.make_copy(mine), make.make_run(mine)
    release = copy.release
    make.make_item(run, release, "dead", error_kind="server")
    make.make_snapshot(release, 1, day=now.date())
    make.make_price(release, 1)
    make.make_want(mine, make.make_release())
    make.make_value(mine, 1, day=now.date())
    fill_the_administration(mine, release)
    people = {"anonymous": None, "owner": mine.user, "other": theirs.user, "staff": make_staff()}
    for user in filter(None, people.values()):  # as signing up does
        EmailAddress.objects.get_or_create(user=user, email=user.email, verified=True, primary=True)
    session = UserSession.objects.create(
        user=mine.user, ip="127.0.0.1", session_key="elsewhere", user_agent=""
    )
    words = {"app_label": "auth", "url": "nothing/here", "key": "abc", "uidb36": "1"}
    numbers = {"copy_id": copy.pk, "discogs_id": release.pk, "run_id": run.pk, "session_id": session.pk}
    numbers |= {"content_type_id": 1, "object_id": 1}
    return Stage(people, words | {name: str(number) for name, number in numbers.items()})


def fill_the_administration(owned: Any, release: Any) -> None:
    """Make a row of each model that has admin pages but no factory."""
    now = timezone.now()
    price = {"release": release, "currency": "EUR", "amount_minor": 1, "observed_at": now}
    MarketStat.objects.create(**price)
    ExchangeRate.objects.create(currency="EUR", micros_per_usd=900_000, observed_at=now)
    SourceAttempt.objects.create(source="suggestions", connection=owned, outcome="refused", tried_at=now)
    HealthAlert.objects.create(kind="failing", opened_at=now)
    WorkerHeartbeat.objects.create(host="host", pid=1, started_at=now, seen_at=now)
    ImportPass.objects.create(connection=owned, started_at=now)
    ApiGate.objects.create(egress="default")
    ApiMinute.objects.create(egress="default", minute=now)
    Capability.objects.create(name="search", is_available=True, checked_at=now)
    Preferences.objects.create(user=owned.user)
    Group.objects.create(name="group")


def test_every_route_has_exactly_one_row():
    missing = [route.label for route in routes() if not any(row.fits(route) for row in ROWS)]
    assert not missing, (
        f"add a row with the answers for each role to ROWS in tests/test_routes.py for {missing}"
    )
    doubled = [route.label for route in routes() if sum(row.fits(route) for row in ROWS) > 1]
    assert not doubled, f"more than one row of ROWS fits {doubled}"


def test_every_row_has_a_route():
    stale = [row.routes for row in ROWS if not any(row.fits(route) for route in routes())]
    assert not stale, f"no route fits {stale}: take the rows out of ROWS"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.routes)
def test_each_role_gets_the_answer_of_the_table(stage, row, role):
    for route in filter(row.fits, routes()):
        client, address = stage.client(role), stage.address(route)
        expected = getattr(row, role).replace("MODEL", "_".join(route.pattern.split("/")[1:3])).split()
        before = everything()
        assert ask(client, "GET", address) == expected[0], f"GET {address}"
        assert everything() == before, f"GET {address} changed something"
        mine = belongings(stage.people["owner"])
        with transaction.atomic():
            assert ask(client, "POST", address) == expected[1], f"POST {address}"
            if role != "owner":
                assert belongings(stage.people["owner"]) == mine, f"POST {address} changed the owner's rows"
            transaction.set_rollback(True)


@pytest.mark.parametrize("role", ROLES)
def test_post_without_a_csrf_token_is_refused(stage, role):
    for route in routes():
        client = stage.client(role, enforce_csrf_checks=True)
        # Health probes are answered before that check: a POST is refused whatever it holds.
        expected = "405" if route.label == "healthz" else "403"
        assert ask(client, "POST", stage.address(route)) == expected, route.label


@pytest.mark.parametrize("role", ["owner", "staff"])
def test_private_pages_are_not_stored(stage, role):
    public = {"healthz", "admin:jsi18n"}  # contain no data of a user
    for route in routes():
        if route.label not in public | {"account_logout", "admin:logout"}:
            response = stage.client(role).get(stage.address(route))
            assert not is_stored(response), f"GET {stage.address(route)}"


def test_public_pages_may_be_stored(stage):
    assert is_stored(stage.client("anonymous").get("/"))


# Requests that no route can read, by the status of the error page.
BAD_REQUESTS = {
    400: {"CONTENT_TYPE": "text/plain; charset=utf-16"},
    413: {"CONTENT_LENGTH": "1000001"},
}


@pytest.mark.parametrize("status", BAD_REQUESTS)
@pytest.mark.parametrize("role", ROLES)
def test_routes_refuse_unreadable_requests(stage, role, status):
    client = stage.client(role)
    for route in routes():
        for method in ("get", "post", "delete"):
            response = client.generic(method, stage.address(route), **BAD_REQUESTS[status])
            assert response.status_code == status, f"{method} {route.label}"
            assert_secure(response.headers, route.label)
            assert not is_stored(response)


@pytest.mark.parametrize("role", ROLES)
def test_routes_without_a_database_are_503(stage, role):
    """A public page that does not need the database is still shown."""
    client = stage.client(role, raise_request_exception=False)
    answers = set()
    for route in routes():
        address = stage.address(route)
        with connection.execute_wrapper(_no_answer):
            response = client.get(address)
        answers.add(response.status_code)
        if response.status_code == 503:
            assert_secure(response.headers, route.label)
            assert response["Retry-After"] == "10"
            assert not is_stored(response)
        else:
            assert role == "anonymous" or route.label in {"account_inactive"}, route.label
            assert response.status_code < 500, route.label
    assert 503 in answers


def _no_answer(*_: object) -> None:
    raise OperationalError("the server did not answer")


def test_owners_rows_are_found_on_every_route(stage):
    found = {name for name, rows in belongings(stage.people["owner"]).items() if rows}
    assert {
        "collections_app.DiscogsConnection.user",
        "collections_app.CollectionInstance.connection",
        "collections_app.WantlistItem.connection",
        "collections_app.Preferences.user",
        "pricing.SyncRun.user",
        "pricing.CollectionValue.user",
    } <= found


def guarded_routes() -> list[Route]:
    """The administration, and some pages of the site."""
    ways_out = {"admin:login", "admin:logout"}
    inside = [
        route for route in routes() if route.pattern.startswith("admin/") and route.label not in ways_out
    ]
    assert len(inside) > 50
    return inside + [route for route in routes() if route.label in {"dashboard", "settings", "export"}]


def assert_led_away(client: Client, stage: Stage, view: str, found: list[Route]) -> None:
    for route in found:
        before = everything()
        assert ask(client, "GET", stage.address(route)) == f"→{view}", route.label
        assert ask(client, "POST", stage.address(route)) == f"→{view}", route.label
        assert everything() == before


def test_staff_without_two_factor_see_setup_only(stage, make_user):
    """The table's answers for staff, above all those of the administration, require two-factor login."""
    bare = Client()
    bare.force_login(make_user("bare", is_staff=True, is_superuser=True))
    assert_led_away(bare, stage, "mfa_index", guarded_routes())


def test_staff_without_a_code_see_the_form_only(stage):
    """The account pages are closed too: with a password alone, two-factor login must not be removable."""
    by_password = Client()
    by_password.force_login(stage.people["staff"])
    # These pages accept a code, redirect to another page, or log out.
    open_ones = {"mfa_reauthenticate", "mfa_authenticate", "account_logout"}
    open_ones |= {"account_email_verification_sent", "account_confirm_login_code"}
    private_rows = [row for row in ROWS if row.anonymous == LOGIN != row.owner]
    about_account = [
        route
        for route in routes()
        if route.label.startswith(("account_", "mfa_", "usersessions_"))
        and route.label not in open_ones
        and any(row.fits(route) for row in private_rows)
    ]
    assert len(about_account) > 10
    assert_led_away(by_password, stage, "mfa_reauthenticate", guarded_routes() + about_account)
