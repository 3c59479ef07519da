"""The trials on disk: claimed once, ended whole, and only the best keeps its application."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.tuning.searches import outcome

from headwater.application import Stage
from headwater.tuning.dimension import Point
from headwater.tuning.trials import FAILED, PRUNED, Outcome, Trials


@pytest.fixture
def trials(tmp_path: Path) -> Trials:
    return Trials(tmp_path / "trials")


def test_a_number_is_claimed_by_one_only(trials: Trials) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: Trials(trials.folder).claim(20), range(24)))
    assert sorted(number for number in found if number) == list(range(1, 21))
    assert found.count(None) == 4
    trials.give_back(7)
    assert (trials.claim(20), trials.claim(20)) == (7, None)


def test_an_outcome_reads_back(trials: Trials) -> None:
    stage = vars(Stage("full", 0.9, 0.8, 1.0, 3.0, "kept"))
    one = outcome(3, 0.9, right=[1.0, 0.0], stages=[stage], curve=[{"epoch": 1}], values={"dropout": 0.1})
    trials.claim(1)
    trials.of(3).mkdir()
    trials.end(one)
    (read,) = Trials(trials.folder).outcomes()
    assert read == one
    assert trials.unfinished() == [1]
    assert Outcome.from_json(one.to_json()) == one


def test_the_best_is_complete_and_the_earliest_of_equals(trials: Trials) -> None:
    assert trials.best() is None
    for number, score, state in ((1, 0.5, "complete"), (2, 0.7, "complete"), (3, 0.7, "complete"), (4, 0.9, PRUNED)):
        trials.of(number).mkdir()
        trials.end(outcome(number, score, state=state, defaults=number == 1))
        (trials.application(number)).mkdir()
    best = trials.best()
    assert best is not None
    assert best.number == 2
    trials.drop_losers()
    assert [number for number in range(1, 5) if trials.application(number).exists()] == [1, 2]


def test_an_ended_trial_keeps_its_logs_and_no_checkpoint(trials: Trials) -> None:
    number = trials.claim(1) or 0
    trials.begin(number, Point("cnn"), worker=2)
    for name in ("model/checkpoint.safetensors", "model/logs/events", "application/application.json", "seconds.json"):
        (trials.of(number) / name).parent.mkdir(parents=True, exist_ok=True)
        (trials.of(number) / name).write_text("x")
    trials.end(outcome(number))
    left = {path.relative_to(trials.of(number)).as_posix() for path in trials.of(number).rglob("*") if path.is_file()}
    assert left == {"model/logs/events", "application/application.json", "point.json", "outcome.json"}
    assert trials.begun() == {1: (Point("cnn"), 2)}


def test_a_trial_is_told_in_a_line() -> None:
    one = outcome(2, 0.75, values={"dropout": 0.1})
    assert one.told(best=True) == "trial 2: 0.750 on validation after 1.0 s, the best so far: dropout 0.1"
    lost = outcome(3, None, state=FAILED, reason="no memory.", defaults=True)
    assert lost.told(best=False) == "trial 3: failed after 1.0 s with the defaults: no memory."
    pruned = outcome(4, 0.5, state=PRUNED, reason="as it lagged")
    assert pruned.told(best=False) == "trial 4: 0.500 on validation after 1.0 s, pruned as it lagged: the defaults"
