"""Linear classifiers on TF-IDF n-grams: logistic regression and support vector machine."""

from __future__ import annotations

import json
import time
import warnings
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from safetensors.numpy import load_file, save
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from headwater.data.fields import TextInput
from headwater.language.classification.validation import mean_loss
from headwater.language.vectoriser import TfidfVectoriser, latent
from headwater.run import Run, write_whole
from headwater.settings import NoSettings
from headwater.transfer import scores
from headwater.transfer.classifier import Classifier, Examples, Facts
from headwater.transfer.dealing import Deal

_FOLDS = 3
_COST_OF_FOLDS = 2e7
"""Above this many numbers (features that are not zero, times binary problems), one fold chooses for all."""
_CERTAIN = 30.0
"""The logit of a label that all training rows have, or none."""


class _Linear(Classifier):
    """A linear map from TF-IDF features to logits, one class against the rest, by coordinate descent in the dual.

    The solver (Hsieh et al. 2008; Yu, Huang and Lin 2011) is LIBLINEAR's, as fast with 100,000 features as with few.
    """

    Settings = NoSettings
    needs_valid = False
    strengths: ClassVar[tuple[float, ...]]
    """The values of `C` that cross-validation chooses from."""

    def fit(self, train: Examples, valid: Examples, run: Run) -> Self:
        """Learns vocabulary, strength and weights from `train`; `valid` is only scored."""
        started = time.monotonic()
        self.vectoriser = TfidfVectoriser().learn(train.inputs)
        features = self.vectoriser.features(train.inputs)
        strength = self._choose(features, train, run.settings.seed)
        self.weight, self.bias = self._solve(features, train, np.arange(len(train)), strength, run.settings.seed)
        decision = "kept: the best of its path on held-out training rows"
        right, seconds = scores.correct(self.logits(valid.inputs), valid.targets), time.monotonic() - started
        self.trace.stages = [scores.stage(f"C = {strength:g}", right, seconds, decision)]
        return self

    def logits(self, inputs: Sequence[TextInput]) -> np.ndarray:
        return np.asarray(self.vectoriser.features(inputs) @ self.weight.T + self.bias, dtype=np.float32)

    def view(self, inputs: Sequence[TextInput], run: Run) -> np.ndarray:
        return latent(inputs, run.settings.seed)

    def facts(self, run: Run) -> Facts:
        return Facts(parameters=self.weight.size + self.bias.size)

    def save(self, folder: Path) -> None:
        values, arrays = self.vectoriser.state()
        write_whole(folder / "model.json", json.dumps(values, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        write_whole(folder / "model.safetensors", save({**arrays, "weight": self.weight, "bias": self.bias}))

    @classmethod
    def load(cls, folder: Path) -> Self:
        made, arrays = cls(), load_file(folder / "model.safetensors")
        made.weight, made.bias = arrays.pop("weight"), arrays.pop("bias")
        values = json.loads((folder / "model.json").read_text("utf-8", "surrogatepass"))
        made.vectoriser = TfidfVectoriser.from_state(values, arrays)
        return made

    @staticmethod
    @abstractmethod
    def estimator(strength: float, seed: int) -> LogisticRegression | LinearSVC:
        """An unfitted binary estimator."""

    @staticmethod
    @abstractmethod
    def quality(logits: np.ndarray, targets: np.ndarray) -> float:
        """How good the logits of held-out rows are; higher is better."""

    def _choose(self, features: sparse.csr_array, train: Examples, seed: int) -> float:
        """The strength with the best mean quality on held-out rows; each is noted in the learning curve.

        It is the middle one where no row can be spared.
        """
        folds = _folds(train, seed)
        if not folds:
            return self.strengths[len(self.strengths) // 2]
        if features.nnz * train.n_classes > _COST_OF_FOLDS:
            folds = folds[:1]
        for strength in self.strengths:
            found = []
            for rows, held in folds:
                weight, bias = self._solve(features, train, rows, strength, seed)
                found.append(self.quality(features[held] @ weight.T + bias, train.targets[held]))
            self.trace.curve.append({"C": strength, "score": float(np.mean(found))})
        return max(self.trace.curve, key=lambda point: point["score"])["C"]

    def _solve(
        self, features: sparse.csr_array, train: Examples, rows: np.ndarray, strength: float, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Weights of shape (classes, features) and biases of shape (classes,), learnt from some of the rows."""
        targets, weights = train.targets[rows], None if train.weights is None else train.weights[rows]
        two = train.n_classes == 2 and not train.several
        columns = targets if train.several else targets[:, None] == np.arange(1 if two else 0, train.n_classes)
        maps = [_binary(self.estimator(strength, seed), features[rows], column > 0.5, weights) for column in columns.T]
        weight, bias = np.stack([w for w, _ in maps]), np.array([b for _, b in maps], dtype=np.float32)
        # Half the log-odds each way: the softmax of the two logits is the logistic function of the log-odds.
        return (np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2) if two else (weight, bias)


class TfidfLogistic(_Linear):
    """Logistic regression; strengths are compared by the likelihood of held-out rows.

    Example:
        >>> import tempfile
        >>> from headwater.settings import Settings
        >>> train = Examples(["good", "fine", "bad", "poor"] * 5, np.array([1, 1, 0, 0] * 5), 2)
        >>> run = Run(Settings(), Path(tempfile.mkdtemp()))
        >>> TfidfLogistic().fit(train, train, run).logits(["so good"]).argmax(axis=1)
        array([1])
    """

    strengths = (2.0, 8.0, 32.0)

    @staticmethod
    def estimator(strength: float, seed: int) -> LogisticRegression:
        return LogisticRegression(C=strength, solver="liblinear", dual=True, tol=1e-2, random_state=seed)

    @staticmethod
    def quality(logits: np.ndarray, targets: np.ndarray) -> float:
        return -mean_loss(logits, targets)


class TfidfSvm(_Linear):
    """Support vector machine with the squared hinge loss; strengths are compared by accuracy on held-out rows."""

    strengths = (0.125, 0.5, 2.0)

    @staticmethod
    def estimator(strength: float, seed: int) -> LinearSVC:
        return LinearSVC(C=strength, tol=1e-2, random_state=seed)

    @staticmethod
    def quality(logits: np.ndarray, targets: np.ndarray) -> float:
        return float(scores.correct(logits, targets).mean())


def _binary(estimator: Any, features: Any, true: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, float]:
    """The log-odds or margin of true against false as weights of shape (features,) and a bias."""
    if true.all() or not true.any():
        return np.zeros(features.shape[1], dtype=np.float32), _CERTAIN if true.all() else -_CERTAIN
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the solver's last step serves as well as a later one
        estimator.fit(features, true, sample_weight=weights)
    return estimator.coef_[0].astype(np.float32), float(estimator.intercept_[0])


def _folds(train: Examples, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Training and held-out rows of each fold; a class is dealt out evenly, and rows that belong together stay so.

    Oversampling repeats rows, augmentation alters them: a copy among the training rows would make the weakest penalty
    look the best. Altered copies are not held out either: they are not what the model will be asked. Rows that come
    from none of the data, whose target is the answer of a model, are learnt from in every fold.
    """
    groups, asked = train.groups, train.drawn
    held = [asked[fold] for fold in Deal(seed, groups[asked], _FOLDS).folds(train.targets[asked])]
    return [(np.flatnonzero(~np.isin(groups, groups[rows])), rows) for rows in held]
