"""The controls of a list."""

from django.http import QueryDict

from pricing.pages.queries import ListQuery
from pricing.pages.tables.collection import DEFAULT_SORT, SORTS
from pricing.templatetags.listing import SORT_WORDS, sort_select


def test_sort_words_name_every_sort_in_both_directions():
    assert set(SORT_WORDS) == {direction + sort for sort in SORTS for direction in ("", "-")}
    assert len(set(SORT_WORDS.values())) == len(SORT_WORDS)


def test_sort_select_keeps_the_default_out_of_addresses():
    chosen = sort_select(ListQuery.of(QueryDict("")))
    assert chosen["current"] == ""
    assert chosen["options"][0] == ("", SORT_WORDS[DEFAULT_SORT])
    for sort in SORTS:
        if sort != DEFAULT_SORT:
            assert sort_select(ListQuery.of(QueryDict(f"sort={sort}")))["current"] == sort
