import numpy as np
import pytest

from headwater.data.boxes import Boxes, no_boxes
from headwater.evaluation.detection import BoxTally
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
    assert mean_precision([found(places, scores)], [known([BOX, BESIDE])]) == pytest.approx(expected, abs=0.01)


def test_a_class_without_boxes_does_not_count_and_a_wrong_class_is_wrong():
    truth = [known([BOX, BESIDE], [0, 2])]
    assert mean_precision([found([BOX, BESIDE], [0.9, 0.8], [0, 1])], truth) == 0.5
    assert mean_precision([found([BOX], [0.9], [1])], [no_boxes()]) == 0.0
    assert mean_precision([], []) == 0.0


def test_a_difficult_box_is_neither_asked_for_nor_blamed():
    truth = [known([BOX, BESIDE], difficult=[True, False])]
    assert mean_precision([found([BOX, BESIDE], [0.9, 0.8])], truth) == 1.0
    assert mean_precision([found([BESIDE], [0.9])], truth) == 1.0


def test_it_is_the_metric_of_the_report():
    random = np.random.default_rng(0)
    truth, answers = [], []
    for _ in range(20):
        places = random.uniform(0, 80, (6, 2))
        places = np.concatenate([places, places + random.uniform(4, 30, (6, 2))], axis=1)
        truth.append(known(places[:4], random.integers(0, 3, 4), random.random(4) < 0.2))
        answers.append(found(places + random.normal(0, 1, (6, 4)), random.random(6), random.integers(0, 3, 6)))
    tally = BoxTally((0, 1, 2))
    tally.update(truth, {"model": answers})
    metric = tally.metrics()["map50"]
    assert mean_precision(answers, truth) == pytest.approx(metric.value)
    score, low, high = interval(answers, truth, seed=0)
    assert score == pytest.approx(metric.value)
    assert 0 < low < score < high < 1
    assert interval(answers, truth, seed=0) == (score, low, high)


def test_no_picture_has_no_interval():
    assert interval([], [], seed=0) == (0.0, 0.0, 0.0)
