"""Which pictures are kept with their boxes, what stands beside them, and how the page draws them."""

import json

import numpy as np
import pytest
from tests.evaluation.pictures import photograph
from tests.evaluation.test_detection import boxes, scenes_of
from tests.evaluation.test_html import Outline

from headwater.data.boxes import no_boxes
from headwater.data.pictures import Picture
from headwater.evaluation import box_plots
from headwater.evaluation.box_counts import BoxCounts
from headwater.evaluation.card import model_card
from headwater.evaluation.detection import BoxTally
from headwater.evaluation.gallery import EXAMPLES, MISTAKES, Gallery
from headwater.evaluation.html import page
from headwater.evaluation.intervals import Estimate, label
from headwater.evaluation.report import Report

CLASSES = ("cat", "dog")


def told(pictures, known, found, **names):
    tally, gallery, counts = BoxTally(CLASSES), Gallery(), BoxCounts()
    seen = tally.update(known, {"yolo": found, **names})
    gallery.update(pictures, known, found, seen, [f"rows.csv:{row}" for row in range(len(known))])
    counts.update(known, seen)
    return tally, gallery, counts


def test_wrong_boxes_say_what_is_really_there():
    known = boxes((0, 0, 100, 100), (200, 0, 300, 100), labels=[0, 1])
    found = boxes(
        (0, 0, 100, 100), (0, 2, 100, 100), (200, 0, 300, 100), (50, 50, 140, 140), (0, 200, 50, 239),
        labels=[0, 0, 0, 0, 1], scores=[0.9, 0.8, 0.7, 0.6, 0.5],
    )  # fmt: skip
    _, gallery, _ = told([photograph(0)], [known], [found])
    rows = gallery.mistakes(CLASSES, 0.0)
    assert [(row["prediction"], row["target"], row["confidence"]) for row in rows] == [
        ("cat", "the same one, found twice", pytest.approx(0.8)),
        ("cat", "dog", pytest.approx(0.7)),
        ("cat", "the same one, placed elsewhere", pytest.approx(0.6)),
        ("not found", "dog", None),
    ]
    assert [mark["kind"] for mark in rows[0]["input"]["boxes"]] == ["known", "missed", "wrong"]
    assert [mark["kind"] for mark in rows[3]["input"]["boxes"]] == [
        "right",
        "wrong",
        "wrong",
        "wrong",
        "wrong",
        "missed",
    ]
    assert rows[0]["place"] == "rows.csv:0"
    stray = boxes((0, 0, 50, 50), scores=[0.5])
    assert told([photograph(0)], [no_boxes()], [stray])[1].mistakes(CLASSES, 0)[0]["target"] == "nothing there"


def test_memory_does_not_grow_and_parts_make_no_difference():
    known, found = zip(*scenes_of(4, 60, 2), strict=True)
    pictures = [Picture(f"{row}.png") for row in range(60)]
    tally, whole, _ = told(pictures, known, found)
    parted, seen = Gallery(), BoxTally(CLASSES).update(known, {"yolo": found})
    for part in (slice(0, 7), slice(7, 8), slice(8, 60)):
        places = [f"rows.csv:{row}" for row in range(part.start, part.stop)]
        parted.update(pictures[part], known[part], found[part], seen[part], places)
    assert whole.mistakes(CLASSES, 0.3) == parted.mistakes(CLASSES, 0.3)
    assert whole.examples(CLASSES, 0.3) == parted.examples(CLASSES, 0.3)
    assert len(whole.examples(CLASSES, 0.3)) == EXAMPLES
    rows = whole.mistakes(CLASSES, 0.3)
    assert [row["confidence"] is None for row in rows] == [False] * MISTAKES + [True] * MISTAKES
    scores = [row["confidence"] for row in rows[:MISTAKES]]
    assert scores == sorted(scores, reverse=True)
    assert 0 < tally.threshold() <= 1


def test_a_picture_is_drawn_with_its_boxes():
    known, found = boxes((10, 10, 60, 80)), boxes((12, 8, 58, 84), scores=[0.75])
    _, gallery, _ = told([photograph(3)], [known], [found])
    [example] = gallery.examples(CLASSES, 0.5)
    drawn = str(box_plots.overlay(example))
    assert (example["width"], example["height"]) == (320, 240)
    assert drawn.startswith('<svg class="drawn" viewBox="0 0 320 240"')
    assert '<g class="right"><title>found, right: cat 0.75</title><rect x="12.0" y="8.0" width="46.0"' in drawn
    assert "known: cat" in drawn
    assert gallery.examples(CLASSES, 0.9)[0]["boxes"][-1]["kind"] == "known"
    assert box_plots.overlay({"image": "", "text": "gone.png", "boxes": []}) == ""
    assert box_plots.overlay({"image": "https://a", "width": 3, "height": 3}) == ""


def test_histograms_count_every_box():
    known = [boxes((0, 0, 10, 10), (0, 0, 100, 100)), no_boxes(), boxes((0, 0, 2000, 2000))]
    _, _, counts = told([Picture("a.png")] * 3, known, [boxes((0, 0, 10, 10), scores=[0.9]), no_boxes(), no_boxes()])
    assert counts.sizes() == [
        {"name": "8 to 15", "count": 1, "found": 1}, {"name": "96 to 127", "count": 1, "found": 0},
        {"name": "1024 and more", "count": 1, "found": 0},
    ]  # fmt: skip
    assert counts.numbers() == [{"name": "0", "count": 1}, {"name": "1", "count": 1}, {"name": "2", "count": 1}]
    drawn = str(box_plots.histogram(counts.sizes(), "known boxes"))
    assert "8 to 15: 1 known boxes, 1 found" in drawn
    assert box_plots.histogram([], "images") == ""
    assert box_plots.precision_recall([], "cat") == ""


@pytest.fixture(scope="module")
def detection() -> Report:
    known, found = zip(*scenes_of(8, 30, 2), strict=True)
    pictures = [photograph(row) for row in range(30)]
    tally, gallery, counts = told(pictures, known, found, baseline=[no_boxes()] * 30)
    lost = {"count": 1, "boxes": 90, "share": 0.01, "clipped": 3,
            "examples": [{"file": "a.xml", "line": None, "reason": "box 4 (cat) of <b>a.jpg</b> has no area"}],
    }  # fmt: skip
    return Report.of_detection(
        tally, gallery, counts, threshold=0.3, task="object-detection", model="yolo", rows={"test": 30},
        quarantine={"count": 0, "share": 0.0, "examples": [], "boxes": lost},
    )  # fmt: skip


def test_the_report_is_plain_and_is_read_back(detection):
    text = detection.to_json()
    assert Report.from_json(text).to_json() == text
    assert json.loads(text)["metrics"]["map50"]["low"] is not None
    assert detection.primary == "map50"
    assert detection.main_metrics == ["map50", "map", "map75", "ar100"]
    assert detection.gain["over"] == "baseline"
    assert detection.gain["real"]
    assert detection.notes == []


def test_the_page_draws_boxes_and_says_what_the_numbers_mean(detection):
    text = page(detection)
    outline = Outline(text)
    assert not outline.open
    assert not outline.faults
    assert {"metrics", "classes", "boxes", "mistakes", "quarantine"} <= set(outline.ids)
    assert text.count('<svg class="drawn"') == EXAMPLES + 2 * MISTAKES
    assert "AP50 with its interval" in text
    assert "box 4 (cat) of &lt;b&gt;a.jpg&lt;/b&gt; has no area" in text
    assert "3 were cut off at the edge" in text
    assert "Log loss" not in text
    assert not outline.tags & {"script", "link", "img"}
    assert len(text) < 1_500_000


def test_text_of_the_user_is_escaped_on_pictures():
    evil = "<script>alert(1)</script>\"'"
    one = {"image": "data:image/jpeg;base64,AA==", "text": evil, "width": 9, "height": 9,
           "boxes": [{"kind": kind, "label": evil, "score": 0.5, "place": [0, 0, 4, 4]} for kind in ("right", evil)],
    }  # fmt: skip
    outline = Outline(str(box_plots.overlay(one)) + str(box_plots.precision_recall([[0.5, 1.0], [1.0, 1.0]], evil)))
    assert not outline.faults
    assert "script" not in outline.tags


def test_the_card_and_the_table_tell_of_single_boxes(detection):
    card = model_card(detection)
    assert "single boxes set aside because they could not be used: 1 of 90" in card
    assert "| mAP50 |" in card
    assert "1 box was set aside. The first is a.xml: box 4 (cat)" in str(detection)
    assert label("map_small") == "mAP small"
    assert str(detection).splitlines()[3].startswith("mAP50")


def test_classes_without_a_known_box_are_left_out():
    tally, gallery, counts = told([photograph(0)], [boxes((0, 0, 9, 9))], [boxes((0, 0, 9, 9), scores=[0.5])])
    report = Report.of_detection(tally, gallery, counts, task="object-detection", model="yolo")
    assert report.notes == ["No test box is of the class dog: means leave it out."]
    assert report.metrics["map50"].value == 1.0
    assert report.gain is None
    assert "AP50" in page(report)
    assert np.isnan(Estimate.from_json(report.per_class[1]["ap50"]).value)
