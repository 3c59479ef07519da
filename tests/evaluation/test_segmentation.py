"""What a stream of class maps is counted into, and how sure the numbers are."""

from __future__ import annotations

import numpy as np
import pytest

from headwater.evaluation import segmentation
from headwater.evaluation.overlap import confusion_of, counts_of, overall
from headwater.evaluation.segmentation import MaskTally

CLASSES = ("road", "sky", "car")


def stream(rows: int, right: float = 0.8, seed: int = 0):
    random = np.random.default_rng(seed)
    for _ in range(rows):
        known = random.integers(0, 3, (12, 16))
        known[0] = -1
        hit = random.random(known.shape) < right + random.uniform(-0.15, 0.15)
        yield known, np.where(hit, known, random.integers(0, 3, known.shape))


def tallied(rows: int, right: float = 0.8, seed: int = 0) -> MaskTally:
    tally = MaskTally(CLASSES, ("model", "majority"))
    for known, found in stream(rows, right, seed):
        tally.update(known, {"model": found, "majority": np.zeros_like(known)})
    return tally


def test_counts_are_summed_over_pictures():
    tally = tallied(12)
    matrix = sum(confusion_of(known, found, 3) for known, found in stream(12))
    wanted = overall(counts_of(np.asarray(matrix)))
    found = tally.metrics()
    for name, value in wanted.items():
        assert found[name].value == pytest.approx(float(value))
    assert tally.confusion()["counts"] == np.asarray(matrix).tolist()
    assert tally.rows == len(tally.scores) == 12
    assert tally.baseline_metrics()["majority"]["mean_class_accuracy"].value == pytest.approx(1 / 3)


def test_intervals_hold_the_value_and_shrink_with_pictures():
    few, many = (tallied(rows).metrics()["mean_iou"] for rows in (8, 128))
    for one in (few, many):
        assert one.low < one.value < one.high
    assert many.high - many.low < 0.5 * (few.high - few.low)


def test_the_interval_is_that_of_drawing_pictures():
    """As wide as the spread of the mean IoU over streams of so many pictures."""
    values = [tallied(30, seed=seed).metrics()["mean_iou"].value for seed in range(40)]
    interval = tallied(30).metrics()["mean_iou"]
    assert (interval.high - interval.low) / 3.92 == pytest.approx(np.std(values), rel=0.45)


def test_the_gain_over_a_baseline_is_paired():
    tally = tallied(20)
    assert tally.best_baseline() == "majority"
    gain = tally.gain("majority")
    assert gain.real
    assert "in mean IoU" in gain.sentence
    assert MaskTally(CLASSES, ("model",)).best_baseline() is None


def test_each_class_has_its_pixels_pictures_and_scores():
    tally = MaskTally(CLASSES, ("model",))
    known = np.zeros((6, 6), int)
    known[:3] = 1
    tally.update(known, {"model": known})
    road, sky, car = tally.per_class()
    assert (road["class"], road["support"], road["pictures"], road["iou"]["value"]) == ("road", 18, 1, 1.0)
    assert (sky["boundary_f"]["value"], sky["predicted"]) == (1.0, 18)
    assert (car["support"], car["pictures"], car["boundary_f"]["value"]) == (0, 0, None)
    assert tally.absent == ("car",)


def test_pairs_are_those_most_often_confused():
    tally = MaskTally(CLASSES, ("model",))
    known = np.array([[0, 0, 0, 0, 1, 1, 2, 2]])
    tally.update(known, {"model": np.array([[0, 2, 2, 2, 1, 0, 2, 2]])})
    assert tally.confusion()["pairs"] == [
        {"target": "road", "prediction": "car", "count": 3, "share": 0.75},
        {"target": "sky", "prediction": "road", "count": 1, "share": 0.5},
    ]
    shown = tally.confusion(2)
    assert (shown["classes"], shown["left_out"], shown["unit"]) == (["road", "sky"], 1, "pixels")


def test_many_pictures_are_measured_whole_and_drawn_from_a_sample(monkeypatch):
    monkeypatch.setattr(segmentation, "_MOST_PICTURES", 20)
    monkeypatch.setattr(segmentation, "_FEWEST_PICTURES", 4)
    sampled, whole = tallied(80), None
    monkeypatch.undo()
    whole = tallied(80)
    one, other = sampled.metrics()["mean_iou"], whole.metrics()["mean_iou"]
    assert one.value == other.value
    assert one.high - one.low == pytest.approx(other.high - other.low, rel=0.6)


def test_without_pictures_nothing_is_measured():
    tally = MaskTally(CLASSES, ("model", "majority"))
    assert tally.absent == CLASSES
    assert tally.confusion()["pairs"] == []
