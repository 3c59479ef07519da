"""The loop: what ends it, what counts as a failed trial, and what is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.contract.texts import texts
from tests.tuning.searches import FAST, LINEAR, outcome

from headwater.application import Marks
from headwater.errors import NotFoundError, ResourceError
from headwater.language.classification.task import TextClassification
from headwater.run import Run
from headwater.tuning import loop as loops
from headwater.tuning.asked import Asked
from headwater.tuning.loop import Loop
from headwater.tuning.trials import COMPLETE, FAILED, PRUNED

PREPARED = TextClassification("tfidf-logistic").prepare(texts(60))


def loop(folder: Path, **settings: Any) -> Loop:
    asked = Asked.of("text-classification", None, settings.pop("model", LINEAR), settings)
    return Loop(asked, PREPARED, Run(asked.request.settings, folder))


def test_a_space_of_two_points_is_tried_once_each(tmp_path: Path) -> None:
    found = loop(tmp_path)
    first, second = found()
    assert (first.defaults, second.defaults) == (True, False)
    assert [one.point.model for one in (first, second)] == ["tfidf-logistic", "tfidf-svm"]
    assert first.stages[-1]["name"].startswith("C = ")
    assert len(first.right) == len(PREPARED.valid)
    assert found.why_stop() == ""
    assert list(found()) == []


def test_no_trial_begins_that_the_budget_cannot_end(tmp_path: Path) -> None:
    found = loop(tmp_path, budget="100s")
    assert found.why_stop() == ""
    for number, seconds in ((1, 40.0), (2, 60.0), (3, 500.0)):
        found.trials.of(number).mkdir()
        found.trials.end(outcome(number, seconds=seconds, state=PRUNED if number == 3 else COMPLETE))
    assert found.why_stop() == ""  # about 50 seconds a trial, 100 left
    found.run.started -= 60
    assert found.why_stop() == "the budget of 100s leaves no time for another trial"


@pytest.mark.parametrize(("most", "told"), [(1, "the only trial is done"), (2, "all 2 trials are done")])
def test_no_trial_begins_after_the_last(tmp_path: Path, most: int, told: str) -> None:
    found = loop(tmp_path, trials=most)
    assert found.why_stop() == ""
    for number in range(1, most + 1):
        found.trials.of(number).mkdir()
        found.trials.end(outcome(number, seconds=1.0, state=COMPLETE))
    assert found.why_stop() == told


def test_a_used_up_budget_begins_nothing(tmp_path: Path) -> None:
    assert list(loop(tmp_path, budget="0s")()) == []


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (ResourceError("One row alone does not fit"), "One row alone does not fit."),
        (RuntimeError("CUDA out of memory"), "the memory does not suffice: CUDA out of memory"),
        (MemoryError("9 GiB"), "the memory does not suffice: 9 GiB"),
    ],
)
def test_a_trial_that_fails_is_one_answer_among_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception, reason: str
) -> None:
    fit = loops.fit

    def failing(request: Any, *rest: Any) -> Any:
        if request.model == "tfidf-logistic":
            raise failure
        return fit(request, *rest)

    monkeypatch.setattr(loops, "fit", failing)
    found = loop(tmp_path)
    first, second = found()
    assert (first.state, first.reason, first.score) == (FAILED, reason, None)
    assert (second.state, found.trials.best()) == (COMPLETE, second)


def test_a_score_that_is_no_number_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = Marks(np.array([np.nan]), np.array([0.0]), 1.0)
    monkeypatch.setattr(TextClassification, "marks", lambda *_: nothing)
    monkeypatch.setattr(loops.scores, "estimate", lambda *_, **__: outcome(1).estimate)
    assert {one.reason for one in loop(tmp_path)()} == {"its score is not a finite number"}


@pytest.mark.parametrize("failure", [RuntimeError("a bug"), NotFoundError("There is no such foundation")])
def test_what_is_not_the_trials_own_fault_ends_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def failing(*_: Any) -> None:
        raise failure

    monkeypatch.setattr(loops, "fit", failing)
    found = loop(tmp_path)
    with pytest.raises(type(failure), match=str(failure)):
        list(found())
    found.forget_unbegun()
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_trial_is_run_again_and_an_untold_one_is_told(tmp_path: Path, monkeypatch: Any) -> None:
    found = loop(tmp_path)
    runs = found()
    next(runs)

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(found.study, "tell", killed)
        with pytest.raises(KeyboardInterrupt):
            next(runs)
    assert len(found.study.running()) == 1
    again = loop(tmp_path)
    again.trials.of(3).mkdir()
    again.start()
    assert again.study.running() == {}
    assert again.trials.unfinished() == []
    assert [one.number for one in again.trials.outcomes()] == [1, 2]


def test_a_pruned_training_stops_early_and_keeps_no_application(tmp_path: Path, monkeypatch: Any) -> None:
    shares: list[float] = []

    def judge(share: float, score: float) -> str:
        shares.append(share)
        return "as it lags" if share == 0.5 else ""

    found = loop(tmp_path, **{**FAST, "epochs": 4, "patience": 4})
    monkeypatch.setattr(found.study, "judge", lambda _: judge)
    first = next(found())
    assert (first.state, first.reason, shares) == (PRUNED, "as it lags", [0.25, 0.5])
    assert len(first.curve) == 2
    assert first.stages[-1]["decision"] == "as it lags"
    assert not found.trials.application(1).exists()


def test_the_application_of_a_trial_knows_of_no_budget(tmp_path: Path) -> None:
    found = loop(tmp_path, budget="1h")
    assert found.asked.space.request(found.asked.space.planned[0]).settings.budget is None
    assert replace(found.asked.request.settings, budget=None) != found.asked.request.settings
