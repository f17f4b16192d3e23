"""The locales that a user can choose from: they shape numbers, amounts and dates, never the language. Pure."""

from collections.abc import Iterable
from functools import cache

from babel import Locale, negotiate_locale

DEFAULT = "en"
# BCP 47 tags, as in the header Accept-Language and in a browser's Intl. All are written from left to right.
TAGS = (
    "en", "en-AU", "en-CA", "en-GB", "de", "de-AT", "de-CH", "fr", "fr-CA", "es", "es-MX", "it", "nl", "sv", "da", "nb",
    "fi", "pl", "cs", "hu", "el", "pt-BR", "pt-PT", "tr", "uk", "ja", "ko",
)  # fmt: skip


@cache
def locale_of(tag: str) -> Locale:
    """Babel's data of an offered locale. Reading it the first time takes milliseconds."""
    return Locale.parse(tag, sep="-")


def own_name(tag: str) -> str:
    """A locale's name in its own language, such as Português (Brasil)."""
    name = locale_of(tag).get_display_name() or tag
    return name[0].upper() + name[1:]


def english_name(tag: str) -> str:
    return locale_of(tag).get_display_name(DEFAULT) or tag


def best_of(preferred: Iterable[str]) -> str:
    """The offered locale that comes closest to those preferred, best first: `de` for de-LU; English if none does."""
    found = negotiate_locale(preferred, TAGS, sep="-") or DEFAULT
    return next(tag for tag in TAGS if tag.lower() == found.lower())
