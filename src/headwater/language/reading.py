"""How well a foundation's vocabulary fits texts, before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headwater.data.fields import TextInput
from headwater.data.traits import Traits
from headwater.foundation.text import TextEncoder
from headwater.language.tokens import tokens

_AT_ONCE = 2048


def text_reading(encoder: TextEncoder, inputs: Sequence[TextInput]) -> Traits:
    """Into how many pieces the vocabulary cuts each text, how many it does not know, and which texts are cut short.

    Many pieces a word, or unknown ones, say that the foundation was made for other texts than these.
    """
    counts = [encoder.pieces(inputs[start : start + _AT_ONCE]) for start in range(0, len(inputs), _AT_ONCE)]
    pieces, unknown, cut = (np.concatenate(part) for part in zip(*counts, strict=True))
    words = np.array([len(tokens(text if isinstance(text, str) else " ".join(text))) for text in inputs])
    return Traits(
        numbers={"pieces a word": pieces / np.maximum(words, 1)},
        shares={
            "for this model": {
                "pieces unknown to it": unknown / np.maximum(pieces, 1),
                f"texts longer than the {encoder.max_length} tokens it reads": cut.astype(np.float64),
            }
        },
    )
