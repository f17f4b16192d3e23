"""A collector's year, in a made-up calendar: each change is told by its cause, to the cent."""

import json
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command

from collections_app.models import CollectionInstance
from pricing.daily.between import change_between
from pricing.daily.stored import settle_value, store_value
from pricing.models import CollectionValue
from pricing.value.cascade import Basis
from pricing.value.change import Part
from pricing.value.current import value_for
from pricing.value.freshness import Freshness
from tests import factories as make
from tests.pricing.daily.made import read, set_own

pytestmark = pytest.mark.django_db

START = date(2026, 1, 1)


def noon(day: int) -> datetime:
    return datetime.combine(START + timedelta(days=day), time(12), UTC)


def told(connection, first: int, last: int, *, now: datetime) -> dict[str, int]:
    """The change between the ends of two days, without the parts that are zero."""
    days = (START + timedelta(days=day) for day in (first, last))
    change = change_between(connection.user_id, Basis.FLOOR, *days, now=now)
    parts = {part.value: getattr(change.split, part) for part in Part if getattr(change.split, part)}
    assert sum(parts.values()) == change.after_minor - change.before_minor
    return {"from": change.before_minor, "to": change.after_minor, **parts}


@pytest.fixture
def collector():
    """Buys a record at 400 beside one at 100; it falls to 300; none is for sale any more; it comes back; it is sold."""
    connection = make.make_connection()
    quiet = make.make_copy(connection, added_at=noon(0)).release
    for day in (*range(0, 89, 9), 89):
        read(quiet, at=noon(day), amount=10_000)
    record = make.make_copy(connection, added_at=noon(1))
    read(record.release, at=noon(1), amount=40_000)
    read(record.release, at=noon(5), amount=30_000)
    read(record.release, at=noon(10), amount=None)  # the last listing is gone
    for day in (20, 30, 40):
        read(record.release, at=noon(day), amount=None)
    read(record.release, at=noon(50), amount=35_000)
    CollectionInstance.objects.filter(pk=record.pk).update(removed_at=noon(60))
    return connection


STORY = [
    ("bought at 400", 0, 1, {"from": 10_000, "to": 50_000, "added": 40_000}),
    ("it falls to 300", 1, 5, {"from": 50_000, "to": 40_000, "price": -10_000}),
    ("the last listing goes, and its price is carried", 5, 10, {"from": 40_000, "to": 40_000}),
    ("carried for 30 days", 10, 34, {"from": 40_000, "to": 40_000}),
    ("and then no more", 34, 35, {"from": 40_000, "to": 10_000, "expired": -30_000}),
    ("it comes back at 350", 35, 50, {"from": 10_000, "to": 45_000, "coverage": 35_000}),
    ("sold", 50, 60, {"from": 45_000, "to": 10_000, "removed": -35_000}),
    ("the whole story", 0, 60, {"from": 10_000, "to": 10_000}),
    ("held from the fall to the return", 5, 50, {"from": 40_000, "to": 45_000, "price": 5_000}),
]


@pytest.mark.parametrize(("what", "first", "last", "change"), STORY, ids=[row[0] for row in STORY])
def test_change_is_told_by_its_cause(collector, what, first, last, change):
    assert told(collector, first, last, now=noon(89)) == change


def test_command_tells_the_same(collector):
    out = StringIO()
    with time_machine.travel(noon(89), tick=False):
        call_command(
            *("value_change", "--user", collector.user.username, "--json"),
            *("--from", "2026-02-04", "--to", "2026-02-05"),
            stdout=out,
        )
    found = json.loads(out.getvalue())
    assert found["from"] == 40_000
    assert (found["expired"], found["total"], found["to"]) == (-30_000, -30_000, 10_000)
    assert {part.value for part in Part} < set(found)


def test_failed_fetch_changes_no_total(collector):
    """Nothing is stored by it: the price counts on, and its state says how old it is."""
    later = noon(89) + timedelta(days=20)
    assert told(collector, 89, 109, now=later) == {"from": 10_000, "to": 10_000}
    value = value_for(collector.user_id, now=later)
    assert (value.amount_minor, value.states[Freshness.STALE]) == (10_000, 1)


def test_own_figure_goes_before_the_market(collector):
    copy = CollectionInstance.objects.of(collector.user_id).held().get()
    set_own(copy, 99_900, at=noon(70))
    assert told(collector, 69, 70, now=noon(89)) == {"from": 10_000, "to": 99_900, "own": 89_900}
    set_own(copy, None, at=noon(71))
    assert told(collector, 70, 71, now=noon(89)) == {"from": 99_900, "to": 10_000, "own": -89_900}
    assert told(collector, 69, 71, now=noon(89)) == {"from": 10_000, "to": 10_000}


def test_stored_days_are_right_for_good():
    connection = make.make_connection()
    copies = [make.make_copy(connection, added_at=noon(0)) for _ in range(3)]
    for day in range(4):
        for number, copy in enumerate(copies):
            read(copy.release, at=noon(day), amount=1000 * (number + 1) + day)
        store_value(connection.user_id, now=noon(day))
        settle_value(connection.user_id, now=noon(day))
    out = StringIO()
    with time_machine.travel(noon(4), tick=False):
        call_command("recompute_values", "--check", "--user", connection.user.username, stdout=out)
    assert "as computed again" in out.getvalue()
    last = CollectionValue.objects.filter(basis="floor").latest("day")
    assert (last.value_minor, last.price_minor, last.like_minor) == (6009, 3, 6006)


def test_check_finds_and_fix_mends_a_wrong_day(collector):
    with time_machine.travel(noon(89), tick=False):
        for day in (3, 4):
            make.make_value(collector, 1, day=START + timedelta(days=day), instances=2)
        out = StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("recompute_values", "--check", stdout=out)
        assert ended.value.code == 1
        assert "2026-01-04 floor: stored 1, computed 50000" in out.getvalue()
        call_command("recompute_values", "--fix", stdout=StringIO())
        call_command("recompute_values", "--check", stdout=out)
    assert "every stored value is as computed again" in out.getvalue()
