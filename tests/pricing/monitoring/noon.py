"""The moment at which the tests of monitoring measure, and jobs around it."""

from datetime import UTC, datetime, timedelta

from pricing.models import PriceJob
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
    """Jobs that ended half a minute before that."""
    for state, number in (("recorded", recorded), ("dead", dead)):
        for _ in range(number):
            make_job(state, finished_at=at - timedelta(seconds=30))
