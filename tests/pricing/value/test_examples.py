"""The examples of docs/valuation.md are what the code computes."""

from pathlib import Path

import pytest

from pricing.value.cascade import Basis, CopyFacts, value_of_copy
from pricing.value.freshness import Freshness
from tests.pricing.daily.test_story import STORY

PAGE = Path(__file__).parents[3] / "docs" / "valuation.md"


def table(heading: str) -> list[list[str]]:
    """The rows of the table whose first column has this heading."""
    lines = PAGE.read_text().split(f"| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def minor(text: str) -> int | None:
    return None if text.startswith("–") else round(float(text.split(maxsplit=1)[0].replace("−", "-")) * 100)


@pytest.mark.parametrize("row", table("State"), ids=" ".join)
def test_example_of_the_cascade(row):
    state, own, grade, near_mint, lowest, *shown = row
    copy = CopyFacts(
        state=Freshness(state),
        floor_minor=minor(lowest),
        own_minor=minor(own),
        grade="" if grade == "–" else grade,
        near_mint_minor=minor(near_mint),
    )
    for basis, expected in zip(Basis, shown, strict=True):
        value = value_of_copy(copy, basis)
        assert (value.amount_minor, value.source) == (minor(expected), expected.split()[1])


@pytest.mark.parametrize("row", table("What happens"), ids=lambda row: row[0])
def test_example_of_a_change(row):
    what, before, after, part = row
    told = {name: change for name, _, _, change in STORY}[what]
    parts = {} if part == "–" else {part.split()[0]: minor(part.split()[1])}
    assert told == {"from": minor(before), "to": minor(after), **parts}
