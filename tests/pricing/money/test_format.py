"""The text of amounts, numbers and dates in each locale."""

import re
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.currencies import CODES, digits_of
from pricing.money import format as written
from pricing.money.locales import DEFAULT, TAGS, best_of, english_name, locale_of, own_name

N, NARROW = "\u00a0", "\u202f"  # spaces that never break


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en", "$12,345.50"),
        ("en-GB", "US$12,345.50"),
        ("de", f"12.345,50{N}$"),
        ("de-CH", f"${N}12’345.50".replace("’", "'")),
        ("fr", f"12{NARROW}345,50{N}$US"),
        ("nl", f"US${N}12.345,50"),
        ("sv", f"12{N}345,50{N}US$"),
        ("pt-BR", f"US${N}12.345,50"),
        ("es-MX", "USD 12,345.50"),
        ("ja", "$12,345.50"),
    ],
)
def test_amount_is_as_the_locale_writes_it(locale, text):
    assert written.amount(1234550, "USD", locale) == text


@pytest.mark.parametrize(
    ("locale", "currency", "text"),
    [
        ("ja", "JPY", "￥1,500"),
        ("de", "JPY", f"1.500{N}¥"),
        ("en", "JPY", "¥1,500"),
        ("en", "CHF", "CHF 15.00"),
        ("ja", "SEK", "SEK 15.00"),
        ("de", "", "15,00"),
        ("en", "DKK", "DKK 15.00"),
        ("en", "KRW", "₩15.00"),  # 0 decimals for Babel, 2 where it was stored
    ],
)
def test_amount_has_the_digits_of_currencies(locale, currency, text):
    assert written.amount(1500, currency, locale) == text


def test_amount_can_have_three_digits(monkeypatch):
    monkeypatch.setattr(written, "digits_of", lambda code: 3)
    assert written.amount(1234567, "KWD", "de") == f"1.234,567{N}KWD"
    assert written.split_amount(1234567, "KWD", "en") == ("KWD 1,234", ".567")
    written.amount.cache_clear()


@pytest.mark.parametrize(
    ("locale", "down", "up"),
    [
        ("en", "−$412.30", "+$412.30"),
        ("de", f"−412,30{N}$", f"+412,30{N}$"),
        ("nl", f"US${N}−412,30", f"US${N}+412,30"),
        ("sv", f"−412,30{N}US$", f"+412,30{N}US$"),
    ],
)
def test_difference_has_its_sign_in_place(locale, down, up):
    assert written.difference(-41230, "USD", locale) == down
    assert written.difference(41230, "USD", locale) == up
    assert written.difference(0, "USD", "en") == "$0.00"


@pytest.mark.parametrize("locale", TAGS)
@pytest.mark.parametrize("currency", CODES)
def test_amount_is_exact_in_every_locale(locale, currency):
    for minor in (0, 5, -5, 99, 1234550, -(10**15) - 1, 2**62):
        text = written.amount(minor, currency, locale)
        assert int(re.sub(r"\D", "", text)) == abs(minor)
        assert ("−" in text) == (minor < 0)
        assert "-" not in text
        major, rest = written.split_amount(minor, currency, locale)
        assert major + rest == text
        assert len(re.sub(r"\D", "", rest)) == digits_of(currency)


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "text"),
    [
        (1049, "EUR", "en", "€10"),
        (1050, "EUR", "de", f"11{N}€"),
        (123456789, "USD", "fr", f"1{NARROW}234{NARROW}568{N}$US"),
        (1049, "JPY", "ja", "￥1,049"),
    ],
)
def test_whole_amount_is_rounded(minor, currency, locale, text):
    assert written.whole_amount(minor, currency, locale) == text


@pytest.mark.parametrize(
    ("locale", "parts"),
    [("de", ("12.345", f",50{N}$")), ("nl", (f"US${N}12.345", ",50")), ("en", ("$12,345", ".50"))],
)
def test_split_amount_is_at_the_decimal_mark(locale, parts):
    assert written.split_amount(1234550, "USD", locale) == parts


@pytest.mark.parametrize(
    ("value", "decimals", "locale", "text"),
    [
        (12345, 0, "en", "12,345"),
        (12345, 0, "de", "12.345"),
        (12345, 0, "fi", f"12{N}345"),
        (3.27, 1, "de", "3,3"),
        (10**20 + 1, 0, "en", "100,000,000,000,000,000,001"),
    ],
)
def test_number_is_as_the_locale_writes_it(value, decimals, locale, text):
    assert written.number(value, locale, decimals=decimals) == text


def test_percent_has_a_space_in_every_locale():
    assert written.percent(3.27, decimals=1) == "3.3 %"
    assert written.percent(3.27, "de", decimals=1) == "3,3 %"
    assert written.percent(1200, "tr") == "1.200 %"


@pytest.mark.parametrize(
    ("locale", "texts"),
    [
        ("en", ("2 Sep 2026", "2 September 2026", "2 Sep", "Sep 2026")),
        ("en-GB", ("2 Sept 2026", "2 Sept 2026", "02/09", "09/2026")),
        ("de", ("02.09.2026", "02.09.2026", "2.9.", "9/2026")),
        ("ja", ("2026/09/02", "2026/09/02", "9/2", "2026/9")),
    ],
)
def test_day_has_its_forms_in_each_locale(locale, texts):
    found = tuple(written.day(date(2026, 9, 2), locale, form) for form in written.DATE_FORMS)
    assert found == texts
    assert written.day(datetime(2026, 9, 2, 23, 59), locale) == texts[0]  # noqa: DTZ001


@pytest.mark.parametrize("form", ["medium", "short"])
@pytest.mark.parametrize("tag", TAGS)
def test_day_pattern_has_parts_that_scripts_know(tag, form):
    """static/js/words.js writes days by these patterns, and months by these names."""
    moment = date(2026, 9, 2)
    names = written.month_names(tag)
    assert len(names) == 12
    parts = {"d": "2", "dd": "02", "M": "9", "MM": "09", "MMM": names[8], "y": "2026"}

    def part(found: re.Match[str]) -> str:
        return found[1] if found[1] is not None else parts[found[0]]

    text = re.sub(r"'([^']*)'|d+|M+|y|[A-Za-z]+", part, written.day_pattern(tag, form))
    assert text == written.day(moment, tag, form)


@pytest.mark.parametrize("tag", TAGS)
def test_every_locale_is_known_and_named(tag):
    assert locale_of(tag).text_direction == "ltr"
    assert locale_of(tag).default_numbering_system == "latn"
    assert own_name(tag)[0].isupper() or not own_name(tag)[0].isascii()
    assert english_name(tag)
    assert best_of([tag]) == best_of([tag.upper()]) == tag


@pytest.mark.parametrize(
    ("preferred", "tag"),
    [
        (["de-lu", "en"], "de"),
        (["en-us", "de"], "en"),
        (["pt"], "pt-PT"),
        (["xx", "fr-be"], "fr"),
        (["zh-hans-cn"], DEFAULT),
        (["", "\x00", "-", "*", "de" * 300], DEFAULT),
        ([], DEFAULT),
    ],
)
def test_best_of_falls_back_to_english(preferred, tag):
    assert best_of(preferred) == tag


@pytest.mark.parametrize(
    ("minor", "figures", "expected"),
    [
        (0, 1, 0),
        (0.6, 1, 1),
        (9.4, 1, 9),
        (9.5, 1, 10),
        (31_450, 1, 30_000),
        (35_000, 1, 40_000),
        (99_999, 1, 100_000),
        (1_000, 1, 1_000),
        (31_450, 2, 31_000),
        (31_500, 2, 32_000),
        (7, 2, 7),
    ],
)
def test_significant_keeps_the_first_figures(minor, figures, expected):
    assert written.significant(minor, figures) == expected


@given(st.floats(1, 1e15))
def test_significant_is_within_half_a_figure(minor):
    rounded = written.significant(minor)
    assert len(str(rounded).rstrip("0")) == 1
    assert abs(rounded - minor) <= minor / 2 + 1


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "text"),
    [
        (31_450, "USD", "en", "$300"),
        (55, "USD", "en", "$0.60"),
        (260, "USD", "en", "$3"),
        (38_640, "JPY", "en", "¥40,000"),
        (31_450, "EUR", "de", "300 €"),
    ],
)
def test_about_has_one_significant_figure(minor, currency, locale, text):
    assert written.about(minor, currency, locale).replace("\xa0", " ") == text
