"""Alerts: what opens them, what they say, and when they close."""

import logging
import smtplib
from datetime import UTC, datetime, timedelta

import pytest
from django.core.mail.backends.locmem import EmailBackend

from collections_app.models import ApiGate
from pricing.models import HealthAlert, PriceJob, WorkerHeartbeat
from pricing.monitoring import alerts
from pricing.monitoring.alerts import Kind, decide, evaluate
from pricing.monitoring.metrics import Metrics, Worker
from tests import factories as make

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def ago(**span: float) -> datetime:
    return NOON - timedelta(**span)


def later(**span: float) -> datetime:
    return NOON + timedelta(**span)


def make_job(state: str, **fields: object) -> PriceJob:
    values = {"created_at": ago(hours=1), **fields}
    return PriceJob.objects.create(release=make.make_release(), state=state, **values)


def make_ends(recorded: int, dead: int, *, at: datetime = NOON) -> None:
    for state, number in (("recorded", recorded), ("dead", dead)):
        for _ in range(number):
            make_job(state, finished_at=at - timedelta(seconds=30))


def kinds(found: list[HealthAlert]) -> set[str]:
    return {alert.kind for alert in found}


# What is wrong by given signs ------------------------------------------------------------------------

HEAVY = (Worker("host:7", 400_000_000, 307_200_000),)


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        (Metrics(), set()),
        (Metrics(finished=50, failed=10), set()),
        (Metrics(finished=50, failed=11), {Kind.ERROR_RATE}),
        (Metrics(finished=9, failed=9), set()),
        (Metrics(finished=10, failed=3), {Kind.ERROR_RATE}),
        (Metrics(idle_since=ago(seconds=59)), set()),
        (Metrics(idle_since=ago(seconds=60)), {Kind.STALL}),
        (Metrics(breaker_open_since=ago(minutes=4, seconds=59)), set()),
        (Metrics(breaker_open_since=ago(minutes=5)), {Kind.OUTAGE}),
        (Metrics(refusals=2), set()),
        (Metrics(refusals=3), {Kind.REFUSALS}),
        (Metrics(heavy=HEAVY), {Kind.MEMORY}),
        (Metrics(refusals=4, heavy=HEAVY), {Kind.REFUSALS, Kind.MEMORY}),
    ],
)
def test_findings_follow_from_metrics(signs, expected):
    assert {wrong.kind for wrong in decide(signs, now=NOON)} == expected


@pytest.mark.parametrize(
    ("signs", "happened", "kept", "to_do"),
    [
        (
            Metrics(finished=50, failed=20),
            "20 of the last 50",
            "Stored prices stay",
            "Look at the price jobs",
        ),
        (Metrics(idle_since=ago(minutes=3)), "since 11:57 UTC", "Nothing is lost", "restart run_workers"),
        (
            Metrics(breaker_open_since=ago(hours=1)),
            "since 11:00 UTC",
            "without losing",
            "check the network",
        ),
        (Metrics(refusals=5), "refused 5 requests in a row", "No job loses an attempt", "DISCOGS_EGRESS"),
        (Metrics(heavy=HEAVY), "host:7 holds 400 MB", "nothing is lost", "lower PRICE_WORKERS_MAX"),
    ],
)
def test_alert_says_what_happened_and_what_to_do(signs, happened, kept, to_do):
    (wrong,) = decide(signs, now=NOON)
    assert happened in wrong.message
    assert kept in wrong.message
    assert to_do in wrong.message


def test_every_kind_has_a_title():
    assert set(alerts.TITLES) == set(Kind)


@pytest.mark.parametrize(
    ("before", "wrong", "expected"),
    [
        ({}, [], set()),
        ({}, ["stall"], {"stall"}),
        ({"stall": ago(seconds=59).timestamp()}, [], {"stall"}),
        ({"stall": ago(seconds=60).timestamp()}, [], set()),
        ({"stall": ago(seconds=99).timestamp()}, ["stall"], {"stall"}),
        ({"stall": ago(seconds=10).timestamp()}, ["memory"], {"stall", "memory"}),
    ],
)
def test_condition_lasts_a_minute_after_its_end(before, wrong, expected):
    assert set(alerts.found_recently(before, wrong, now=NOON)) == expected


# Opening and closing ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_alert_is_opened_once_and_logged(caplog):
    make_ends(recorded=30, dead=20)
    assert kinds(evaluate(NOON)) == {"error_rate"}
    assert kinds(evaluate(later(seconds=10))) == {"error_rate"}
    alert = HealthAlert.objects.get()
    assert (alert.opened_at, alert.closed_at) == (NOON, None)
    records = [record for record in caplog.records if record.name == "pricing.monitoring.alerts"]
    assert [record.levelno for record in records] == [logging.WARNING]
    assert "20 of the last 50 price jobs failed" in records[0].getMessage()


@pytest.mark.django_db
def test_finding_that_stops_work_is_an_error(caplog):
    make_job("queued", queued_at=ago(minutes=5))
    assert kinds(evaluate(NOON)) == {"stall"}
    assert caplog.records[-1].levelno == logging.ERROR


@pytest.mark.django_db
def test_alert_closes_after_a_good_minute(caplog):
    caplog.set_level(logging.INFO, "pricing.monitoring.alerts")
    job = make_job("queued", queued_at=ago(minutes=5))
    evaluate(NOON)
    job.delete()
    assert kinds(evaluate(later(seconds=10))) == {"stall"}
    assert kinds(evaluate(later(seconds=59))) == {"stall"}
    assert evaluate(later(seconds=61)) == []
    assert HealthAlert.objects.get().closed_at == later(seconds=61)
    assert "alert stall closed" in caplog.records[-1].getMessage()
    assert caplog.records[-1].levelno == logging.INFO


@pytest.mark.django_db
def test_flapping_condition_keeps_its_alert_open():
    ApiGate.objects.create(egress="default", refusals=3, paused_until=later(hours=1).timestamp())
    gate = ApiGate.objects.filter(egress="default")
    for seconds in range(0, 300, 10):
        gate.update(refusals=3 if seconds % 50 == 0 else 0)
        assert kinds(evaluate(later(seconds=seconds))) == {"refusals"}
    assert HealthAlert.objects.count() == 1


@pytest.mark.django_db
def test_recurrence_after_closing_is_a_new_alert():
    ApiGate.objects.create(egress="default", refusals=3, paused_until=later(hours=1).timestamp())
    evaluate(NOON)
    ApiGate.objects.update(refusals=0)
    evaluate(later(seconds=70))
    ApiGate.objects.update(refusals=3)
    evaluate(later(seconds=80))
    assert list(HealthAlert.objects.order_by("pk").values_list("closed_at", flat=True)) == [
        later(seconds=70),
        None,
    ]


@pytest.mark.django_db
def test_alert_of_another_supervisor_is_kept():
    HealthAlert.objects.create(kind="outage", message="…", opened_at=ago(seconds=1))
    assert kinds(evaluate(NOON)) == {"outage"}
    assert kinds(evaluate(later(seconds=60))) == set()


@pytest.mark.django_db
def test_administrators_get_one_mail(settings, mailoutbox):
    settings.ADMINS = [("Operator", "operator@example.org")]
    make_job("queued", queued_at=ago(minutes=5))
    for seconds in (0, 10, 20):
        evaluate(later(seconds=seconds))
    (mail,) = mailoutbox
    assert mail.to == ["operator@example.org"]
    assert mail.subject == "[Crateworth] Nothing moves"
    assert "restart run_workers" in mail.body


@pytest.mark.django_db
def test_no_mail_without_administrators(mailoutbox):
    make_job("queued", queued_at=ago(minutes=5))
    evaluate(NOON)
    assert mailoutbox == []


class MailServerIsAway(EmailBackend):
    def send_messages(self, messages):
        raise smtplib.SMTPServerDisconnected("gone")


@pytest.mark.django_db
def test_unreachable_mail_server_stops_nothing(settings, caplog):
    settings.ADMINS = [("Operator", "operator@example.org")]
    settings.EMAIL_BACKEND = f"{__name__}.{MailServerIsAway.__name__}"
    make_job("queued", queued_at=ago(minutes=5))
    assert kinds(evaluate(NOON)) == {"stall"}
    assert "could not be mailed" in caplog.text


# What only a page can see ----------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("run_state", "missing"),
    [("running", True), ("importing", True), ("paused", False), ("finished", False)],
)
def test_missing_workers_are_found_during_a_sync(run_state, missing):
    make.make_run(make.make_connection(), run_state)
    found = alerts.current(NOON)
    assert (kinds(found) == {"no_workers"}) is missing
    assert HealthAlert.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(("seconds", "missing"), [(5, False), (300, True)])
def test_silent_supervisor_means_missing_workers(seconds, missing):
    make.make_run(make.make_connection(), "running")
    WorkerHeartbeat.objects.create(
        host="h", pid=1, role="supervisor", started_at=ago(hours=1), seen_at=ago(seconds=seconds)
    )
    found = alerts.current(NOON)
    assert bool(found) is missing
    if missing:
        assert "seen since 11:55 UTC" in found[0].message
        assert found[0].opened_at == ago(seconds=300)


@pytest.mark.django_db
def test_pages_show_open_alerts_only():
    HealthAlert.objects.create(kind="memory", message="…", opened_at=ago(hours=2), closed_at=ago(hours=1))
    HealthAlert.objects.create(kind="outage", message="…", opened_at=ago(minutes=2))
    assert kinds(alerts.current(NOON)) == {"outage"}
