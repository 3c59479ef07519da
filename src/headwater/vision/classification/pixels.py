"""Logistic regression on small pixels and oriented gradients: the linear baseline, which needs no torch."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
from safetensors.numpy import load_file, save

from headwater.data.pictures import Picture
from headwater.run import Run, write_whole
from headwater.settings import NoSettings
from headwater.transfer import scores
from headwater.transfer.classifier import Classifier, Examples, Facts
from headwater.transfer.dealing import Deal
from headwater.transfer.head import Head, solve
from headwater.vision.gradients import histograms
from headwater.vision.pixels import decoded, is_grey, portions
from headwater.vision.plain import principal

_SIDE = 32
_FOLDS = 3
_CHOOSING = 3000
"""The most rows that choose the penalty: it is a prior, and a prior does not grow with the rows."""


class PixelsLogistic(Classifier):
    """A linear map from features to logits, the same penalised one that learns on the features of a foundation.

    Features are 16 by 16 pixels and the histograms of oriented gradients of 32 by 32.

    Example:
        >>> import tempfile
        >>> from headwater.data.pictures import encode
        >>> from headwater.settings import Settings
        >>> shades = [Picture(content=encode(np.full((9, 9), shade, np.uint8))) for shade in range(0, 256, 8)]
        >>> train = Examples(shades, np.arange(32) // 16, 2)
        >>> run = Run(Settings(), Path(tempfile.mkdtemp()))
        >>> PixelsLogistic().fit(train, train, run).logits([shades[0], shades[-1]]).argmax(axis=1)
        array([0, 1])
    """

    Settings = NoSettings
    needs_valid = False

    def fit(self, train: Examples, valid: Examples, run: Run) -> Self:
        """Learns the weights from `train`; folds of the rows whose target somebody has seen choose their penalty."""
        started = time.monotonic()
        self.grey = is_grey(train.inputs)
        head, rows = self._head(train, run.settings.seed)
        self.weight, self.bias = head.weight, head.bias
        if not len(valid):
            self.held_out = head.unseen(train.targets[rows])
        right = scores.correct(*(self.held_out or (self.logits(valid.inputs), valid.targets)))
        seconds, decision = time.monotonic() - started, "kept: the best of its path on held-out training rows"
        self.trace.stages = [scores.stage(f"penalty = {head.strength:g}", right, seconds, decision)]
        return self

    def logits(self, inputs: Sequence[Picture]) -> np.ndarray:
        return np.asarray(self._features(inputs) @ self.weight.T + self.bias, dtype=np.float32)

    def view(self, inputs: Sequence[Picture], run: Run) -> np.ndarray:
        return principal(inputs)

    def facts(self, run: Run) -> Facts:
        return Facts(parameters=self.weight.size + self.bias.size)

    def save(self, folder: Path) -> None:
        write_whole(folder / "model.json", json.dumps({"grey": self.grey}).encode())
        write_whole(folder / "model.safetensors", save({"weight": self.weight, "bias": self.bias}))

    @classmethod
    def load(cls, folder: Path) -> Self:
        made, arrays = cls(), load_file(folder / "model.safetensors")
        made.weight, made.bias = arrays["weight"], arrays["bias"]
        made.grey = json.loads((folder / "model.json").read_text("utf-8"))["grey"]
        return made

    def _head(self, train: Examples, seed: int) -> tuple[Head, np.ndarray]:
        """The head, with the held-out logits of the rows that chose its penalty, and the positions of these."""
        features, rows = self._features(train.inputs), train.drawn
        if len(rows) > _CHOOSING:
            rows = np.sort(np.random.default_rng(seed).choice(rows, _CHOOSING, replace=False))
        own = train.take(rows)
        deal = Deal(seed, own.groups, _FOLDS)
        head = solve(features[rows], own.targets, train.n_classes, own.weights, deal=deal)
        if len(rows) == len(train):
            return head, rows
        whole = solve(features, train.targets, train.n_classes, train.weights, strength=head.strength)
        return replace(whole, held_out=head.held_out, spared=head.spared), rows

    def _features(self, inputs: Sequence[Picture]) -> np.ndarray:
        """Small pixels and oriented gradients, float32 of shape (rows, features)."""
        parts = [inputs[rows] for rows in portions(len(inputs), 4 * _SIDE)] or [inputs]
        return np.concatenate([features_of(decoded(part, _SIDE, grey=self.grey)) for part in parts])


def features_of(pixels: np.ndarray) -> np.ndarray:
    """The features of pixels, uint8 of shape (rows, 32, 32, channels), as float32 of shape (rows, features).

    Example:
        >>> features_of(np.zeros((2, 32, 32, 1), np.uint8)).shape, features_of(np.zeros((2, 32, 32, 3), np.uint8)).shape
        ((2, 580), (2, 1092))
    """
    pictures = pixels.astype(np.float32) / 255
    rows, side, _, channels = pictures.shape
    small = pictures.reshape(rows, side // 2, 2, side // 2, 2, channels).mean(axis=(2, 4))
    return np.concatenate([small.reshape(rows, math.prod(small.shape[1:])), histograms(pictures)], axis=1)
