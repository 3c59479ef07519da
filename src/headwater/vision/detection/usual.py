"""The trivial baseline of detection: what is usually there, where it usually is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from headwater.data.boxes import Boxes
from headwater.data.pictures import Glance, Picture, look
from headwater.run import Run, write_whole
from headwater.settings import NoSettings
from headwater.vision.locator import Locator, Scenes

_MOST: Final = 20
_SAMPLE: Final = 20_000


class UsualBoxes(Locator):
    """Answers every image with the same boxes: of each class as many as an image usually has, where they usually are.

    The training boxes of a class, in shares of width and height, are parted into as many groups as an image has of them
    on average (k-means, Lloyd 1982); the mean of each group is a box, and how often an image has one of it the score.
    """

    Settings = NoSettings

    def __init__(self, settings: Any = None, *, foundation: str | None = None) -> None:
        super().__init__(settings, foundation=foundation)
        self.boxes = Boxes(np.empty((0, 4), np.float32), np.empty(0, np.int64), np.empty(0, np.float32))
        """In shares of width and height, the surest first."""

    def fit(self, train: Scenes, valid: Scenes, run: Run) -> Self:
        known = [boxes.take(~boxes.pardoned) for boxes in train.answers]
        shares = [_shares(boxes, seen) for boxes, seen in zip(known, look(train.inputs), strict=True)]
        places = np.concatenate([*shares, np.empty((0, 4))])
        labels = np.concatenate([*(boxes.labels for boxes in known), np.empty(0, np.int64)])
        found = [_usual(places[labels == label], len(train), run.settings.seed) for label in range(train.n_classes)]
        scores = np.concatenate([score for _, score in found]) if found else np.empty(0)
        order = np.argsort(-scores, kind="stable")
        names = np.repeat(np.arange(len(found)), [len(score) for _, score in found])
        means = np.concatenate([mean for mean, _ in found]) if found else np.empty((0, 4))
        self.boxes = Boxes(means[order].astype(np.float32), names[order], scores[order].astype(np.float32))
        return self

    def answers(self, inputs: Sequence[Picture]) -> list[Boxes]:
        return [
            Boxes(self.boxes.places * _size(seen).astype(np.float32), self.boxes.labels, self.boxes.scores)
            for seen in look(inputs)
        ]

    def save(self, folder: Path) -> None:
        values = {"places": self.boxes.places, "labels": self.boxes.labels, "scores": self.boxes.scores}
        state = {name: np.asarray(part).tolist() for name, part in values.items()}
        write_whole(folder / "usual.json", json.dumps(state).encode())

    @classmethod
    def load(cls, folder: Path) -> Self:
        state = json.loads((folder / "usual.json").read_text("utf-8"))
        model = cls()
        model.boxes = Boxes(
            np.array(state["places"], np.float32).reshape(-1, 4), np.array(state["labels"], np.int64),
            np.array(state["scores"], np.float32),
        )  # fmt: skip
        return model


def _shares(boxes: Boxes, seen: Glance) -> np.ndarray:
    return boxes.places / _size(seen)


def _size(seen: Glance) -> np.ndarray:
    return np.array([seen.width, seen.height, seen.width, seen.height], dtype=np.float64)


def _usual(places: np.ndarray, pictures: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean places of the groups of one class, shape (groups, 4), and how often a picture has one of each."""
    from sklearn.cluster import KMeans

    if not len(places):
        return np.empty((0, 4)), np.empty(0)
    random = np.random.default_rng(seed)
    some = places[np.sort(random.permutation(len(places))[:_SAMPLE])]
    groups = int(np.clip(round(len(places) / max(pictures, 1)), 1, min(_MOST, len(np.unique(some, axis=0)))))
    parted = KMeans(groups, n_init=1, random_state=seed).fit(some)
    sizes = np.bincount(parted.labels_, minlength=groups) / len(some) * len(places) / pictures
    return parted.cluster_centers_, np.minimum(sizes, 1.0)
