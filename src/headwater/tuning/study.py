"""Optuna's part of the search: it draws the points, and says which trainings are not worth going on with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from headwater.errors import ExtraError
from headwater.run import Judge
from headwater.tuning.trials import COMPLETE, PRUNED, Outcome

_NAME = "headwater"
_QUARTERS = 4
_COMPARABLE = 3
"""Trials that must have come as far before another is measured against them."""


class Study:
    """A search as Optuna keeps it, in a journal of JSON lines that several processes may write.

    Points are drawn by the tree-structured Parzen estimator (Bergstra et al. 2011), reseeded for each trial by its
    number: what is drawn follows from the seed and the trials before it, however often the search was interrupted.
    Trainings are pruned by the median rule (Golovin et al. 2017).

    Args:
        journal: the file.
        seed: the seed of the search.

    Raises:
        ExtraError: Optuna is not installed.
    """

    def __init__(self, journal: Path, seed: int) -> None:
        self._optuna, self._seed = _library(), seed
        backend = self._optuna.storages.journal.JournalFileBackend(str(journal))
        verbosity = self._optuna.logging.get_verbosity()
        self._optuna.logging.set_verbosity(self._optuna.logging.WARNING)
        try:
            self._study = self._optuna.create_study(
                study_name=_NAME,
                storage=self._optuna.storages.JournalStorage(backend),
                pruner=self._optuna.pruners.MedianPruner(n_min_trials=_COMPARABLE),
                direction="maximize",
                load_if_exists=True,
            )
        finally:
            self._optuna.logging.set_verbosity(verbosity)

    def ask(self, number: int, attempt: int = 0, places: Mapping[str, Any] | None = None) -> Any:
        """A trial of Optuna's, which draws values when it is asked for them.

        Args:
            number: the number of our trial.
            attempt: how many points were drawn for it in vain; after the first, they are drawn at random.
            places: values to give instead of drawing.
        """
        seed = int(np.random.SeedSequence([self._seed, number, attempt]).generate_state(1)[0])
        samplers = self._optuna.samplers
        if places is not None:
            self._study.sampler = _given(samplers.BaseSampler, places)
        else:
            self._study.sampler = (samplers.RandomSampler if attempt else samplers.TPESampler)(seed=seed)
        trial = self._study.ask()
        trial.set_user_attr("number", number)
        return trial

    def judge(self, trial: Any) -> Judge:
        """Who stops the training of a trial that is not worth going on with.

        After each quarter of its epochs a training is compared with those that came to their end, as they were at
        the same quarter: the learning rate falls with the share of a training that is done, not with its epochs.
        """
        told = 0

        def judge(share: float, score: float) -> str:
            nonlocal told
            quarter = int(_QUARTERS * share + 1e-9)
            if quarter in (told, _QUARTERS):
                return ""
            told = quarter
            trial.report(score, quarter)
            return f"as it was below the median after {quarter} of {_QUARTERS} quarters" if trial.should_prune() else ""

        return judge

    def tell(self, trial: Any, outcome: Outcome) -> None:
        """Notes what came of a trial; `trial` is Optuna's, or its number."""
        if outcome.state == COMPLETE:
            self._study.tell(trial, outcome.score)
        else:
            self._study.tell(trial, state=self._state("PRUNED" if outcome.state == PRUNED else "FAIL"))

    def give_up(self, trial: Any) -> None:
        """Notes that nothing can be learnt from a point: it was tried before, or its trial was interrupted."""
        self._study.tell(trial, state=self._state("FAIL"))

    def running(self) -> dict[int, int]:
        """The trials without an end: our number by Optuna's; 0 where a process was killed before it could say."""
        trials = self._study.get_trials(deepcopy=False, states=(self._state("RUNNING"),))
        return {trial.number: trial.user_attrs.get("number", 0) for trial in trials}

    def _state(self, name: str) -> Any:
        return self._optuna.trial.TrialState[name]


def mend(journal: Path) -> None:
    """Cuts off the line that a killed process left half written; for a journal that no process is writing."""
    content = journal.read_bytes() if journal.exists() else b""
    if content and not content.endswith(b"\n"):
        journal.write_bytes(content[: content.rfind(b"\n") + 1])


def _given(sampler: type, places: Mapping[str, Any]) -> Any:
    """A sampler of Optuna's kind that gives known values."""

    class Given(sampler):
        def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
            return {}

        def sample_relative(self, study: Any, trial: Any, search_space: dict[str, Any]) -> dict[str, Any]:
            return {}

        def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
            return places[param_name]

    return Given()


def _library() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise ExtraError(
            "A search is drawn by Optuna, which is not installed", where="headwater tune",
            fix="Install it with: pip install 'headwater[tune]'",
        ) from error  # fmt: skip
    return optuna
