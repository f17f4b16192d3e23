"""Alerts: when they are opened, mailed and closed, and which of them pages show."""

import logging
import smtplib

import pytest
from django.core.mail.backends.locmem import EmailBackend

from collections_app.models import ApiGate
from pricing.models import HealthAlert
from pricing.monitoring import alerts
from pricing.monitoring.alerts import evaluate
from tests import factories as make
from tests.pricing.monitoring.noon import NOON, ago, later, make_ends, make_job


def kinds(found: list[HealthAlert]) -> set[str]:
    return {alert.kind for alert in found}


@pytest.mark.parametrize(
    ("before", "found", "expected"),
    [
        ({}, [], set()),
        ({}, ["stall"], {"stall"}),
        ({"stall": ago(seconds=59).timestamp()}, [], {"stall"}),
        ({"stall": ago(seconds=60).timestamp()}, [], set()),
        ({"stall": ago(seconds=99).timestamp()}, ["stall"], {"stall"}),
        ({"stall": ago(seconds=10).timestamp()}, ["memory"], {"stall", "memory"}),
    ],
)
def test_found_recently_lasts_a_minute(before, found, expected):
    assert set(alerts.found_recently(before, found, now=NOON)) == expected


# Opening and closing ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_alert_opens_once_and_is_logged(caplog):
    make_ends(recorded=30, dead=20)
    assert kinds(evaluate(NOON)) == {"error_rate"}
    assert kinds(evaluate(later(seconds=10))) == {"error_rate"}
    alert = HealthAlert.objects.get()
    assert (alert.opened_at, alert.closed_at) == (NOON, None)
    records = [record for record in caplog.records if record.name == "pricing.monitoring.alerts"]
    assert [record.levelno for record in records] == [logging.WARNING]
    assert "20 of the last 50 price jobs failed" in records[0].getMessage()


@pytest.mark.django_db
def test_alert_is_error_if_work_stops(caplog):
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
def test_alert_stays_open_while_flapping():
    ApiGate.objects.create(egress="default", refusals=3, paused_until=later(hours=1).timestamp())
    gate = ApiGate.objects.filter(egress="default")
    for seconds in range(0, 300, 10):
        gate.update(refusals=3 if seconds % 50 == 0 else 0)
        assert kinds(evaluate(later(seconds=seconds))) == {"refusals"}
    assert HealthAlert.objects.count() == 1


@pytest.mark.django_db
def test_alert_opens_anew_after_closing():
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
def test_mail_goes_to_administrators_once(settings, mailoutbox):
    settings.ADMINS = [("Operator", "operator@example.org")]
    make_job("queued", queued_at=ago(minutes=5))
    for seconds in (0, 10, 20):
        evaluate(later(seconds=seconds))
    (mail,) = mailoutbox
    assert mail.to == ["operator@example.org"]
    assert mail.subject == "[Crateworth] Nothing moves"
    assert "restart run_workers" in mail.body


@pytest.mark.django_db
def test_mail_needs_administrators(mailoutbox):
    make_job("queued", queued_at=ago(minutes=5))
    evaluate(NOON)
    assert mailoutbox == []


class MailServerIsAway(EmailBackend):
    def send_messages(self, messages):
        raise smtplib.SMTPServerDisconnected("gone")


@pytest.mark.django_db
def test_mail_failure_stops_nothing(settings, caplog):
    settings.ADMINS = [("Operator", "operator@example.org")]
    settings.EMAIL_BACKEND = f"{__name__}.{MailServerIsAway.__name__}"
    make_job("queued", queued_at=ago(minutes=5))
    assert kinds(evaluate(NOON)) == {"stall"}
    assert "could not be mailed" in caplog.text


# What only pages show -------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("run_state", "missing"),
    [("running", True), ("importing", True), ("paused", False), ("finished", False)],
)
def test_current_finds_missing_workers(run_state, missing):
    make.make_run(make.make_connection(), run_state)
    found = alerts.current(NOON)
    assert (kinds(found) == {"no_workers"}) is missing
    assert HealthAlert.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(("seconds", "missing"), [(5, False), (300, True)])
def test_current_says_when_workers_were_seen(seconds, missing):
    make.make_run(make.make_connection(), "running")
    make.make_heartbeat(role="supervisor", seen_at=ago(seconds=seconds))
    found = alerts.current(NOON)
    assert bool(found) is missing
    if missing:
        assert "seen since 11:55 UTC" in found[0].message
        assert found[0].opened_at == ago(seconds=300)


@pytest.mark.django_db
def test_current_has_open_alerts_only():
    HealthAlert.objects.create(kind="memory", message="…", opened_at=ago(hours=2), closed_at=ago(hours=1))
    HealthAlert.objects.create(kind="outage", message="…", opened_at=ago(minutes=2))
    assert kinds(alerts.current(NOON)) == {"outage"}
