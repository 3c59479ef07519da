"""What Optuna is asked: the same seed draws the same points, and the median rule stops what lags behind."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.tuning.searches import outcome

from headwater.errors import ExtraError
from headwater.tuning import study as studies
from headwater.tuning.study import Study
from headwater.tuning.trials import FAILED, PRUNED


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def points(study: Study, numbers: range) -> list[float]:
    """The values of some trials whose score is the value itself."""
    found = []
    for number in numbers:
        trial = study.ask(number)
        found.append(trial.suggest_float("x", 0, 1))
        study.tell(trial, outcome(number, found[-1]))
    return found


def test_a_search_in_two_parts_draws_what_an_unbroken_one_draws(tmp_path: Path) -> None:
    whole = points(Study(tmp_path / "a", 5), range(1, 16))
    first = points(Study(tmp_path / "b", 5), range(1, 13))
    broken = Study(tmp_path / "b", 5)
    lost = broken.ask(13)
    lost.suggest_float("x", 0, 1)
    again = Study(tmp_path / "b", 5)
    assert again.running() == {12: 13}
    again.give_up(12)
    assert first + points(again, range(13, 16)) == whole
    assert len(set(whole)) == 15
    assert points(Study(tmp_path / "c", 6), range(1, 4)) != whole[:3]


def test_known_places_are_given_and_not_drawn(journal: Path) -> None:
    trial = Study(journal, 0).ask(1, places={"x": 0.25, "c": "b"})
    assert (trial.suggest_float("x", 0, 1), trial.suggest_categorical("c", ["a", "b"])) == (0.25, "b")


def test_a_second_attempt_draws_another_point(journal: Path) -> None:
    study = Study(journal, 0)
    assert study.ask(1, 0).suggest_float("x", 0, 1) != study.ask(1, 1).suggest_float("x", 0, 1)


def grown(study: Study, number: int, scores: list[float]) -> str:
    """Runs a training of eight epochs until its judge stops it, and says why."""
    trial = study.ask(number)
    judge = study.judge(trial)
    for epoch, score in enumerate(scores, 1):
        if reason := judge(epoch / len(scores), score):
            study.tell(trial, outcome(number, score, state=PRUNED))
            return reason
    study.tell(trial, outcome(number, scores[-1]))
    return ""


def test_a_training_below_the_median_stops_at_its_quarter(journal: Path) -> None:
    study = Study(journal, 0)
    for number in range(1, 6):
        assert grown(study, number, [0.5, 0.6, 0.7, 0.8, 0.8, 0.8, 0.8, 0.8 + number / 100]) == ""
    assert grown(study, 6, [0.5] * 8) == "as it was below the median after 1 of 4 quarters"
    assert grown(study, 7, [0.9] * 8) == ""
    # Two epochs in all: only the middle can be compared.
    assert grown(study, 8, [0.7, 0.9]) == "as it was below the median after 2 of 4 quarters"
    assert grown(study, 9, [0.1]) == ""


def test_a_failed_trial_teaches_nothing(journal: Path) -> None:
    study = Study(journal, 0)
    study.tell(study.ask(1), outcome(1, None, state=FAILED))
    assert study.running() == {}


def test_a_half_written_line_is_cut_off(journal: Path) -> None:
    points(Study(journal, 3), range(1, 4))
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code": 4, "wor')
    studies.mend(journal)
    assert journal.read_bytes() == whole
    studies.mend(journal.with_name("none"))
    points(Study(journal, 3), range(4, 6))


def test_without_optuna_the_extra_is_named(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = builtins.__import__

    def absent(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "optuna":
            raise ModuleNotFoundError("No module named 'optuna'", name="optuna")
        return load(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "optuna", raising=False)
    monkeypatch.setattr(builtins, "__import__", absent)
    sentence = r"A search is drawn by Optuna, which is not installed. Install it with: pip install 'headwater\[tune\]'"
    with pytest.raises(ExtraError, match=sentence):
        Study(journal, 0)
