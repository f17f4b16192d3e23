"""Bringing an export in: the command, and that memory does not depend on the size of the file."""

import io
import json
import tracemalloc

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.utils import timezone

from collections_app.models import CollectionInstance, Preferences, Release
from pricing import export
from pricing.export.read import read
from pricing.models import PriceSnapshot
from tests import factories as make
from tests.pricing.export.document import STORED, lines_of_an_export

pytestmark = pytest.mark.django_db
NOISE = 200_000  # bytes; the rows of the larger collection would take several times as many


@pytest.fixture
def lines():
    return lines_of_an_export()


@pytest.fixture
def arriving(db):
    return get_user_model().objects.create_user("arriving")


def peak(work):
    """The most bytes that Python held at once for some work."""
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def test_memory_does_not_grow_with_the_collection(arriving, tmp_path):
    small, large = make.make_connection("small"), make.make_connection("large")
    for collection, releases in ((small, 1200), (large, 4800)):
        fill(collection, releases)

    def write(collection):
        with (tmp_path / collection.discogs_username).open("w") as file:
            file.writelines(export.document(collection.user_id, now=timezone.now()))

    def check(collection):
        with (tmp_path / collection.discogs_username).open("rb") as file:
            assert sum(1 for _ in read(file, now=timezone.now())) > 1200

    write(small)  # what is imported and cached once
    for work in (write, check):
        assert peak(lambda: work(large)) < 1.5 * peak(lambda: work(small)) + NOISE, work.__name__  # noqa: B023

    def store(collection):
        with (tmp_path / collection.discogs_username).open("rb") as file:
            export.restore(file, arriving, now=timezone.now(), dry_run=True)

    store(small)
    assert peak(lambda: store(large)) < 1.5 * peak(lambda: store(small)) + NOISE


def fill(collection, releases):
    now, first = timezone.now(), collection.pk * 10_000
    rows = [Release(discogs_id=first + n, title=f"Title {n}") for n in range(releases)]
    Release.objects.bulk_create(rows)
    CollectionInstance.objects.bulk_create(
        CollectionInstance(connection=collection, release=row, instance_id=row.pk, added_at=now)
        for row in rows
    )
    PriceSnapshot.objects.bulk_create(
        PriceSnapshot(
            release=row, day=now.date(), status="priced", currency="USD", amount_minor=5, observed_at=now
        )
        for row in rows
    )


# The command -----------------------------------------------------------------------------------------


@pytest.fixture
def file(lines, tmp_path):
    path = tmp_path / "export.json"
    path.write_text("\n".join(lines))
    return path


def run(*words):
    told = io.StringIO()
    call_command("restore_export", *words, stdout=told)
    return told.getvalue()


def test_dry_run_reports_all_and_stores_nothing(file, arriving):
    told = run(str(file), "--user", "arriving", "--dry-run")
    assert "Would store:" in told
    assert "snapshots 4" in told
    assert "account" not in told
    assert not any(model.objects.exists() for model in STORED)
    assert not Preferences.objects.exists()


def test_command_stores_and_names_the_next_step(file, arriving):
    make.make_release(discogs_id=11)
    told = run(str(file), "--user", "arriving")
    assert "releases 3, 1 of them already here and unchanged" in told
    assert "connects the same Discogs account" in told
    assert CollectionInstance.objects.of(arriving.pk).count() == 2


def test_as_json_it_counts_rows_by_section(file, arriving):
    facts = json.loads(run(str(file), "--user", "arriving", "--json"))
    assert facts["user"] == "arriving"
    assert facts["dry_run"] is False
    assert facts["rows"]["snapshots"] == facts["new"]["snapshots"] == 4


@pytest.mark.parametrize(
    ("words", "status", "hint"),
    [
        (("FILE", "--user", "nobody"), 2, "no user named"),
        (("/nowhere/at/all.json", "--user", "arriving"), 2, "cannot be read: No such file"),
        (("/", "--user", "arriving"), 2, "cannot be read: Is a directory"),
        (("FILE", "--user", "arriving"), 1, "“account” should be here. Nothing was stored."),
    ],
)
@pytest.mark.usefixtures("arriving")
def test_refusal_has_exit_status_and_sentence(file, words, status, hint):
    file.write_text(file.read_text().replace('"account"', '"somebody"'))
    with pytest.raises(CommandError) as error:
        run(*(str(file) if word == "FILE" else word for word in words))
    assert error.value.returncode == status
    assert hint in str(error.value)


def test_former_name_still_restores_and_warns(file, arriving):
    told, warned = io.StringIO(), io.StringIO()
    call_command("import_export", str(file), "--user", "arriving", stdout=told, stderr=warned)
    assert "Stored:" in told.getvalue()
    assert "renamed to restore_export" in warned.getvalue()
    assert CollectionInstance.objects.of(arriving.pk).count() == 2
