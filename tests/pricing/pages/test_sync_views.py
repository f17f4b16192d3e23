"""Syncs and the connection, through the client."""

from datetime import timedelta

import pytest
import time_machine
from django.db.models.signals import post_save
from django.urls import reverse
from django.utils import timezone

from collections_app.models import ApiGate, CollectionInstance, DiscogsConnection, ImportPass
from pricing.models import SyncRun
from pricing.pages import queries
from pricing.sync import runs
from pricing.sync.progress import progress_of
from tests import factories as make

pytestmark = pytest.mark.django_db
WRITES = ["sync_pause", "sync_resume", "sync_cancel", "sync_retry"]


@pytest.fixture
def collection(client):
    connection = make.make_connection()
    client.force_login(connection.user)
    return connection


@pytest.fixture
def workers():
    """A supervisor that was just seen."""
    make.make_heartbeat(role="supervisor", seen_at=timezone.now())


def text(response):
    assert response.status_code == 200
    return response.content.decode()


def test_running_sync_shows_its_progress(client, collection, workers):
    run = make.make_run(collection)
    for state in ("recorded", "none_for_sale", "dead", "due", "due", None):
        make.make_item(
            run, make.make_release(), state, error_kind="server" if state == "dead" else "", requests=1
        )
    html = text(client.get(f"/syncs/{run.pk}/"))
    assert 'value="3"' in html
    assert 'max="6"' in html
    assert "of 6 releases" in html
    assert "75 %" in html
    assert "Discogs answered with an error." in html
    assert "Retry failed releases" in html
    assert "done at" in html


def test_import_shows_how_many_copies_were_read(client, collection, workers):
    import_pass = ImportPass.objects.create(
        connection=collection, instances_expected=438, instances_seen=200, started_at=timezone.now()
    )
    run = make.make_run(collection, "importing", import_pass=import_pass)
    assert "Reading your collection: 200 of 438 copies" in text(client.get(f"/syncs/{run.pk}/"))
    assert "Reading your collection" in text(client.get("/syncs/bar/"))


def test_fragment_stops_polling_at_the_end(client, collection):
    run = make.make_run(collection)
    make.make_item(run, make.make_release(), "due")
    with time_machine.travel(run.created_at + timedelta(seconds=9), tick=False):
        fragment = text(client.get(f"/syncs/{run.pk}/progress/"))
        page = text(client.get(f"/syncs/{run.pk}/"))
    assert 'hx-trigger="every 2s"' in fragment
    start, end = fragment.index('<div id="progress"'), fragment.index("csrfmiddlewaretoken")
    assert fragment[start:end] in page
    run.state = "finished"
    run.finished_at = timezone.now()
    run.save()
    for address in (f"/syncs/{run.pk}/", f"/syncs/{run.pk}/progress/"):
        html = text(client.get(address))
        assert "hx-trigger" not in html
        assert 'http-equiv="refresh"' not in html
    assert text(client.get("/syncs/bar/")).strip() == ""


def test_page_reloads_without_javascript(client, collection):
    html = text(client.get(f"/syncs/{make.make_run(collection).pk}/"))
    assert '<meta http-equiv="refresh" content="5">' in html


def test_waiting_for_discogs_is_explained(client, collection, workers, settings):
    run = make.make_run(collection)
    make.make_item(run, make.make_release(), "due")
    gate = ApiGate.objects.get_or_create(egress=settings.DISCOGS_EGRESS)[0]
    gate.paused_until = timezone.now().timestamp() + 14
    gate.save()
    assert "for Discogs." in text(client.get(f"/syncs/{run.pk}/progress/"))


def test_gate_pause_is_explained_in_imports(client, collection, workers, settings):
    import_pass = ImportPass.objects.create(connection=collection, started_at=timezone.now())
    run = make.make_run(collection, "importing", import_pass=import_pass)
    gate = ApiGate.objects.get_or_create(egress=settings.DISCOGS_EGRESS)[0]
    gate.paused_until = timezone.now().timestamp() + 14
    gate.save()
    for address in (f"/syncs/{run.pk}/", f"/syncs/{run.pk}/progress/"):
        assert "for Discogs." in text(client.get(address))
    assert "waiting for Discogs" in text(client.get("/syncs/bar/"))
    assert "Waiting 1" in text(client.get("/dashboard/"))


def test_no_time_is_estimated_during_an_outage(client, collection, workers, settings):
    run = make.make_run(collection)
    make.make_item(run, make.make_release(), "due")
    gate = ApiGate.objects.get_or_create(egress=settings.DISCOGS_EGRESS)[0]
    gate.breaker, gate.open_until = ApiGate.Breaker.OPEN, timezone.now().timestamp() + 19
    gate.save()
    html = text(client.get(f"/syncs/{run.pk}/progress/"))
    assert "Discogs does not answer. Next attempt in 19 s" in html
    assert "done at" not in html
    assert "1 s" not in text(client.get("/syncs/bar/"))


def test_missing_workers_are_named(client, collection):
    run = make.make_run(collection)
    make.make_item(run, make.make_release(), "due")
    assert "No workers are running" in text(client.get(f"/syncs/{run.pk}/"))
    assert "No workers are running" in text(client.get("/dashboard/"))
    assert "no workers are running" in text(client.get("/syncs/bar/"))


def test_other_syncs_ahead_are_named(client, collection, workers):
    run, other = make.make_run(collection), make.make_run(make.make_connection("other"))
    for state in ("due", "queued"):
        make.make_item(run, make.make_release(), state)
    for state in ("queued", "running", "due"):
        make.make_item(other, make.make_release(), state)
    assert "2 of their requests go first" in text(client.get(f"/syncs/{run.pk}/"))


def test_own_jobs_are_never_those_of_other_syncs(client, collection, workers):
    run = make.make_run(collection)
    release = make.make_release()
    make.make_item(run, release, "running")
    progress = progress_of(run, now=timezone.now())
    # Between the two queries, the feeder has queued another job of the same run.
    make.make_item(run, make.make_release(), "queued")
    live = queries.live_of(progress, connection_state="active", now=timezone.now())
    assert "other syncs" not in live.line.text


def test_paused_run_names_what_is_still_fetched(client, collection, workers):
    run = make.make_run(collection, "paused")
    for state in ("queued", "running", "due"):
        make.make_item(run, make.make_release(), state)
    html = text(client.get(f"/syncs/{run.pk}/"))
    assert "2 releases already with the workers are still fetched; 1 release waits until you resume" in html


def test_empty_collection_is_said_to_be_empty(client, collection):
    import_pass = ImportPass.objects.create(
        connection=collection, state="complete", started_at=timezone.now(), finished_at=timezone.now()
    )
    run = make.make_run(collection, "finished", import_pass=import_pass)
    html = text(client.get(f"/syncs/{run.pk}/"))
    assert "Your collection on Discogs is empty" in html
    assert "See the value" not in html


def test_banner_and_header_follow_the_live_part(client, collection, workers):
    run = make.make_run(collection)
    make.make_item(run, make.make_release(), "due")
    fragment = text(client.get(f"/syncs/{run.pk}/progress/"))
    assert '<div id="trouble" hx-swap-oob="true">' in fragment
    assert "no longer accepts" not in fragment
    assert fragment.count('id="live-bar"') == 1
    runs.fail_runs_of(collection.user_id, error="Discogs no longer accepts it.", now=timezone.now())
    collection.state = "reconnect_needed"
    collection.save()
    fragment = text(client.get(f"/syncs/{run.pk}/progress/"))
    for html in (fragment, text(client.get("/syncs/bar/"))):
        banner = html.partition('<div id="trouble" hx-swap-oob="true">')[2]
        assert "Discogs no longer accepts your connection" in banner
    assert '<div id="live-bar" hx-swap-oob="delete">' in fragment
    assert "Reconnect to continue." in fragment
    assert "tart another sync" not in fragment


@pytest.mark.parametrize("state", ["reconnect_needed", "unreadable"])
def test_sync_is_not_offered_where_it_cannot_work(client, collection, state):
    run = make.make_run(collection, "failed")
    make.make_item(run, make.make_release(), "dead")
    addresses = ("/syncs/", f"/syncs/{run.pk}/", "/dashboard/", "/collection/")
    for address in addresses:
        main = text(client.get(address)).partition('<div id="trouble"')[2]
        assert "Reconnect" not in main
    collection.state = state
    collection.save()
    for address in addresses:
        main = text(client.get(address)).partition('<div id="trouble"')[2].partition("</section>")[2]
        assert "Reconnect</a>" in main, address
        assert "Sync now" not in main, address
        assert "Retry failed releases" not in main


def test_every_header_shows_the_active_run(client, collection):
    run = make.make_run(collection)
    for state in ("recorded", "due", "due"):
        make.make_item(run, make.make_release(), state)
    assert "1 of 3" in text(client.get("/settings/"))


def test_fifty_clicks_are_one_run(client, collection):
    make.make_copy(collection)
    addresses = {client.post("/syncs/start/").url for _ in range(5)}
    assert len(addresses) == 1
    assert SyncRun.objects.of(collection.user_id).count() == 1


def test_sync_without_connection_asks_to_connect(client, make_user):
    client.force_login(make_user())
    assert client.post("/syncs/start/").url == "/connect/"


def test_run_is_paused_resumed_and_cancelled(client, collection):
    run = make.make_run(collection)
    make.make_item(run, make.make_release(), "due")
    for name, state in (("sync_pause", "paused"), ("sync_resume", "running"), ("sync_cancel", "cancelled")):
        assert client.post(reverse(name, args=[run.pk])).url == f"/syncs/{run.pk}/"
        run.refresh_from_db()
        assert run.state == state


def test_failed_releases_can_be_retried(client, collection):
    run = make.make_run(collection, "finished")
    make.make_item(run, make.make_release(), "dead")
    response = client.post(reverse("sync_retry", args=[run.pk]), follow=True)
    assert "1 failed release" in text(response)


@pytest.mark.parametrize("name", [*WRITES, "sync_start"])
def test_changes_need_post(client, collection, name):
    arguments = [] if name == "sync_start" else [make.make_run(collection).pk]
    assert client.get(reverse(name, args=arguments)).status_code == 405


@pytest.mark.parametrize("name", ["sync_run", "sync_progress", *WRITES])
def test_another_users_run_is_404(client, collection, name):
    run = make.make_run(make.make_connection("other"))
    method = client.post if name in WRITES else client.get
    assert method(reverse(name, args=[run.pk])).status_code == 404
    run.refresh_from_db()
    assert run.state == "running"


def test_list_shows_own_runs_only(client, collection):
    own = make.make_run(collection, "finished")
    foreign = make.make_run(make.make_connection("other"), "finished")
    html = text(client.get("/syncs/"))
    assert f"/syncs/{own.pk}/" in html
    assert f"/syncs/{foreign.pk}/" not in html


@pytest.mark.parametrize(
    "address",
    [
        "/dashboard/",
        "/dashboard/headline/",
        "/collection/",
        "/release/1/",
        "/syncs/",
        "/syncs/1/",
        "/syncs/bar/",
    ],
)
def test_anonymous_user_is_sent_to_log_in(client, address):
    assert client.get(address).url.startswith("/account/login/")


@pytest.mark.parametrize(
    ("failed", "is_other_active", "says"),
    [
        (1, False, "1 failed release is tried again."),
        (2, False, "2 failed releases are tried again."),
        (2, True, "Nothing was retried, since another sync is active."),
        (0, False, "Nothing is left to retry."),
    ],
)
def test_retry_says_what_it_did(client, collection, failed, is_other_active, says):
    run = make.make_run(collection, "finished")
    for _ in range(failed):
        make.make_item(run, make.make_release(), "dead")
    if is_other_active:
        make.make_run(collection)
    assert says in text(client.post(f"/syncs/{run.pk}/retry/", follow=True))


@pytest.mark.parametrize(
    ("waits", "says"),
    [
        (timedelta(seconds=40), "About 40 s left"),
        (timedelta(days=3), "About 2 s left"),  # by a wrong clock: it counts as past
        (-timedelta(seconds=40), "About 2 s left"),
    ],
)
def test_estimate_covers_the_next_attempt(client, collection, workers, waits, says):
    run = make.make_run(collection)
    make.make_item(run, make.make_release(), "due")
    now = timezone.now()
    make.make_item(run, make.make_release(), "waiting", not_before=now + waits)
    with time_machine.travel(now, tick=False):
        assert says in text(client.get(f"/syncs/{run.pk}/"))


@pytest.mark.parametrize("state", ["reconnect_needed", "unreadable"])
@pytest.mark.parametrize("action", ["start", "retry"])
def test_unusable_connection_starts_nothing(client, collection, state, action):
    run = make.make_run(collection, "finished")
    make.make_item(run, make.make_release(), "dead")
    DiscogsConnection.objects.update(state=state)
    address = "/syncs/start/" if action == "start" else f"/syncs/{run.pk}/retry/"
    response = client.post(address, follow=True)
    assert response.redirect_chain == [("/connect/", 302)]
    html = text(response)
    assert "so nothing was started" in html
    assert 'name="token"' in html  # to reconnect
    assert list(SyncRun.objects.values_list("pk", "state")) == [(run.pk, "finished")]
    assert not ImportPass.objects.exists()


def test_connecting_starts_the_first_sync(client, make_user, generous_sandbox):
    user = make_user()
    client.force_login(user)
    generous_sandbox.add_user("someone", "token-of-someone", release_ids=[1, 2])
    response = client.post("/connect/", {"token": "token-of-someone"})
    run = SyncRun.objects.get(user=user)
    assert response.url == f"/syncs/{run.pk}/"
    assert DiscogsConnection.objects.get(user=user).discogs_username == "someone"


def test_disconnect_after_connect_leads_back(client, make_user, generous_sandbox):
    user = make_user()
    client.force_login(user)
    generous_sandbox.add_user("someone", "token-of-someone")

    def leave(**_: object) -> None:
        DiscogsConnection.objects.all().delete()

    post_save.connect(leave, sender=DiscogsConnection)
    try:
        response = client.post("/connect/", {"token": "token-of-someone"})
    finally:
        post_save.disconnect(leave, sender=DiscogsConnection)
    assert response.url == "/connect/"
    assert not SyncRun.objects.exists()


def test_refused_token_is_explained_not_shown(client, make_user, generous_sandbox):
    client.force_login(make_user())
    html = text(client.post("/connect/", {"token": "not-a-token-of-anyone"}))
    assert "Nothing was changed" in html
    assert "not-a-token-of-anyone" not in html
    assert not DiscogsConnection.objects.exists()


def test_token_field_is_not_autofilled(client, make_user):
    client.force_login(make_user())
    html = text(client.get("/connect/"))
    assert 'type="password"' in html
    assert 'name="token"' in html
    assert 'autocomplete="off"' in html


def test_disconnect_asks_first_then_erases(client, collection):
    make.make_copy(collection)
    make.make_run(collection)
    assert "Disconnect and erase" in text(client.get("/disconnect/"))
    assert DiscogsConnection.objects.count() == 1
    assert client.post("/disconnect/").url == "/dashboard/"
    assert not DiscogsConnection.objects.exists()
    assert not CollectionInstance.objects.exists()
    assert not SyncRun.objects.exists()


def test_unconnected_user_cannot_disconnect(client, make_user):
    client.force_login(make_user())
    assert client.get("/disconnect/").status_code == 404


def test_finished_run_shows_its_duration(client, collection):
    now = timezone.now()
    run = make.make_run(collection, "finished", created_at=now - timedelta(minutes=7), finished_at=now)
    assert "Finished in 7 min" in text(client.get(f"/syncs/{run.pk}/"))
    assert "7 min" in text(client.get("/syncs/"))
