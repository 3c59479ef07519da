"""Linear classifiers on TF-IDF n-grams: logistic regression and support vector machine."""

from __future__ import annotations

import json
import time
import warnings
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from safetensors.numpy import load_file, save
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from headwater.data.fields import TextInput
from headwater.language.classification.validation import accuracy, mean_loss, stage
from headwater.language.vectoriser import TfidfVectoriser
from headwater.run import Run, write_whole
from headwater.transfer.classifier import Classifier, Examples

_FOLDS = 3
_ROWS_TO_CHOOSE = 20_000
_NEVER = -30.0
"""The logit of a class that no training row has."""

Features = sparse.csr_array | np.ndarray


@dataclass(frozen=True, kw_only=True)
class NoSettings:
    """Linear models choose their only setting, the penalty, by cross-validation."""

    section: ClassVar[str] = "Model"


class _Linear(Classifier):
    """One linear map from TF-IDF features to logits, the strength of its penalty chosen by cross-validation."""

    Settings = NoSettings
    strengths: ClassVar[tuple[float, ...]]
    """The values of `C` tried, each larger than the one before: the next solution starts from the last."""

    def fit(self, train: Examples, valid: Examples, run: Run) -> Self:
        """Learns vocabulary, strength and weights from `train`; `valid` is only scored."""
        started = time.monotonic()
        self.vectoriser = TfidfVectoriser().learn(train.inputs)
        features = self.vectoriser.features(train.inputs)
        reduced, basis = _rotated(features)
        strength = self._choose(reduced, train, run.settings.seed)
        solver = self._solver(train, run.settings.seed)
        weight, self.bias = solver.solve(reduced, train.targets, train.weights, strength)
        self.weight = weight if basis is None else ((weight @ basis.T) @ features).astype(np.float32)
        seconds, decision = time.monotonic() - started, f"kept: the best strength on {_FOLDS} folds of the training rows"
        self.trace.stages = [stage(f"C = {strength:g}", self.logits(valid.inputs), valid, seconds, decision)]
        return self

    def logits(self, inputs: Sequence[TextInput]) -> np.ndarray:
        return np.asarray(self.vectoriser.features(inputs) @ self.weight.T + self.bias, dtype=np.float32)

    def save(self, folder: Path) -> None:
        kinds, arrays = self.vectoriser.state()
        write_whole(folder / "model.json", json.dumps({"ngrams": kinds}, ensure_ascii=False).encode())
        write_whole(folder / "model.safetensors", save({**arrays, "weight": self.weight, "bias": self.bias}))

    @classmethod
    def load(cls, folder: Path) -> Self:
        made, arrays = cls(), load_file(folder / "model.safetensors")
        made.weight, made.bias = arrays.pop("weight"), arrays.pop("bias")
        kinds = json.loads((folder / "model.json").read_text("utf-8"))["ngrams"]
        made.vectoriser = TfidfVectoriser.from_state(kinds, arrays)
        return made

    def _choose(self, features: Features, train: Examples, seed: int) -> float:
        """The strength with the best mean score on held-out folds; each is noted in the learning curve."""
        folds = _folds(train.targets, np.random.default_rng(seed))
        solvers = [self._solver(train, seed) for _ in folds]
        for strength in self.strengths:
            scores = []
            for solver, (rows, held) in zip(solvers, folds, strict=True):
                weights = None if train.weights is None else train.weights[rows]
                weight, bias = solver.solve(features[rows], train.targets[rows], weights, strength)
                scores.append(self.quality(features[held] @ weight.T + bias, train.targets[held]))
            self.trace.curve.append({"C": strength, "score": float(np.mean(scores))})
        return max(self.trace.curve, key=lambda point: point["score"])["C"]

    def _solver(self, train: Examples, seed: int) -> _Solver:
        problems = train.n_classes if train.several else 1
        return _Solver([self.estimator(seed) for _ in range(problems)], train.n_classes)

    @staticmethod
    @abstractmethod
    def estimator(seed: int) -> LogisticRegression | LinearSVC:
        """An unfitted estimator whose `C` is still to be set."""

    @staticmethod
    @abstractmethod
    def quality(logits: np.ndarray, targets: np.ndarray) -> float:
        """How good logits of held-out rows are; higher is better."""


class TfidfLogistic(_Linear):
    """Logistic regression, multinomial or one a label, by L-BFGS; strengths are compared by their log-likelihood.

    Example:
        >>> import tempfile
        >>> from headwater.settings import Settings
        >>> train = Examples(["good", "fine", "bad", "poor"] * 5, np.array([1, 1, 0, 0] * 5), 2)
        >>> run = Run(Settings(), Path(tempfile.mkdtemp()))
        >>> TfidfLogistic().fit(train, train, run).logits(["so good"]).argmax(axis=1)
        array([1])
    """

    strengths = (2.0, 8.0, 32.0, 128.0)

    @staticmethod
    def estimator(seed: int) -> LogisticRegression:
        return LogisticRegression(tol=1e-4, max_iter=500, warm_start=True, random_state=seed)

    @staticmethod
    def quality(logits: np.ndarray, targets: np.ndarray) -> float:
        return -mean_loss(logits, targets)


class TfidfSvm(_Linear):
    """Linear support vector machines (squared hinge, one a class), by LIBLINEAR; strengths are compared by accuracy."""

    strengths = (0.125, 0.5, 2.0)

    @staticmethod
    def estimator(seed: int) -> LinearSVC:
        return LinearSVC(tol=1e-3, max_iter=2000, random_state=seed)

    @staticmethod
    def quality(logits: np.ndarray, targets: np.ndarray) -> float:
        return accuracy(logits, targets)


@dataclass
class _Solver:
    """One estimator for classes, or one for each of several labels, as one weight and one bias a class."""

    estimators: list[LogisticRegression | LinearSVC]
    n_classes: int

    def solve(
        self, features: Features, targets: np.ndarray, weights: np.ndarray | None, strength: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Weights of shape (classes, features) and biases of shape (classes,)."""
        for estimator in self.estimators:
            estimator.set_params(C=strength)
        if targets.ndim == 1:
            return _solution(self.estimators[0], features, targets, weights, self.n_classes)
        pairs = [
            _solution(estimator, features, column.astype(np.int64), weights, 2)
            for estimator, column in zip(self.estimators, targets.T, strict=True)
        ]
        return np.stack([weight[1] - weight[0] for weight, _ in pairs]), np.stack([bias[1] - bias[0] for _, bias in pairs])


def _solution(
    estimator: LogisticRegression | LinearSVC,
    features: Features,
    targets: np.ndarray,
    weights: np.ndarray | None,
    n_classes: int,
) -> tuple[np.ndarray, np.ndarray]:
    """The estimator's map with a row for every class; two classes share one direction, half each way."""
    present = np.unique(targets)
    weight = np.zeros((n_classes, features.shape[1]), dtype=np.float32)
    bias = np.full(n_classes, _NEVER, dtype=np.float32)
    bias[present] = 0.0
    if len(present) > 1:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the last step of the solver is good enough
            estimator.fit(features, targets, sample_weight=weights)
        two = len(present) == 2
        signs = np.array([[-0.5], [0.5]]) if two else 1.0
        weight[present] = estimator.coef_ * signs
        bias[present] = (estimator.intercept_ * signs).ravel() if two else estimator.intercept_
    return weight, bias


def _folds(targets: np.ndarray, generator: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """Training and held-out rows of each fold; the rows of a class are dealt out evenly."""
    rows = generator.permutation(len(targets))[:_ROWS_TO_CHOOSE]
    if targets.ndim == 1:
        rows = rows[np.argsort(targets[rows], kind="stable")]
    fold = np.arange(len(rows)) % _FOLDS
    return [(np.sort(rows[fold != held]), np.sort(rows[fold == held])) for held in range(_FOLDS)]


def _rotated(features: sparse.csr_array) -> tuple[Features, np.ndarray | None]:
    """Few long texts as dense coordinates in the space that they span, where an L2 penalty has the same solution.

    Returns:
        The features, and the basis of shape (rows, coordinates) that leads back: weights for the features are
        `(weights @ basis.T) @ features`. The features as they are, and None, where the rows are many or short.
    """
    if features.shape[0] ** 2 > features.nnz:
        return features, None
    values, vectors = np.linalg.eigh((features @ features.T).toarray().astype(np.float64))
    kept = values > values[-1] * 1e-7
    scale = np.sqrt(values[kept])
    return (vectors[:, kept] * scale).astype(np.float32), vectors[:, kept] / scale
