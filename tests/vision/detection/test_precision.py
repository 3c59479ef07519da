import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from headwater.data.boxes import Boxes, no_boxes
from headwater.vision.detection.precision import interval, mean_precision

BOX, BESIDE = [0, 0, 10, 10], [20, 20, 30, 30]


def known(places, labels=None, difficult=None):
    places = np.array(places, np.float32).reshape(-1, 4)
    labels = np.zeros(len(places), int) if labels is None else np.array(labels)
    return Boxes(places, labels, None, None if difficult is None else np.array(difficult))


def found(places, scores, labels=None):
    boxes = known(places, labels)
    return Boxes(boxes.places, boxes.labels, np.array(scores, np.float32))


@pytest.mark.parametrize(
    ("places", "scores", "expected"),
    [
        ([BOX, BESIDE], [0.9, 0.8], 1.0),
        ([BOX], [0.9], 0.5),
        ([BOX, BOX, BESIDE], [0.9, 0.8, 0.7], 0.5 + 0.5 * 2 / 3),
        ([[40, 0, 50, 10], BOX, BESIDE], [0.9, 0.8, 0.7], 2 / 3),
        ([[0, 0, 10, 19], [0, 0, 10, 21]], [0.9, 0.8], 0.5),
        ([], [], 0.0),
    ],
    ids=["all", "one of two", "one twice", "a wrong one first", "half an overlap", "none"],
)
def test_known_answers(places, scores, expected):
    assert mean_precision([found(places, scores)], [known([BOX, BESIDE])]) == pytest.approx(expected)


def test_a_class_without_boxes_does_not_count_and_a_wrong_class_is_wrong():
    truth = [known([BOX, BESIDE], [0, 2])]
    assert mean_precision([found([BOX, BESIDE], [0.9, 0.8], [0, 1])], truth) == 0.5
    assert mean_precision([found([BOX], [0.9], [1])], [no_boxes()]) == 0.0


def test_a_difficult_box_is_neither_asked_for_nor_blamed():
    truth = [known([BOX, BESIDE], difficult=[True, False])]
    assert mean_precision([found([BOX, BESIDE], [0.9, 0.8])], truth) == 1.0
    assert mean_precision([found([BESIDE], [0.9])], truth) == 1.0


def test_without_duplicates_it_is_the_interpolated_area_of_the_ranking():
    random = np.random.default_rng(0)
    right = random.random(50) < 0.5
    scores = random.permutation(50) / 50
    places = [BOX if hit else BESIDE for hit in right]
    pairs = [(found([place], [score]), known([BOX])) for place, score in zip(places, scores, strict=True)]
    missed = int((~right).sum())
    order = np.argsort(-scores)
    precision = right[order].cumsum() / np.arange(1, 51)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    value = mean_precision(*zip(*pairs, strict=True))
    assert value == pytest.approx(best[right[order]].sum() / 50)
    assert value >= average_precision_score(right, scores) * (50 - missed) / 50


def test_the_interval_holds_the_score_and_repeats():
    pairs = [(found([BOX], [0.5 + row / 100]), known([BOX if row % 3 else BESIDE])) for row in range(30)]
    score, low, high = interval(*zip(*pairs, strict=True), seed=0)
    assert 0 < low < score < high < 1
    assert interval(*zip(*pairs, strict=True), seed=0) == (score, low, high)
    assert interval([], [], seed=0) == (0.0, 0.0, 0.0)
