"""A basic model judged on rows that it has not seen: fitted once a fold, on the rows of the others."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from headwater import __version__, progress
from headwater.data.holdout import stratified
from headwater.options import plain
from headwater.ranking.cost import Cost
from headwater.run import scratch
from headwater.transfer import scores
from headwater.transfer.classifier import Classifier, Examples
from headwater.transfer.dealing import Deal

if TYPE_CHECKING:
    from headwater.run import Run


@dataclass(frozen=True)
class Fitted:
    """What fits on folds have told.

    Attributes:
        right: whether each row was right when it was held out, shape (rows,).
        cost: what answering takes, with the size of the first fit.
    """

    right: np.ndarray
    cost: Cost

    def to_json(self) -> dict[str, Any]:
        """Rows and cost as values that JSON has."""
        return {"right": self.right.tolist(), "cost": asdict(self.cost)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Fitted:
        """Takes back what `to_json` gave."""
        return cls(np.array(values["right"]), Cost(**values["cost"]))


def fit_on_folds(name: str, kind: type[Classifier], examples: Examples, run: Run) -> Fitted:
    """Fits a model of this class once a fold; what an earlier attempt of the same run noted is not done again."""
    note = f"{name}-{_digest(examples, run)}"
    known = run.recall(note)
    if known is not None:
        return Fitted.from_json(known)
    found = _fit(name, kind, examples, run)
    run.note(note, found.to_json())
    return found


def held_apart(targets: np.ndarray, share: float, seed: int) -> np.ndarray:
    """A mask of a share of the rows, the same of every class.

    Args:
        targets: class positions of shape (rows,), or zeros and ones of shape (rows, classes).
        share: the share of rows.
        seed: the seed of the draw.

    Example:
        >>> held_apart(np.array([0, 0, 0, 0, 1, 1, 1, 1]), 0.5, seed=0).reshape(2, 4).sum(axis=1).tolist()
        [2, 2]
    """
    rows = np.arange(len(targets))
    labels = csr_array(targets) if targets.ndim == 2 else csr_array((np.ones(len(rows)), (rows, targets)))
    return stratified(rows, labels, share, seed)


def _fit(name: str, kind: type[Classifier], examples: Examples, run: Run) -> Fitted:
    folds = Deal(run.settings.seed, examples.groups).folds(examples.targets)
    logits, seconds, cost = np.zeros((len(examples), examples.n_classes)), 0.0, Cost()
    with progress.bar(f"{name} on folds", len(folds)) as shown, progress.quiet():
        for held in folds:
            with scratch(run.settings) as work:
                fitted = kind().fit(*_divided(kind, examples, held, run), work)
                began = time.perf_counter()
                logits[held] = fitted.logits(examples.take(held).inputs)
                seconds += time.perf_counter() - began
                cost = cost if cost.parameters else _size(fitted, work)
            shown.advance()
    answered = max(sum(map(len, folds)), 1)
    return Fitted(scores.correct(logits, examples.targets), replace(cost, seconds=1000 * seconds / answered))


def _divided(kind: type[Classifier], examples: Examples, held: np.ndarray, run: Run) -> tuple[Examples, Examples]:
    """The rows that learn, and those that choose the epoch: never the ones that are held out to judge."""
    rest = examples.take(np.setdiff1d(np.arange(len(examples)), held))
    if not kind.needs_valid:
        return rest, rest
    apart = held_apart(rest.targets, run.settings.valid_share, run.settings.seed)
    return rest.take(np.flatnonzero(~apart)), rest.take(np.flatnonzero(apart))


def _size(fitted: Classifier, work: Run) -> Cost:
    folder = work.part("saved").folder
    fitted.save(folder)
    facts = fitted.facts(work)
    weights = sum(file.stat().st_size for file in folder.rglob("*.safetensors"))
    return Cost(parameters=facts.parameters, megabytes=weights / 1e6, max_length=facts.max_length)


def _digest(examples: Examples, run: Run) -> str:
    """What the fits depend on: the rows, the settings, and the headwater that does it."""
    told = [list(examples.inputs), examples.targets.tolist(), plain(run.settings), __version__]
    return hashlib.sha256(repr(told).encode("utf-8", "surrogatepass")).hexdigest()[:16]
