"""Boxes: where the things of one picture are, and what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Boxes:
    """The boxes of one picture, known or found.

    Attributes:
        places: left, top, right and bottom of each, float32 of shape (boxes, 4), in pixels of the picture as a person
            sees it; the left edge of the leftmost pixel is 0, the right edge of the rightmost its width.
        labels: the position of the class of each, int64 of shape (boxes,).
        scores: how sure a model is of each, float32 of shape (boxes,), the surest first; None of known boxes.
        difficult: which of them no model has to find, and none is blamed for finding (`difficult` of Pascal VOC), of
            shape (boxes,); None where none is.
        crowd: the same of boxes about many things, any number of which may be found in them (`iscrowd` of COCO).

    Example:
        >>> boxes = Boxes(np.array([[0, 0, 4, 2]], np.float32), np.array([1]))
        >>> len(boxes), boxes.areas.tolist()
        (1, [8.0])
    """

    places: np.ndarray
    labels: np.ndarray
    scores: np.ndarray | None = None
    difficult: np.ndarray | None = None
    crowd: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.places)

    @property
    def areas(self) -> np.ndarray:
        """Square pixels of each, shape (boxes,)."""
        return (self.places[:, 2] - self.places[:, 0]) * (self.places[:, 3] - self.places[:, 1])

    @property
    def pardoned(self) -> np.ndarray:
        """Which need not be found, and are no mistake of whoever finds them, of shape (boxes,).

        Example:
            >>> Boxes(np.zeros((2, 4), np.float32), np.array([0, 1]), crowd=np.array([False, True])).pardoned.tolist()
            [False, True]
        """
        marked = np.zeros(len(self), dtype=bool)
        for marks in (self.difficult, self.crowd):
            marked |= False if marks is None else marks.astype(bool)
        return marked

    def take(self, rows: np.ndarray) -> Boxes:
        """The boxes at these positions, or where a mask of shape (boxes,) is true, in this order."""
        rest: dict[str, Any] = {
            name: None if (values := getattr(self, name)) is None else values[rows]
            for name in ("scores", "difficult", "crowd")
        }
        return Boxes(self.places[rows], self.labels[rows], **rest)


def no_boxes() -> Boxes:
    """The boxes of a picture in which there is nothing."""
    return Boxes(np.empty((0, 4), np.float32), np.empty(0, np.int64))
