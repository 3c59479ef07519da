"""Real images that every machine with headwater has: the handwritten digits that scikit-learn brings (8 x 8 pixels)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from headwater.data.raster import encode
from headwater.run import write_whole


def write_digits(folder: Path, *, labelled: int = 100, held_out: int = 50, seed: int = 0) -> tuple[int, int]:
    """Writes three folders of PNG files, in each a sub-folder for every digit.

    `labelled` is to learn from, `test` to measure on, `unseen` has one image of each digit to ask about.

    Args:
        folder: where to write them.
        labelled: the images of each digit to learn from.
        held_out: the images of each digit to measure on.
        seed: of the draw.

    Returns:
        The images to learn from, and those to measure on.
    """
    from sklearn.datasets import load_digits

    images, digits = load_digits(return_X_y=True)
    random = np.random.default_rng(seed)
    counts = {"unseen": 1, "labelled": labelled, "test": held_out}
    written = dict.fromkeys(counts, 0)
    for digit in range(10):
        rows = random.permutation(np.flatnonzero(digits == digit)).tolist()
        for part, count in counts.items():
            taken, rows = rows[:count], rows[count:]
            for row in taken:
                grey = (images[row].reshape(8, 8) * (255 / 16)).round().astype(np.uint8)
                write_whole(folder / part / str(digit) / f"{row}.png", encode(grey))
            written[part] += len(taken)
    return written["labelled"], written["test"]
