"""Altered copies of texts: words left out, words changing places, spans refilled, texts translated there and back."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from headwater.data.fields import TextInput
from headwater.language.tokens import are_pairs, sides
from headwater.language.words import joined, words_of

if TYPE_CHECKING:
    from headwater.run import Run


def altered(
    inputs: Sequence[TextInput], method: str, draw: int, run: Run, foundation: str | None
) -> list[TextInput | None]:
    """A copy of each text or pair, None where nothing could be altered; of a pair, each side is altered by itself.

    Args:
        inputs: texts or pairs.
        method: `word-dropout`, `word-swap`, `span-masking` or `back-translation`.
        draw: which copy it is, from 0.
        run: strength, models and seed; and a folder where what a model has written is kept.
        foundation: the foundation of the run, which may serve span-masking; None for a basic model.
    """
    pairs = are_pairs(inputs)
    found = []
    for number, texts in enumerate(sides(inputs, pairs=pairs)):
        copies = _texts(texts, method, [run.settings.seed, zlib.crc32(method.encode()), draw, number], run, foundation)
        found.append([copy if copy.strip() else text for text, copy in zip(texts, copies, strict=True)])
    copies = [tuple(pair) for pair in zip(*found, strict=True)] if pairs else found[0]
    return [None if copy == given else copy for copy, given in zip(copies, inputs, strict=True)]


def drop_words(text: str, strength: float, random: np.random.Generator) -> str:
    """The text without a share of its words, at least one; a single word stays.

    Iyyer et al. (2015) and Wei and Zou (2019) toss a coin for each word, which leaves most short texts as they are.

    Example:
        >>> drop_words("a very good film", 0.25, np.random.default_rng(0))
        'a very good'
        >>> drop_words("good", 0.9, np.random.default_rng(0))
        'good'
    """
    words = words_of(text)
    count = min(_share(words, strength), len(words) - 1)
    if count < 1:
        return text
    kept = np.ones(len(words), dtype=bool)
    kept[random.choice(len(words), count, replace=False)] = False
    end = words[-1].end
    return joined(words, kept.tolist()) + text[end:]


def swap_words(text: str, strength: float, random: np.random.Generator) -> str:
    """The text with words changing places two by two, as many times as the share says, at least once.

    Wei and Zou (2019). Spaces and what else stands between words stay where they are.

    Example:
        >>> swap_words("good, not bad", 0.2, np.random.default_rng(1))
        'not, good bad'
    """
    words = words_of(text)
    places = [place for place, word in enumerate(words) if word.text[0].isalnum()]
    if len({words[place].text for place in places}) < 2:
        return text
    order = [word.text for word in words]
    for _ in range(_share(places, strength)):
        first, second = random.choice(places, 2, replace=False).tolist()
        order[first], order[second] = order[second], order[first]
    if order == [word.text for word in words]:
        first = places[0]
        second = next(place for place in places if order[place] != order[first])
        order[first], order[second] = order[second], order[first]
    end = words[-1].end
    return "".join(word.space + text for word, text in zip(words, order, strict=True)) + text[end:]


_BY_RULE: dict[str, Callable[[str, float, np.random.Generator], str]] = {
    "word-dropout": drop_words,
    "word-swap": swap_words,
}


def _texts(texts: Sequence[str], method: str, seed: Sequence[int], run: Run, foundation: str | None) -> list[str]:
    if method in _BY_RULE:
        random, strength = np.random.default_rng(seed), run.settings.augment_strength
        return [_BY_RULE[method](text, strength, random) for text in texts]
    if method == "span-masking":
        from headwater.language.filling import refilled

        return refilled(texts, seed, run, foundation)
    from headwater.language.translating import back_translated

    return back_translated(texts, seed, run)


def _share(words: Sequence[object], strength: float) -> int:
    return max(1, round(strength * len(words)))
