"""Words and characters of any language: normalisation, tokens, and whether a script puts spaces between words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from headwater.data.fields import TextInput

UNSPACED: Final = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u0f00-\u0fff"  # Tibetan
    "\u1000-\u109f"  # Myanmar
    "\u1780-\u17ff"  # Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
"""The scripts that are written without spaces between words, as the inside of a character class."""

_CHARACTER = re.compile(f"[{UNSPACED}]")
_TOKEN = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+(?:['’][^\W{UNSPACED}]+)*|[^\w\s]")


def normalise(text: str) -> str:
    """The text in compatibility form (NFKC: full width becomes half width) and lower case.

    Example:
        >>> normalise("ＡＢＣ Straße")
        'abc straße'
    """
    return unicodedata.normalize("NFKC", text).lower()


def tokens(text: str) -> list[str]:
    """Words of spaced scripts, single characters of unspaced ones, and each sign or emoji by itself.

    Example:
        >>> tokens("It's 很好 👍!")
        ["it's", '很', '好', '👍', '!']
    """
    return _TOKEN.findall(normalise(text))


def unspaced(texts: Iterable[str]) -> bool:
    """Whether most letters belong to scripts without spaces between words.

    Example:
        >>> unspaced(["房间很大 WiFi"]), unspaced(["a room in 上海"])
        (True, False)
    """
    letters = found = 0
    for text in texts:
        letters += sum(map(str.isalpha, text))
        found += len(_CHARACTER.findall(text))
    return 2 * found >= max(letters, 1)


def sides(inputs: Sequence[TextInput], *, pairs: bool) -> list[list[str]]:
    """The texts as one list or, for pairs, as a list of first and a list of second texts.

    Example:
        >>> sides([("a", "b"), ("c", "d")], pairs=True)
        [['a', 'c'], ['b', 'd']]
    """
    if pairs:
        return [[pair[side] for pair in inputs] for side in (0, 1)]
    return [[text if isinstance(text, str) else " ".join(text) for text in inputs]]


def are_pairs(inputs: Sequence[TextInput]) -> bool:
    """Whether the inputs are pairs of texts."""
    return bool(inputs) and not isinstance(inputs[0], str)
