"""Metrics of found boxes beside a plain re-telling of the rules of COCO and VOC, and answers that are known."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from torchvision.ops import box_iou

from headwater.data.boxes import Boxes, no_boxes
from headwater.evaluation.detection import BoxTally
from headwater.evaluation.matching import OVERLAPS, match, overlaps

AREAS = {"": (0, 1e10), "_small": (0, 1024), "_medium": (1024, 9216), "_large": (9216, 1e10)}


def scene(random: np.random.Generator, classes: int, hard: float = 0.0, side: int = 200) -> tuple[Boxes, Boxes]:
    """Known boxes of all sizes, a fifth of them crowds, some difficult, and found ones that are near some of them."""
    number = int(random.integers(0, 9))
    corner = random.uniform(0, side * 0.8, (number, 2))
    size = random.choice([12.0, 25, 40, 90, 120], (number, 2)) * random.uniform(0.8, 1.2, (number, 2))
    known = np.concatenate([corner, corner + size], axis=1).round(1)
    labels = random.integers(0, classes, number)
    marked = random.random(number)
    copies = np.repeat(np.arange(number), random.integers(0, 4, number))
    near = known[copies] + random.normal(0, 4, (len(copies), 4))
    stray = random.uniform(0, side * 0.8, (int(random.integers(0, 6)), 2))
    places = np.concatenate([near, np.concatenate([stray, stray + random.uniform(5, 100, stray.shape)], axis=1)])
    places[:, 2:] = np.maximum(places[:, 2:], places[:, :2] + 1)
    names = np.concatenate([labels[copies], random.integers(0, classes, len(stray))])
    wrong = random.random(len(names)) < 0.1
    names = np.where(wrong, random.integers(0, classes, len(names)), names)
    scores = random.choice(np.linspace(0.05, 1, 40), len(places)).astype(np.float32)
    order = np.argsort(-scores, kind="stable")
    return (
        Boxes(known.astype(np.float32), labels, None, (marked > 0.2) & (marked < hard), marked < 0.2),
        Boxes(places[order].astype(np.float32), names[order], scores[order]),
    )


def shared(found, known, crowd):
    width = min(found[2], known[2]) - max(found[0], known[0])
    height = min(found[3], known[3]) - max(found[1], known[1])
    if width <= 0 or height <= 0:
        return 0.0
    area = (found[2] - found[0]) * (found[3] - found[1])
    other = (known[2] - known[0]) * (known[3] - known[1])
    return width * height / (area if crowd else area + other - width * height)


def of_picture(known, found, label, threshold, area, most):
    """For each found box of a class its score, whether it is right and whether it counts; and how many are to find."""
    low, high = area
    mine = [box for box in range(len(found)) if found.labels[box] == label]
    mine = sorted(mine, key=lambda box: -found.scores[box])[:most]
    theirs = [box for box in range(len(known)) if known.labels[box] == label]
    size = lambda place: (float(place[2]) - float(place[0])) * (float(place[3]) - float(place[1]))  # noqa: E731
    skipped = {box: bool(known.pardoned[box]) or not low <= size(known.places[box]) <= high for box in theirs}
    number = sum(not skip for skip in skipped.values())
    single = [box for box in theirs if not known.crowd[box]]
    theirs = sorted((box for box in theirs if not known.difficult[box]), key=lambda box: skipped[box])
    free, told = set(theirs), []
    for box in mine:
        best, gained = None, min(threshold, 1 - 1e-10)
        # The rule of VOC: the box that is overlapped most, taken or not, decides; of two alike the clean one.
        near = [(shared(found.places[box].astype(float), known.places[other].astype(float), False),
                 not known.difficult[other]) for other in single]  # fmt: skip
        if near and max(near)[0] >= gained and not max(near)[1]:
            told.append((float(found.scores[box]), False, False))
            continue
        for other in theirs:
            if other not in free and not known.crowd[other]:
                continue
            if best is not None and not skipped[best] and skipped[other]:
                break
            value = shared(found.places[box].astype(float), known.places[other].astype(float), known.crowd[other])
            if value >= gained:
                best, gained = other, value
        if best is not None:
            free.discard(best)
        pardoned = skipped[best] if best is not None else not low <= size(found.places[box]) <= high
        told.append((float(found.scores[box]), best is not None and not pardoned, not pardoned))
    return told, number


def coco(scenes, classes, thresholds, area=(0, 1e10), most=100):
    """Mean average precision and mean recall over classes and thresholds, with loops and lists alone."""
    precisions, recalls = [], []
    for threshold in thresholds:
        for label in range(classes):
            told, total = [], 0
            for known, found in scenes:
                part, number = of_picture(known, found, label, threshold, area, most)
                told, total = told + part, total + number
            if not total:
                continue
            told.sort(key=lambda one: -one[0])
            right = wrong = 0
            points = []
            for _, hit, counts in told:
                right, wrong = right + (hit and counts), wrong + (not hit and counts)
                points.append((right / total, right / max(right + wrong, 1)))
            levels = [max((p for r, p in points if r >= level), default=0.0) for level in np.linspace(0, 1, 101)]
            precisions.append(sum(levels) / 101)
            recalls.append(right / total)
    return (np.mean(precisions), np.mean(recalls)) if precisions else (np.nan, np.nan)


def scenes_of(seed, number, classes, hard=0.0):
    random = np.random.default_rng(seed)
    return [scene(random, classes, hard) for _ in range(number)]


def tally_of(scenes, classes, parts=(None,)):
    tally = BoxTally(tuple(range(classes)))
    start = 0
    for end in (*[part for part in parts if part], len(scenes)):
        known, found = zip(*scenes[start:end], strict=True) if end > start else ((), ())
        tally.update(known, {"model": found})
        start = end
    return tally


@pytest.mark.parametrize(("seed", "hard"), [*((seed, 0.0) for seed in range(4)), (4, 0.5), (5, 0.5)])
def test_metrics_are_those_of_coco(seed, hard):
    scenes = scenes_of(seed, 12, 3, hard)
    assert any(known.difficult.any() for known, _ in scenes) == (hard > 0)
    found = {name: one.value for name, one in tally_of(scenes, 3).metrics().items()}
    for name, area in AREAS.items():
        assert found[f"map{name}"] == pytest.approx(coco(scenes, 3, OVERLAPS, area)[0], abs=1e-9), name
    assert found["map50"] == pytest.approx(coco(scenes, 3, [0.5])[0], abs=1e-9)
    assert found["map75"] == pytest.approx(coco(scenes, 3, [0.75])[0], abs=1e-9)
    for most in (1, 10, 100):
        assert found[f"ar{most}"] == pytest.approx(coco(scenes, 3, OVERLAPS, most=most)[1], abs=1e-9)


def test_overlaps_are_those_of_torchvision():
    import torch

    (known, found), *_ = scenes_of(3, 1, 2)
    expected = box_iou(torch.from_numpy(found.places).double(), torch.from_numpy(known.places).double())
    assert np.allclose(overlaps(found.places, known.places), expected.numpy())
    inside = overlaps(np.array([[0, 0, 2, 2]]), np.array([[0, 0, 8, 8]]), np.array([True]))
    assert inside.tolist() == [[1.0]]
    assert overlaps(np.zeros((1, 4)), np.zeros((1, 4))).tolist() == [[0.0]]


def test_parts_of_a_stream_are_counted_like_the_whole():
    scenes = scenes_of(9, 10, 2)
    whole, parted = tally_of(scenes, 2), tally_of(scenes, 2, (1, 4, 4))
    assert whole.metrics() == parted.metrics()
    assert whole.per_class() == parted.per_class()
    assert whole.scores().tolist() == parted.scores().tolist()


def boxes(*places, labels=None, scores=None, **marks):
    labels = np.zeros(len(places), int) if labels is None else np.array(labels)
    scores = None if scores is None else np.array(scores, np.float32)
    marks = {name: np.array(values) for name, values in marks.items()}
    return Boxes(np.array(places, np.float32).reshape(-1, 4), labels, scores, **marks)


def test_answers_that_are_known():
    known = boxes((0, 0, 10, 10), (20, 0, 30, 10))
    # The surest is right, the second a copy of it, the third right: precision 1 up to half of the recall, then 2/3.
    found = boxes((0, 0, 10, 10), (0, 0, 10, 9), (20, 0, 30, 10), scores=[0.9, 0.8, 0.7])
    tally = BoxTally(("cat",))
    [told] = tally.update([known], {"model": [found]})
    metrics = tally.metrics()
    assert metrics["map50"].value == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert (metrics["ar1"].value, metrics["ar10"].value) == (0.5, 1.0)
    assert told.seen.tolist() == [True, True]
    assert tally.scores().tolist() == pytest.approx([(51 + 50 * 2 / 3) / 101])
    [row] = tally.per_class()
    assert (row["support"], row["predicted"], row["pictures"], row["threshold"]) == (2, 3, 1, pytest.approx(0.7))
    assert (row["recall"]["value"], row["precision"]["value"]) == (1.0, pytest.approx(2 / 3))
    assert tally.curves()[0]["points"] == [[0.5, 1.0], [0.5, 0.5], [1.0, 0.6667]]
    assert metrics["map_large"].value != metrics["map_large"].value


def test_nobody_has_to_find_a_crowd_and_whatever_lies_in_it_is_of_it():
    known = boxes((0, 0, 10, 10), (20, 0, 40, 20), crowd=[False, True])
    found = boxes((20, 0, 30, 10), (30, 10, 40, 20), (0, 0, 10, 10), scores=[0.9, 0.8, 0.7])
    tally = BoxTally(("cat",))
    tally.update([known], {"model": [found]})
    assert tally.metrics()["map"].value == 1.0
    assert tally.threshold() == pytest.approx(0.7)


CLEAN, HARD = (0, 0, 10, 10), (4, 0, 14, 10)
FLAGS = [
    ([HARD, (4, 0, 14, 9), (5, 0, 14, 10)], "---"),  # it is found by however many
    ([(4, 0, 9, 5), (9, 5, 14, 10)], "xx"),  # what merely lies in it is not of it
    ([(3, 0, 13, 10), CLEAN], "-o"),  # nearer to what is difficult, though it is half of the clean one as well
    ([CLEAN, (1, 0, 11, 10)], "ox"),  # the second find of the clean one, though it is half of the other as well
    ([(2, 0, 12, 10)], "o"),  # of both alike: of the clean one
]  # fmt: skip


@pytest.mark.parametrize(("places", "expected"), FLAGS)
def test_a_find_is_of_what_is_difficult_by_the_rule_of_voc(places, expected):
    known = boxes(CLEAN, HARD, difficult=[False, True])
    told = match(known, boxes(*places, scores=np.linspace(0.9, 0.5, len(places))))
    right, pardoned = ((flags[:, 0] & 1).astype(bool).tolist() for flags in (told.hits, told.ignored))
    assert (
        "".join("o" if hit else "-" if spared else "x" for hit, spared in zip(right, pardoned, strict=True)) == expected
    )
    assert told.seen.tolist() == ["o" in expected, "-" in expected]
    assert told.counted[:, 0].tolist() == [True, False]


def test_a_box_of_both_marks_is_a_crowd():
    told = match(boxes(HARD, difficult=[True], crowd=[True]), boxes((4, 0, 9, 5), scores=[0.9]))
    assert told.ignored[0, 0] == 2 ** len(OVERLAPS) - 1


def test_pictures_with_nothing_in_them():
    tally = BoxTally(("cat", "dog"))
    stray = boxes((0, 0, 9, 9), scores=[0.75])
    tally.update([no_boxes(), no_boxes(), boxes((0, 0, 9, 9))], {"model": [no_boxes(), stray, no_boxes()]})
    assert tally.scores().tolist() == [1.0, 0.25, 0.0]
    assert tally.metrics()["map"].value == 0.0
    assert tally.absent == ("dog",)
    empty = BoxTally(("cat",))
    empty.update([no_boxes()], {"model": [no_boxes()]})
    assert str(empty.metrics()["map50"]) == "not measured"
    assert empty.threshold() == 0.0
    assert empty.per_class()[0]["f1"]["value"] == 0.0


def test_intervals_are_those_of_a_bootstrap_that_draws_pictures_again():
    scenes = scenes_of(5, 30, 2)
    tally = tally_of(scenes, 2)
    weights = tally._weights(0)[:40]
    ranked = [tally._answers["model"].ranked(label, place) for label in range(2) for place in (0, 5)]
    for one in ranked:
        drawn = one.resampled(weights)
        for row in range(0, 40, 7):
            again = np.repeat(np.arange(30), weights[row].astype(int))
            order = np.concatenate([np.flatnonzero(one.pictures == picture) for picture in again])
            scores = np.argsort(order, kind="stable")
            slow = type(one)(one.hits[order][scores], one.counted[order][scores], order[scores], one.known[again])
            assert drawn[row] == pytest.approx(slow.average_precision(), abs=0.02)
    found = tally.metrics()["map50"]
    assert found.low < found.value < found.high
    assert found == tally.metrics()["map50"]
    assert found != tally.metrics(seed=1)["map50"]


def test_the_model_is_compared_with_its_baselines_on_the_same_pictures():
    scenes = scenes_of(6, 20, 2)
    known, found = zip(*scenes, strict=True)
    nothing = [no_boxes()] * len(known)
    tally = BoxTally((0, 1))
    tally.update(known, {"yolo": found, "baseline": nothing})
    assert (tally.model, tally.baselines, tally.best_baseline()) == ("yolo", ["baseline"], "baseline")
    assert tally.baseline_metrics()["baseline"]["map50"].value == 0.0
    gain = tally.gain("baseline")
    assert gain.value == pytest.approx(tally.metrics()["map50"].value)
    assert gain.real
    assert tally_of(scenes, 2).best_baseline() is None


def test_memory_grows_with_the_boxes_and_not_with_classes_times_pictures():
    tally = BoxTally(tuple(range(1000)))
    scenes = [(boxes((0, 0, 9, 9), labels=[row % 3]), no_boxes()) for row in range(2000)]
    known, found = zip(*scenes, strict=True)
    tally.update(known, {"model": found})
    tracemalloc.start()
    answers = tally._answers["model"]
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (held, most) < (200_000, 1_000_000)  # a table of sizes, classes and pictures has 32 megabytes
    assert answers.known.totals()[:4].tolist() == [667, 667, 666, 0]
    assert np.flatnonzero(answers.known.of_class(1)).tolist() == list(range(1, 2000, 3))
    assert tally.absent == tuple(range(3, 1000))


def test_many_pictures_are_measured_in_seconds():
    import time

    scenes = scenes_of(7, 400, 5)
    began = time.process_time()
    tally_of(scenes, 5).metrics()
    assert time.process_time() - began < 20
