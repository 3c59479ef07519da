"""Pictures with masks laid over them: which are kept, and what they show."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image
from tests.data.drawing import clouds, picture

from headwater.data.masks import class_colours
from headwater.data.pictures import Picture
from headwater.evaluation.html import page
from headwater.evaluation.intervals import Estimate
from headwater.evaluation.overlays import Overlays, legend
from headwater.evaluation.report import Report
from headwater.evaluation.segmentation import MaskTally


def shown(address: str) -> np.ndarray:
    assert address.startswith("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGB")).astype(int)


def kept(rows: int) -> Overlays:
    overlays = Overlays()
    known = np.zeros((32, 48), int)
    for row in range(rows):
        overlays.update(picture(clouds(row)), known, known, row / rows, f"row {row}")
    return overlays


def test_the_worst_come_first_then_typical_ones():
    found = kept(100).rows(2)
    assert [one["score"] for one in found[:6]] == [row / 100 for row in range(6)]
    assert [one["kind"] for one in found] == ["worst"] * 6 + ["typical"] * 3
    assert all(abs(one["score"] - 0.495) < 0.2 for one in found[6:])
    assert kept(100).rows(2) == found


def test_few_pictures_are_shown_once():
    found = kept(4).rows(2)
    assert [one["place"] for one in found] == [f"row {row}" for row in range(4)]


def test_masks_are_laid_over_the_picture_in_the_colours_of_their_classes():
    white = picture(Image.new("RGB", (48, 32), "white"))
    known = np.zeros((32, 48), int)
    known[:, 24:] = 1
    known[:8] = -1
    overlays = Overlays()
    overlays.update(white, known, np.zeros_like(known), 0.5, "a.png")
    row = overlays.rows(2)[0]
    left, right = (0.45 * 255 + 0.55 * colour for colour in class_colours(2).astype(float))
    np.testing.assert_allclose(shown(row["known"])[20, 10], left, atol=3)
    np.testing.assert_allclose(shown(row["known"])[20, 40], right, atol=3)
    np.testing.assert_allclose(shown(row["known"])[2, 10], 0.45 * 255 + 0.55 * 127, atol=3)
    np.testing.assert_allclose(shown(row["found"])[20, 40], left, atol=3)
    assert shown(row["input"]["image"]).shape == (32, 48, 3)


def test_large_pictures_are_shown_small_and_lost_ones_white():
    overlays = Overlays()
    overlays.update(Picture("gone.png"), np.zeros((900, 600), int), np.zeros((900, 600), int), 0.1, "")
    row = overlays.rows(1)[0]
    assert shown(row["known"]).shape == (176, 117, 3)
    assert row["input"]["text"] == "gone.png"


def test_the_page_shows_pictures_classes_and_pairs():
    tally, overlays = MaskTally(("<road>", "sky"), ("unet", "mean map")), Overlays()
    known = np.repeat([[0, 1]], 16, axis=1).repeat(32, axis=0)
    score = tally.update(known, {"unet": 0 * known, "mean map": known})
    overlays.update(picture(clouds(0, 32, 32)), known, 0 * known, score, "a.png")
    report = Report(
        "semantic-segmentation",
        "unet",
        tally.metrics(replicates=50),
        "mean_iou",
        per_class=tally.per_class(replicates=50),
        confusion=tally.confusion(),
        baselines=tally.baseline_metrics(replicates=50),
        pictures={"legend": legend(tally.classes), "rows": overlays.rows(2)},
    )
    html = page(report)
    for part in ("Mean IoU", "Boundary F", "Taken for", "&lt;road&gt;", "Test pixels", 'id="pictures"', "Worst, 0.250"):
        assert part in html, part
    assert html.count("data:image/png;base64,") >= 3
    assert Report.from_json(report.to_json()).pictures == report.pictures
    assert report.metrics["mean_iou"] == Estimate.from_json(report.metrics["mean_iou"].to_json())
    assert "Mean IoU" in str(report)


def test_the_page_refuses_images_from_elsewhere():
    report = Report(
        "semantic-segmentation", "unet", {"mean_iou": Estimate(0.5)}, "mean_iou",
        pictures={"legend": [], "rows": [{"kind": "worst", "score": 0.1, "input": {"text": "a", "image": "http://x"},
                                          "known": "http://x", "found": None, "place": ""}]},
    )  # fmt: skip
    assert "http://x" not in page(report)
