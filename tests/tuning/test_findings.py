"""What is said of a finished search."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from tests.tuning.searches import outcome

from headwater.tuning.asked import Asked
from headwater.tuning.findings import Findings, importance, share_between
from headwater.tuning.trials import FAILED, PRUNED

ROWS = {"train": 80, "valid": 20, "test": 40}


def test_the_share_is_that_of_the_analysis_of_variance() -> None:
    random = np.random.default_rng(3)
    parts = np.repeat([0, 1, 2], [8, 9, 10])
    values = random.normal(size=27) + parts * 0.5
    test = stats.f_oneway(*(values[parts == part] for part in range(3)))
    share, chance = share_between(parts, values, seed=0)
    between, within = 2, 24
    assert share == pytest.approx((between * (test.statistic - 1)) / (between * test.statistic + within), abs=1e-3)
    assert chance == pytest.approx(test.pvalue, abs=0.02)


@pytest.mark.parametrize("values", [[0.5, 0.5, 0.5, 0.5], [0.1, 0.2, 0.3, 0.4]])
def test_where_nothing_can_be_told_the_share_is_zero(values: list[float]) -> None:
    parts = np.arange(4)
    assert share_between(parts, np.array(values), seed=0) == (0.0, 1.0)


def test_the_setting_that_decides_comes_first() -> None:
    random = np.random.default_rng(0)
    found = []
    for number in range(2, 40):
        rate, strategy = float(random.uniform()), str(random.choice(["full", "lora"]))
        values = {"learning_rate": rate, "strategy": strategy}
        values |= {"lora_rank": int(random.integers(2, 64))} if strategy == "lora" else {}
        # Best in the middle: a rank correlation would see nothing.
        found.append(outcome(number, 1 - abs(rate - 0.5) + float(random.normal(0, 0.02)), values=values))
    first, *others = importance(found, seed=0)
    assert (first["name"], first["trials"]) == ("learning_rate", 38)
    assert first["share"] > 0.5
    assert first["chance"] < 0.01
    assert all(row["share"] < 0.2 for row in others)
    assert {row["name"] for row in others} == {"strategy", "lora_rank"}
    assert importance(found[:4], seed=0) == []


def findings(*outcomes, best: int, **settings) -> Findings:
    asked = Asked.of("text-classification", "rows.csv", "cnn", settings)
    on_test = np.repeat([1.0, 0.0], [30, 10]), np.repeat([1.0, 0.0], [20, 20])
    chosen = next(one for one in outcomes if one.number == best)
    return Findings(asked, outcomes, chosen, "all trials are done", ROWS, () if chosen.defaults else on_test)


def test_the_gain_over_the_defaults_is_paired() -> None:
    defaults = outcome(1, 0.5, defaults=True, right=[1.0, 0.0] * 10)
    best = outcome(2, 0.75, right=[1.0, 1.0, 1.0, 0.0] * 5)
    found = findings(defaults, best, outcome(3, 0.4, state=PRUNED), outcome(4, None, state=FAILED), best=2)
    assert found.gains["validation"].value == pytest.approx(0.25)
    assert found.gains["test"].value == pytest.approx(0.25)
    assert found.gains["test"].real
    assert found.notes[0] == (
        "4 trials (1 of them pruned, 1 of them failed) were compared on the same 20 validation rows and the best was "
        "kept: its validation score is optimistic. The test rows had no part in the choice."
    )
    assert found.notes[2].startswith("On the test rows: Better than the defaults by 0.250 in accuracy")
    told = found.to_json()
    assert [trial["state"] for trial in told["trials"]] == ["complete", "complete", "pruned", "failed"]
    assert told["best"] == 2


def test_defaults_that_won_or_failed_are_told() -> None:
    won = findings(outcome(1, 0.5, defaults=True), outcome(2, 0.4), best=1)
    assert won.gains == {}
    assert "No trial was better than the defaults on the validation rows:" in won.notes[1]
    failed = findings(outcome(1, None, state=FAILED, defaults=True, reason="no memory"), outcome(2, 0.4), best=2)
    assert failed.notes[1] == "The defaults failed, so there is nothing to compare with: no memory"


def test_a_winner_that_the_budget_may_have_cut_is_told() -> None:
    defaults, best = outcome(1, 0.5, defaults=True, right=[1.0, 0.0]), outcome(2, 0.6, right=[1.0, 1.0])
    found = findings(defaults, best, best=2, budget="10m")
    assert "the end of the budget may have cut its training short" in found.notes[-1]
