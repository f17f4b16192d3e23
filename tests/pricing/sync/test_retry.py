import pytest

from collections_app.discogs import errors
from collections_app.discogs.errors import Retry
from pricing.sync.retry import Action, RetryDecision, decide

AGAIN, GIVE_UP = Action.AGAIN, Action.GIVE_UP
RETRIES = {str(error.kind): error.retry for error in errors.DiscogsError.__subclasses__()}


@pytest.mark.parametrize(
    ("kind", "attempts", "jitter", "decision"),
    [
        ("server", 1, 0.5, RetryDecision(AGAIN, seconds=2.0)),
        ("server", 2, 1.0, RetryDecision(AGAIN, seconds=8.0)),
        ("server", 2, 0.0, RetryDecision(AGAIN, seconds=0.0)),
        ("data", 2, 0.25, RetryDecision(AGAIN, seconds=2.0)),
        ("network", 1, 0.0, RetryDecision(AGAIN, seconds=5.0)),
        ("network", 2, 0.5, RetryDecision(AGAIN, seconds=12.5)),
        ("server", 3, 0.5, RetryDecision(GIVE_UP)),
        ("network", 3, 0.5, RetryDecision(GIVE_UP)),
        ("credentials", 1, 0.5, RetryDecision(GIVE_UP)),
        ("private", 1, 0.5, RetryDecision(GIVE_UP)),
        ("request", 1, 0.5, RetryDecision(GIVE_UP)),
        ("gone", 1, 0.5, RetryDecision(GIVE_UP)),
        ("consumer", 1, 0.5, RetryDecision(AGAIN, seconds=2.0)),
        ("consumer", 3, 0.5, RetryDecision(GIVE_UP)),
        ("rate_limit", 9, 0.5, RetryDecision(AGAIN, seconds=0.5, counts=False)),
        ("waiting", 9, 0.5, RetryDecision(AGAIN, seconds=0.5, counts=False)),
    ],
)
def test_decision_after_a_failed_attempt(kind, attempts, jitter, decision):
    assert decide(RETRIES[kind], attempts, max_attempts=3, jitter=jitter) == decision


def test_outage_never_uses_up_a_job():
    assert decide(Retry.EXPONENTIAL, 3, max_attempts=3, jitter=0.5, outage=True).action == AGAIN
    assert not decide(Retry.EXPONENTIAL, 3, max_attempts=3, jitter=0.5, outage=True).counts


def test_waits_are_capped_at_five_minutes():
    assert decide(Retry.EXPONENTIAL, 20, max_attempts=50, jitter=1.0).seconds == 300


def test_short_minute_shortens_every_wait():
    assert decide(Retry.EXPONENTIAL, 1, max_attempts=3, jitter=0.5, minute=0.1).seconds == pytest.approx(0.2)
