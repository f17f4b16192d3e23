"""Workers beside a database of another version pause, say so, and go on by themselves."""

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from collections_app import schema
from collections_app.importing.steps import start_import
from collections_app.tasks import enqueue_import, run_import_step
from pricing.models import HealthAlert, PriceJob, SyncRun
from pricing.monitoring import alerts
from pricing.sync import feeder, runs
from pricing.sync.queue import OrderedBroker
from pricing.tasks import refresh_price
from tests.pricing.engine import import_all, work_until_idle

pytestmark = pytest.mark.django_db(transaction=True)
NEWER = ("pricing", "0999_from_tomorrow")


@pytest.fixture(autouse=True)
def eager_watch():
    """Looks each time, so that no test has to wait."""
    before, interval = schema._watch, schema.CHECK_EVERY
    schema.CHECK_EVERY = 0.0
    schema.watch()
    yield
    schema._watch, schema.CHECK_EVERY = before, interval


@pytest.fixture
def newer_schema():
    recorder = MigrationRecorder(connection)
    recorder.record_applied(*NEWER)
    yield recorder
    recorder.record_unapplied(*NEWER)


@pytest.fixture
def run(make_collector, generous_sandbox) -> SyncRun:
    user = make_collector(generous_sandbox, release_ids=range(100, 113))
    import_all(user)
    generous_sandbox.reset("stats")
    return runs.start_sync(user, trigger=SyncRun.Trigger.CLICK, now=timezone.now(), import_first=False)


def test_schema_of_this_version_fits():
    assert schema.mismatch() == ""


@pytest.mark.parametrize(
    ("known", "applied", "says"),
    [
        ({("a", "1")}, {("a", "1")}, ""),
        ({("a", "1")}, {("a", "1"), ("a", "2")}, "another version of this site (a.2)"),
        ({("a", "1"), ("a", "2")}, {("a", "1")}, "lacks migrations of this version (a.2)"),
        ({("a", "1")}, {("a", str(n)) for n in range(1, 7)}, "(a.2, a.3, a.4 and 2 more)"),
    ],
)
def test_explain_names_what_does_not_fit(known, applied, says):
    text = schema.explain(known=known, applied=applied)
    assert says in text
    assert bool(says) == bool(text)


def test_old_workers_idle_beside_a_newer_schema(run, newer_schema, generous_sandbox):
    assert feeder.feed(now=timezone.now()) == 0
    assert generous_sandbox.stats()["accepted"] == 0
    newer_schema.record_unapplied(*NEWER)
    work_until_idle()
    assert set(PriceJob.objects.values_list("attempts", flat=True)) == {1}
    assert generous_sandbox.stats()["accepted"] == 13


def test_job_held_by_a_worker_is_not_claimed(run, generous_sandbox):
    feeder.feed(now=timezone.now())
    job = PriceJob.objects.filter(state=PriceJob.State.QUEUED).earliest("pk")
    MigrationRecorder(connection).record_applied(*NEWER)
    try:
        refresh_price(job.pk)
    finally:
        MigrationRecorder(connection).record_unapplied(*NEWER)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (PriceJob.State.QUEUED, 0)
    assert generous_sandbox.stats()["accepted"] == 0


def test_rows_stay_for_the_right_version(run, newer_schema):
    newer_schema.record_unapplied(*NEWER)
    feeder.feed(now=timezone.now())
    newer_schema.record_applied(*NEWER)
    assert OrderedBroker().dequeue() is None
    newer_schema.record_unapplied(*NEWER)
    assert len(OrderedBroker().dequeue() or []) == 1


def test_import_waits_beside_a_newer_schema(make_collector, newer_schema, generous_sandbox):
    user = make_collector(generous_sandbox, release_ids=range(100, 113))
    generous_sandbox.reset("stats")
    import_pass = start_import(user.discogs_connection, now=timezone.now())
    enqueue_import(import_pass.pk, now=timezone.now())
    run_import_step(import_pass.pk)
    import_pass.refresh_from_db()
    assert (import_pass.attempts, import_pass.requests, generous_sandbox.stats()["accepted"]) == (0, 0, 0)


def test_alert_explains_a_schema_mismatch(newer_schema):
    (alert,) = alerts.evaluate(timezone.now())
    assert alert.kind == "schema"
    assert alerts.is_error(alert)
    for part in ("pricing.0999_from_tomorrow", "nothing is lost", "Restart the site and run_workers"):
        assert part in alert.message
    assert HealthAlert.objects.count() == 1


def test_pause_and_its_end_are_logged_once(newer_schema, caplog):
    for _ in range(5):
        schema.mismatch()
    newer_schema.record_unapplied(*NEWER)
    for _ in range(5):
        schema.mismatch()
    said = [record.getMessage() for record in caplog.records if record.name == "collections_app.schema"]
    assert [text.partition(":")[0] for text in said] == ["work is paused", "work continues"]


def test_schema_is_read_every_few_seconds_only(django_assert_num_queries):
    class Clock:
        at = 0.0

        def __call__(self) -> float:
            return self.at

    schema.CHECK_EVERY = 3.0
    clock = Clock()
    watch = schema.SchemaWatch(clock)
    with django_assert_num_queries(2):
        for _ in range(60):
            watch.mismatch()
            clock.at += 0.1
