"""What a person can check of texts: their length, their scripts, their words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from headwater.data.fields import TextInput
from headwater.data.traits import Traits, script_of
from headwater.language.tokens import tokens

_SCRIPT_CHARACTERS = 1000
"""Letters of a text from which its scripts are told."""


def text_traits(inputs: Sequence[TextInput]) -> Traits:
    """Characters, words (characters of scripts without spaces), scripts and the distinct words of each text or pair.

    Example:
        >>> traits = text_traits(["A fine film!", "很好"])
        >>> traits.numbers["words"].tolist(), sorted(traits.words[0]), sorted(traits.shares["script"])
        ([4, 2], ['!', 'a', 'film', 'fine'], ['Han', 'Latin'])
    """
    texts = [text if isinstance(text, str) else " ".join(text) for text in inputs]
    parts = [tokens(text) for text in texts]
    return Traits(
        numbers={
            "characters": np.array([len(text) for text in texts]),
            "words": np.array([len(part) for part in parts]),
        },
        shares={"script": _scripts(texts)},
        words=[frozenset(part) for part in parts],
    )


def _scripts(texts: Sequence[str]) -> dict[str, np.ndarray]:
    """For each script the share that it has of the letters of each text."""
    found: dict[str, np.ndarray] = {}
    for row, text in enumerate(texts):
        letters = Counter(script_of(letter) for letter in text[:_SCRIPT_CHARACTERS] if letter.isalpha())
        for script, times in letters.items():
            found.setdefault(script, np.zeros(len(texts)))[row] = times / letters.total()
    return found
