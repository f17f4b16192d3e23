"""Alert rules: what is found by given metrics, and what the message says."""

import pytest

from pricing.models import HealthAlert
from pricing.monitoring.alert_rules import RULES, HeavyWorker, Metrics, Severity, decide
from pricing.monitoring.alerts import is_error, title_of
from tests.pricing.monitoring.noon import NOON, ago

HEAVY = (HeavyWorker("host:7", 400_000_000, 307_200_000),)


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        (Metrics(), set()),
        (Metrics(finished=50, failed=10), set()),
        (Metrics(finished=50, failed=11), {"error_rate"}),
        (Metrics(finished=9, failed=9), set()),
        (Metrics(finished=10, failed=3), {"error_rate"}),
        (Metrics(idle_since=ago(seconds=59)), set()),
        (Metrics(idle_since=ago(seconds=60)), {"stall"}),
        (Metrics(breaker_open_since=ago(minutes=4, seconds=59)), set()),
        (Metrics(breaker_open_since=ago(minutes=5)), {"outage"}),
        (Metrics(refusals=2), set()),
        (Metrics(refusals=3), {"refusals"}),
        (Metrics(heavy=HEAVY), {"memory"}),
        (Metrics(refusals=4, heavy=HEAVY), {"refusals", "memory"}),
    ],
)
def test_decide_finds_what_is_beyond_a_limit(metrics, expected):
    assert {finding.kind for finding in decide(metrics, now=NOON)} == expected


@pytest.mark.parametrize(
    ("metrics", "happened", "kept", "to_do"),
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
def test_message_says_what_happened_and_to_do(metrics, happened, kept, to_do):
    (finding,) = decide(metrics, now=NOON)
    assert happened in finding.message
    assert kept in finding.message
    assert to_do in finding.message


def test_decide_reports_nothing_with_the_schema():
    metrics = Metrics(mismatch="Run migrate.", finished=50, failed=20, refusals=4)
    (finding,) = decide(metrics, now=NOON)
    assert (finding.kind, finding.message) == ("schema", "Run migrate.")


def test_rules_are_one_for_each_kind():
    kinds = [rule.kind for rule in RULES]
    assert len(set(kinds)) == len(kinds)
    assert all(rule.title for rule in RULES)


def test_alert_has_title_and_severity_of_rule():
    for rule in RULES:
        alert = HealthAlert(kind=rule.kind)
        assert (title_of(alert), is_error(alert)) == (rule.title, rule.severity == Severity.ERROR)


def test_alert_of_unknown_kind_is_shown():
    alert = HealthAlert(kind="of_a_later_version")
    assert (title_of(alert), is_error(alert)) == ("of_a_later_version", False)
