import numpy as np
import pytest

from headwater.evaluation.html import page
from headwater.evaluation.recommendation import Measured, Ranked
from headwater.evaluation.report import Report

RANDOM = np.random.default_rng(0)
GOOD = RANDOM.random(300)
ERRORS = np.stack([RANDOM.random(300) * 4, RANDOM.random(300) * 2, np.full(300, 2.0)], axis=1)


def _measured(**more):
    ranked = {
        "svd": Ranked({"ndcg": GOOD, "diversity": np.where(GOOD > 0.5, GOOD, np.nan)}, 0.4, ERRORS),
        "popularity": Ranked({"ndcg": GOOD / 2}, 0.1),
        "ease": Ranked({"ndcg": np.maximum(GOOD - 0.1, 0)}, 0.3),
        "biases": Ranked({}, 0.0, ERRORS * 1.1),
    }
    return Measured(ranked, "a random 20 % of each user's interactions is the test", 10, **more)


def test_each_metric_has_its_interval_over_users():
    metrics = _measured().metrics()
    assert metrics["ndcg"].value == pytest.approx(GOOD.mean())
    spread = GOOD.std() / np.sqrt(300)
    assert metrics["ndcg"].high - metrics["ndcg"].low == pytest.approx(2 * 1.96 * spread, rel=0.15)
    assert metrics["diversity"].value == pytest.approx(GOOD[GOOD > 0.5].mean())
    assert metrics["coverage"].value == 0.4
    assert metrics["rmse"].value == pytest.approx(np.sqrt(ERRORS[:, 0].sum() / 600))
    assert metrics["mae"].value == pytest.approx(ERRORS[:, 1].sum() / 600)
    assert metrics["mae"].low < metrics["mae"].value < metrics["mae"].high


def test_the_gain_is_over_the_better_baseline_of_the_same_users():
    measured = _measured()
    assert measured.best_baseline == "ease"
    gain = measured.gain("ease")
    assert gain.real
    assert gain.value == pytest.approx((GOOD - np.maximum(GOOD - 0.1, 0)).mean())
    assert gain.high - gain.low < 0.02
    assert set(measured.baseline_metrics()["biases"]) == {"rmse", "mae"}


def test_the_protocol_is_the_first_thing_that_is_said():
    said = _measured(notes=["Something else."]).sentences()
    assert said[0].startswith("Protocol: a random 20 %")
    assert "300 users were measured" in said[0]
    assert said[1] == "Something else."


def test_names_of_the_user_are_escaped_on_the_page():
    row = {"user": "<b>u</b>", "history": ["<i>"], "list": [{"item": "<script>", "right": True}], "right": 2}
    rows = [{"group": "1 to 2 items", "count": 3, "scores": {"svd": 0.5}}]
    sections = {"names": ["svd"], "activity": rows, "popularity": rows, "lists": [row]}
    report = Report.of_recommendation(_measured(sections=sections), task="recommendation", model="svd")
    text = page(report)
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "1 of 2" in text
    assert Report.from_json(report.to_json()).lists == report.lists
    assert "RMSE" in str(report)
