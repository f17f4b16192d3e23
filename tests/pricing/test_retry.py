import pytest

from pricing.retry import Action, Decision, decide

AGAIN, GIVE_UP = Action.AGAIN, Action.GIVE_UP


@pytest.mark.parametrize(
    ("kind", "attempts", "jitter", "decision"),
    [
        ("server", 1, 0.5, Decision(AGAIN, seconds=2.0)),
        ("server", 2, 1.0, Decision(AGAIN, seconds=8.0)),
        ("server", 2, 0.0, Decision(AGAIN, seconds=0.0)),
        ("data", 2, 0.25, Decision(AGAIN, seconds=2.0)),
        ("network", 1, 0.0, Decision(AGAIN, seconds=5.0)),
        ("network", 2, 0.5, Decision(AGAIN, seconds=12.5)),
        ("server", 3, 0.5, Decision(GIVE_UP)),
        ("network", 3, 0.5, Decision(GIVE_UP)),
        ("credentials", 1, 0.5, Decision(GIVE_UP)),
        ("private", 1, 0.5, Decision(GIVE_UP)),
        ("request", 1, 0.5, Decision(GIVE_UP)),
        ("gone", 1, 0.5, Decision(GIVE_UP)),
        ("consumer", 1, 0.5, Decision(AGAIN, seconds=2.0)),
        ("consumer", 3, 0.5, Decision(GIVE_UP)),
        ("rate_limit", 9, 0.5, Decision(AGAIN, seconds=0.5, counts=False)),
        ("waiting", 9, 0.5, Decision(AGAIN, seconds=0.5, counts=False)),
    ],
)
def test_what_follows_a_failed_attempt(kind, attempts, jitter, decision):
    assert decide(kind, attempts, most_attempts=3, jitter=jitter) == decision


def test_an_outage_never_uses_up_a_job():
    assert decide("server", 3, most_attempts=3, jitter=0.5, outage=True).action == AGAIN
    assert not decide("server", 3, most_attempts=3, jitter=0.5, outage=True).counts


def test_waits_grow_no_longer_than_five_minutes():
    assert decide("server", 20, most_attempts=50, jitter=1.0).seconds == 300


def test_a_short_minute_shortens_every_wait():
    assert decide("server", 1, most_attempts=3, jitter=0.5, minute=0.1).seconds == pytest.approx(0.2)
