"""Files that are no export, or no longer one: refused with the line and the reason, and nothing is stored."""

import io
import json
import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from collections_app.models import CollectionInstance, DiscogsConnection, Preferences, PriceDecision
from pricing import export
from pricing.export.kinds import DATETIME
from pricing.export.read import MAX_LINE
from pricing.models import Doubt, PriceSnapshot
from tests.pricing.export.document import STORED, lines_of_an_export

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines():
    return lines_of_an_export()


@pytest.fixture
def arriving(db):
    return get_user_model().objects.create_user("arriving")


def restore(lines, user, **options):
    text = lines if isinstance(lines, bytes) else "\n".join(lines).encode()
    return export.restore(io.BytesIO(text), user, **{"now": timezone.now(), **options})


def line_of(lines, section, row=1):
    return next(number for number, line in enumerate(lines) if line.startswith(f'"{section}"')) + row


def rows_of(lines, section):
    first = line_of(lines, section)
    return lines[first : lines.index("],", first)]


def changed(lines, section, row=1, **values):
    """The lines with other values in one row; None of the Ellipsis kind takes a value away."""
    at = line_of(lines, section, row)
    tail = "," if lines[at].endswith(",") else ""
    facts = json.loads(lines[at].removesuffix(",")) | values
    facts = {name: value for name, value in facts.items() if value is not ...}
    return [*lines[:at], json.dumps(facts) + tail, *lines[at + 1 :]]


def refusal(lines, user):
    with pytest.raises(export.Refused) as refused:
        restore(lines, user)
    assert not any(model.objects.exists() for model in STORED)
    return str(refused.value)


def test_unchanged_file_is_accepted(lines, arriving):
    assert restore(lines, arriving).rows["instances"] == 2
    assert CollectionInstance.objects.of(arriving.pk).count() == 2


def test_older_file_gets_the_default_of_a_column(lines, arriving):
    older = [re.sub(r', "(locale|doubt)": ("\w+"|0)|"locale": "\w+", ', "", line) for line in lines]
    assert older != lines
    restore(older, arriving)
    assert Preferences.objects.get(user=arriving).locale == "en"
    assert set(PriceSnapshot.objects.values_list("doubt", flat=True)) == {Doubt.NONE}


def test_older_file_may_lack_a_new_section(lines, arriving):
    first = line_of(lines, "decisions", row=0)
    older = [*lines[:first], *lines[lines.index("],", first) + 1 :]]
    assert len(older) == len(lines) - 3
    restore(older, arriving)
    assert not PriceDecision.objects.exists()
    assert set(CollectionInstance.objects.values_list("price_decision", flat=True)) == {""}


def test_restored_decision_reaches_the_copies(lines, arriving):
    restore(lines, arriving)
    decided = CollectionInstance.objects.values_list("release_id", "price_decision")
    assert dict(decided) == {11: "", 12: "never"}


@pytest.mark.parametrize(
    ("section", "values", "reason"),
    [
        ("instances", {"rating": 6}, "“rating” must be a whole number from 0 to 5"),
        ("instances", {"rating": True}, "“rating” must be"),
        ("instances", {"rating": 1.0}, "“rating” must be"),
        ("instances", {"instance_id": -1}, "“instance_id” must be"),
        ("instances", {"instance_id": 10**30}, "not a line of an export"),
        ("instances", {"instance_id": 2**63}, "“instance_id” must be"),
        ("instances", {"release": 99}, "release 99 is not in the file"),
        ("instances", {"folder": 2**40}, "folder 1099511627776 is not in the file"),
        ("instances", {"paid_minor": -5}, "“paid_minor” must be"),
        ("instances", {"paid_currency": "DEM"}, "“paid_currency” must be one of"),
        ("instances", {"paid_minor": None}, "a currency without an amount paid"),
        ("instances", {"added_at": "2026-01-01T00:00:00"}, "“added_at” must be a date and time"),
        ("instances", {"added_at": "2026-01-01T00:00:00.000000+02:00"}, "“added_at” must be a date and time"),
        ("instances", {"added_at": "0001-01-01T00:00:00.000000Z"}, "“added_at” must be a date and time"),
        ("instances", {"added_at": 5}, "“added_at” must be a date and time"),
        ("instances", {"notes": None}, "“notes” must be text"),
        ("instances", {"notes": "a\x00b"}, "“notes” must be text"),
        ("instances", {"notes": "\ud800"}, "“notes” must be text"),
        ("instances", {"custom_fields": {"a": 1}}, "“custom_fields” must be texts by name"),
        ("instances", {"custom_fields": [1]}, "“custom_fields” must be texts by name"),
        ("instances", {"surprise": 1}, "“surprise” is unknown"),
        ("instances", {"notes": ...}, "“notes” is missing"),
        ("releases", {"genres": "Jazz"}, "“genres” must be a list of texts"),
        ("releases", {"year": 10**6}, "“year” must be"),
        ("decisions", {"decision": "perhaps"}, "“decision” must be one of"),
        ("decisions", {"release": 99}, "release 99 is not in the file"),
        ("snapshots", {"doubt": 9}, "“doubt” must be one of"),
        ("snapshots", {"amount_minor": -1}, "“amount_minor” must be"),
        ("snapshots", {"amount_minor": 12.5}, "“amount_minor” must be"),
        ("snapshots", {"amount_minor": None}, "exactly when the status is “priced”"),
        ("snapshots", {"status": "gone"}, "exactly when the status is “priced”"),
        ("snapshots", {"status": "cheap"}, "“status” must be one of “priced”"),
        ("snapshots", {"currency": ""}, "an amount must have a currency"),
        ("snapshots", {"currency": "EUR"}, "“currency” must be one of"),
        ("snapshots", {"day": "2026-02-30"}, "“day” must be a date"),
        ("snapshots", {"day": "20260202"}, "“day” must be a date"),
        ("snapshots", {"num_for_sale": 2**31}, "“num_for_sale” must be"),
        ("snapshots", {"rating_average": 7}, "“rating_average” must be a number from 0 to 5"),
        ("prices", {"rating_average": "0"}, "“rating_average” must be a number"),
        ("suggestions", {"grade": "x" * 41}, "“grade” must be text of at most 40"),
        ("ranges", {"median_minor": 4}, "minimum, median and maximum are not in order"),
        ("ranges", {"currency": "DEM"}, "“currency” must be one of"),
        ("values", {"value_minor": "2000"}, "“value_minor” must be"),
    ],
    ids=str,
)
def test_invalid_row_is_refused_with_its_line(lines, arriving, section, values, reason):
    told = refusal(changed(lines, section, **values), arriving)
    assert told.startswith(f"Line {line_of(lines, section) + 1}: ")
    assert reason in told


AHEAD = {"decisions": ["decided_at"]} | {
    "snapshots": ["day", "observed_at"],
    "prices": ["observed_at", "status_since"],
}
AHEAD |= {"suggestions": ["observed_at"], "stats": ["observed_at"], "ranges": ["day"], "values": ["day"]}


@pytest.mark.parametrize(
    ("section", "name"), [(section, name) for section, names in AHEAD.items() for name in names]
)
def test_future_beyond_clock_skew_is_refused(lines, arriving, section, name):
    """It would count as a price of today, and stay the newest for ever."""
    now = timezone.now()
    for hours, is_taken in ((23, True), (49, False)):
        ahead = now + timedelta(hours=hours)
        value = ahead.date().isoformat() if name == "day" else DATETIME.write(ahead)
        later = changed(lines, section, row=len(rows_of(lines, section)), **{name: value})
        if is_taken:
            restore(later, arriving, now=now, dry_run=True)
            continue
        told = refusal(later, arriving)
        assert f"“{name}” is in the future" in told
        assert told.startswith("Line ")


def test_file_from_the_future_is_refused(lines, arriving):
    with pytest.raises(export.Refused, match="Line 1: “exported_at” is in the future"):
        restore(lines, arriving, now=timezone.now() - timedelta(days=2))


@pytest.mark.parametrize(
    ("section", "change", "reason"),
    [
        ("preferences", ('"UTC"', '"Mars/Olympus"'), "“time_zone” must be"),
        ("preferences", ('"en"', '"tlh"'), "“locale” must be one of"),
        ("preferences", ("24", "5"), "“sync_every_hours” must be one of"),
        ("preferences", ("24", "24.0"), "“sync_every_hours” must be one of"),
        ("connection", ('"token"', '"magic"'), "“kind” must be one of"),
        ("connection", ('"state"', '"credential"'), "“credential” is unknown"),
        ("connection", ('"state"', '"kind"'), "not a line of an export"),  # twice
        ("account", ("collector", "x" * 151), "“username” must be"),
        ("account", ("{", "[{"), "not a line of an export"),
        ("folders", ('"folders": [', '"folders": {'), "the list of “folders” should begin here"),
        ("complete", ("true", "false"), "should be here"),
    ],
    ids=str,
)
def test_changed_line_is_refused(lines, arriving, section, change, reason):
    at = line_of(lines, section, 0)
    assert change[0] in lines[at]
    told = refusal([*lines[:at], lines[at].replace(*change), *lines[at + 1 :]], arriving)
    assert told.startswith(f"Line {at + 1}: ")
    assert reason in told


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("", "not a file of the format"),
        ("{}", "not a file of the format"),
        ("GIF89a", "not a file of the format"),
        ('{"format": "crateworth-export"', "the version must be 1"),
        ('{"format": "other", "version": 1, "exported_at": "x",', "not a file of the format"),
        ('{"format": "crateworth-export", "version": 2, "exported_at": "x",', "the version must be 1"),
        ('{"format": "crateworth-export", "version": true, "exported_at": "x",', "the version must be 1"),
        ('{"format": "crateworth-export", "version": 1, "exported_at": "x",', "“exported_at” must be"),
        ('{"format": "crateworth-export", "version": 1,', "the first line must hold"),
        ('{"format": "crateworth-export", "version": 1, "exported_at": "x", "more": 1,', "must hold"),
        ('{"format": NaN,', "not a line of an export"),
    ],
)
def test_wrong_first_line_is_refused(lines, arriving, head, reason):
    told = refusal([head, *lines[1:]], arriving)
    assert told.startswith("Line 1: ")
    assert reason in told


def test_truncated_file_is_refused(lines, arriving):
    text = "\n".join(lines).encode()
    for end in range(0, len(text) - 1, 499):
        assert "Line " in refusal(text[:end], arriving)
    for end in range(len(lines)):
        assert refusal(lines[:end], arriving).startswith(f"Line {end + 1}: ")


def test_data_after_the_end_is_refused(lines, arriving):
    assert "something follows" in refusal([*lines, "", "{}"], arriving)


def test_duplicate_or_unordered_row_is_refused(lines, arriving):
    at = line_of(lines, "snapshots")
    for section in ("folders", "instances", "snapshots", "prices"):
        at = line_of(lines, section)
        doubled = [*lines[:at], lines[at].removesuffix(",") + ",", *lines[at:]]
        told = refusal(doubled, arriving)
        assert told.startswith(f"Line {at + 2}: rows of “{section}” must be in order of ")


def test_commas_must_follow_json(lines, arriving):
    at = line_of(lines, "instances")
    without = [*lines[:at], lines[at].removesuffix(","), *lines[at + 1 :]]
    assert "should end here" in refusal(without, arriving)
    last = line_of(lines, "instances", 2)
    more = [*lines[:last], lines[last] + ",", *lines[last + 1 :]]
    assert "should follow the comma" in refusal(more, arriving)


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"a":' * 100_000])
def test_deep_nesting_is_refused(lines, arriving, deep):
    at = line_of(lines, "instances")
    assert "not a line of an export" in refusal([*lines[:at], deep, *lines[at:]], arriving)


def test_invalid_text_is_refused(lines, arriving):
    at = line_of(lines, "instances")
    text = "\n".join([*lines[:at], "\udcff", *lines[at:]]).encode("utf-8", "surrogateescape")
    assert refusal(text, arriving) == f"Line {at + 1}: it is not UTF-8."


def test_endless_line_is_refused_unread(lines, arriving):
    class Endless(io.RawIOBase):
        given = 0

        def readable(self):
            return True

        def readinto(self, buffer):
            buffer[:] = b"x" * len(buffer)
            self.given += len(buffer)
            return len(buffer)

    endless = Endless()
    with pytest.raises(export.Refused, match="Line 1: it is longer than"):
        export.restore(io.BufferedReader(endless), arriving, now=timezone.now())
    assert endless.given < 2 * MAX_LINE


def test_file_without_a_connection_is_refused(lines, arriving):
    at = line_of(lines, "connection", 0)
    assert "no connection that this row could belong to" in refusal(
        [*lines[:at], '"connection": null,', *lines[at + 1 :]], arriving
    )
    get_user_model().objects.create_user("empty")
    empty = "".join(export.document(get_user_model().objects.get(username="empty").pk, now=timezone.now()))
    assert "holds no collection" in refusal(empty.splitlines(), arriving)


def test_restore_needs_an_empty_user(lines, arriving):
    restore(lines, arriving)
    with pytest.raises(export.Refused, match="arriving is connected as collector_at_discogs already"):
        restore(lines, arriving)
    DiscogsConnection.objects.all().delete()
    with pytest.raises(export.Refused, match="has values of past days"):
        restore(lines, arriving)
