"""Files that are no export, or no longer one: refused with the line and the reason, and nothing is stored."""

import io
import json
import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from collections_app.models import (
    CollectionInstance,
    DiscogsConnection,
    GradeEdit,
    OwnValue,
    Preferences,
    PriceDecision,
)
from pricing import export
from pricing.export.kinds import DATETIME
from pricing.export.read import MAX_LINE
from pricing.export.store import BATCH
from pricing.models import Doubt, NearMintPrice, PriceSnapshot, ReleasePrice
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


@pytest.mark.parametrize(
    ("section", "model"), [("decisions", PriceDecision), ("own_values", OwnValue), ("grade_edits", GradeEdit)]
)
def test_older_file_may_lack_a_new_section(lines, arriving, section, model):
    first = line_of(lines, section, row=0)
    older = [*lines[:first], *lines[lines.index("],", first) + 1 :]]
    assert len(older) == len(lines) - 2 - len(rows_of(lines, section))
    restore(older, arriving)
    assert not model.objects.exists()
    if model is PriceDecision:
        assert set(CollectionInstance.objects.values_list("price_decision", flat=True)) == {""}


def test_restored_logs_reach_the_copies(lines, arriving):
    restore(lines, arriving)
    copy, own, edit = CollectionInstance.objects.get(instance_id=12), OwnValue.objects, GradeEdit.objects
    assert (own.count(), edit.count()) == (2, 2)
    assert (copy.own_minor, copy.own_set_at) == (950, own.latest("set_at").set_at)
    assert copy.grade_edited_at == edit.latest("edited_at").edited_at
    assert CollectionInstance.objects.get(instance_id=11).own_minor is None


def test_log_in_more_than_one_batch_leaves_its_newest_entry(lines, arriving):
    first = line_of(lines, "own_values")
    row = json.loads(lines[first].removesuffix(","))
    day = timezone.now() - timedelta(days=300)
    entries = [
        json.dumps({**row, "set_at": DATETIME.write(day + timedelta(minutes=number)), "usd_minor": number})
        for number in range(BATCH + 2)
    ]
    longer = [*lines[:first], *(f"{entry}," for entry in entries[:-1]), entries[-1]]
    restore([*longer, *lines[lines.index("],", first) :]], arriving)
    assert CollectionInstance.objects.get(instance_id=12).own_minor == BATCH + 1


def older_file(lines, *suggestions):
    """The lines as an earlier version wrote them, with suggestions by grade."""
    kept = [re.sub(r', "near_mint_\w+": ("[^"]+"|\w+)', "", line) for line in lines]
    first = line_of(kept, "near_mint", row=0)
    return [*kept[:first], '"suggestions": [', *suggestions, *kept[kept.index("],", first) :]]


ROW = '{"release": 12, "grade": "Mint (M)", "currency": "USD", "amount_minor": 1, "observed_at": "2026"}'


@pytest.mark.parametrize("rows", [(), (ROW,), (ROW + ",", ROW)], ids=len)
def test_older_file_may_have_suggestions_by_grade(lines, arriving, rows):
    older = older_file(lines, *rows)
    assert "near_mint" not in "".join(older)
    restore(older, arriving)
    assert set(ReleasePrice.objects.values_list("near_mint_minor", "near_mint_at", "near_mint_since")) == {
        (None, None, None)
    }
    assert not NearMintPrice.objects.exists()


def test_damaged_suggestion_of_an_older_file_is_refused(lines, arriving):
    assert "not a line of an export" in refusal(older_file(lines, ROW[:-9]), arriving)


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
        ("own_values", {"amount_minor": -1}, "“amount_minor” must be"),
        ("own_values", {"amount_minor": None}, "belong together"),
        ("own_values", {"currency": ""}, "belong together"),
        ("own_values", {"usd_minor": None, "amount_minor": None}, "belong together"),
        ("own_values", {"instance": 9}, "copy 9 is not in the file"),
        ("grade_edits", {"instance": 9}, "copy 9 is not in the file"),
        ("grade_edits", {"before": None}, "“before” must be text"),
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
        ("prices", {"near_mint_at": None}, "a suggestion must have both of its times"),
        ("prices", {"near_mint_at": None, "near_mint_since": None}, "a suggestion must have both"),
        ("prices", {"near_mint_minor": 2**31}, "“near_mint_minor” must be"),
        ("near_mint", {"amount_minor": -1}, "“amount_minor” must be"),
        ("near_mint", {"release": 99}, "release 99 is not in the file"),
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


AHEAD = {"decisions": ["decided_at"], "own_values": ["set_at"], "grade_edits": ["edited_at"]} | {
    "snapshots": ["day", "observed_at"],
    "prices": ["observed_at", "status_since", "near_mint_at", "near_mint_since"],
}
AHEAD |= {"near_mint": ["day"], "stats": ["observed_at"], "ranges": ["day"], "values": ["day"]}


@pytest.mark.parametrize(
    ("section", "name"), [(section, name) for section, names in AHEAD.items() for name in names]
)
def test_future_beyond_clock_skew_is_refused(lines, arriving, section, name):
    """It would count as a price of today, and stay the newest for ever."""
    now = timezone.now()
    for hours, is_taken in ((23, True), (49, False)):
        ahead = now + timedelta(hours=hours)
        is_day = name in ("day", "near_mint_since")
        value = ahead.date().isoformat() if is_day else DATETIME.write(ahead)
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
