"""The words of a search, limited in number and length: each one is searched in every row."""

from typing import NamedTuple

MAX_WORDS = 8
MAX_WORD_LENGTH = 60  # characters
CUT = (
    f"Your search was shortened: it takes {MAX_WORDS} words of at most {MAX_WORD_LENGTH} characters, and the first "
    "ones were used."
)


class Words(NamedTuple):
    words: list[str]
    is_cut: bool


def words_of(text: str) -> Words:
    """The words to search for, each once, and whether anything was left out."""
    given = list(dict.fromkeys(text.split()))
    words = [word[:MAX_WORD_LENGTH] for word in given[:MAX_WORDS]]
    return Words(words, is_cut=words != given)
