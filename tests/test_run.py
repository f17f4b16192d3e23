"""Which tests each suite of `python -m tests.run` runs."""

import importlib
import re
import subprocess
from pathlib import Path

import pytest

from tests.run import ALL, BROWSER_SUITE, FEW_BROWSER, marks_of, suites

BROWSER = Path(__file__).parent / "browser"
BOTH = {"SQLite": {}, "PostgreSQL": {}}
JOURNEYS = {"test_accounts", "test_first_sync"}


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize(
    ("words", "on_browser_suite", "on_other"),
    [
        ([], ALL, FEW_BROWSER),
        (["tests"], ALL, FEW_BROWSER),
        (["tests/", "-x"], ALL, FEW_BROWSER),
        (["tests/browser"], ALL, ALL),
        (["tests/browser/test_back.py::test_one"], ALL, ALL),
        (["-m", "fault", "tests/faults"], "", ""),
    ],
)
def test_marks_divide_only_the_whole_suite(name, words, on_browser_suite, on_other):
    assert marks_of(name, words, BOTH) == (on_browser_suite if name == BROWSER_SUITE else on_other)


@pytest.mark.parametrize("name", BOTH)
def test_marks_select_all_on_an_only_database(name):
    assert marks_of(name, ["tests"], [name]) == ALL


def test_suites_select_by_mark(tmp_path):
    marks = ["", "browser", "browser journey", "long", "browser long"]
    tests = [
        "".join(f"@pytest.mark.{mark}\n" for mark in each.split()) + f"def test_{number}(): pass\n"
        for number, each in enumerate(marks)
    ]
    (tmp_path / "test_marks.py").write_text("import pytest\n" + "".join(tests))
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  browser\n  journey\n  long\n")
    selected = {}
    for suite in suites(["tests"], tmp_path, BOTH):
        command = [str(tmp_path) if word == "tests" else word for word in suite.command]
        own = ["-c", str(tmp_path / "pytest.ini"), "-p", "no:django", f"--output={tmp_path}/results"]
        listed = subprocess.run(
            [*command, *own, "--collect-only", "-q"], capture_output=True, text=True, check=True
        )
        selected[suite.name] = [marks[int(number)] for number in re.findall(r"::test_(\d)", listed.stdout)]
    assert selected.pop(BROWSER_SUITE) == ["", "browser", "browser journey"]
    assert list(selected.values()) == [["", "browser journey"]]


def test_suite_without_browser_tests_says_so(tmp_path):
    (other,) = (suite for suite in suites(["tests"], tmp_path, BOTH) if suite.name != BROWSER_SUITE)
    assert other.title == "PostgreSQL (of the browser tests only the journeys: the others run on SQLite)"
    assert {suite.title for suite in suites(["tests/browser"], tmp_path, BOTH)} == set(BOTH)


def test_browser_tests_are_marked():
    """One without the mark would run in both suites."""
    marks = {}
    for file in BROWSER.glob("test_*.py"):
        module = importlib.import_module(f"tests.browser.{file.stem}")
        marks[file.stem] = {mark.name for mark in module.pytestmark}
    assert [name for name, found in marks.items() if "browser" not in found] == []
    assert {name for name, found in marks.items() if "journey" in found} == JOURNEYS
