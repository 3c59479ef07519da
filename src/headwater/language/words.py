"""The words of a text where they stand, so that it can be put together again without some, or in another order."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import groupby
from typing import NamedTuple

from headwater.language.tokens import UNSPACED

_LAST_MARK = 0x1F000
_SKIN_TONES = "\U0001f3fb-\U0001f3ff"
_TAGS = "\U000e0020-\U000e007f\U000e0100-\U000e01ef"
_JOINER, _NON_JOINER = "\u200d", "\u200c"


class Word(NamedTuple):
    """A word, a character of a script without spaces, or a sign, with the space before it.

    Attributes:
        text: the word as it is written.
        space: what stands before it and is no word; mostly a space, or nothing.
        start: where the word begins in its text.
    """

    text: str
    space: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def spaced(self) -> bool:
        """Whether it belongs to a script that puts spaces between words."""
        return self.text[0].isalnum() and re.match(f"[{UNSPACED}]", self.text) is None


def words_of(text: str) -> list[Word]:
    """The words of a text in their order.

    Letters keep their marks, and an emoji its parts: neither is cut. Equal signs in a row are one.

    Example:
        >>> [word.text for word in words_of("It's  great!!! 很好 👍🏽 हिन्दी")]
        ["It's", 'great', '!!!', '很', '好', '👍🏽', 'हिन्दी']
    """
    found, end = [], 0
    for match in _pattern().finditer(text):
        found.append(Word(match[0], text[end : match.start()], match.start()))
        end = match.end()
    return found


def joined(words: Iterable[Word], kept: Iterable[bool]) -> str:
    """The text of the words that are kept, each behind its own space, and no two words grown together.

    Example:
        >>> joined(words_of("A very, very good film."), [True, True, True, False, True, True, True])
        'A very, good film.'
    """
    parts: list[str] = []
    last: Word | None = None
    space = ""
    for word, keep in zip(words, kept, strict=True):
        space = max(space, word.space, key=len)
        if not keep:
            continue
        grown = last is not None and last.spaced and word.spaced and not word.space
        parts.append(("" if last is None else space if grown else word.space) + word.text)
        last, space = word, ""
    return "".join(parts)


@cache
def _pattern() -> re.Pattern[str]:
    marks = f"{_marks()}{_TAGS}"
    letter, follows = rf"[^\W{UNSPACED}]", f"{marks}{_NON_JOINER}{_JOINER}"
    return re.compile(
        rf"(?![{marks}])[{UNSPACED}][{marks}]*"
        rf"|{letter}(?:{letter}|[{follows}]|['’](?={letter}))*"
        r"|[\U0001f1e6-\U0001f1ff]{2}"  # a flag is two letters of its own
        rf"|(?P<sign>[^\w\s])(?:(?P=sign)|[{marks}{_SKIN_TONES}]|{_JOINER}[^\w\s])*"
    )


def _marks() -> str:
    """All marks that belong to the character before them, as the inside of a character class."""
    numbers = [number for number in range(_LAST_MARK) if unicodedata.category(chr(number)).startswith("M")]
    runs = groupby(enumerate(numbers), lambda entry: entry[1] - entry[0])
    ends = [(run[0][1], run[-1][1]) for run in (list(members) for _, members in runs)]
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ends)
