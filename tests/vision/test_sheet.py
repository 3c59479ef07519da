"""The contact sheet shows what a training step is given, and changes nothing of the training."""

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image
from tests.contract.pictures import stripes
from tests.tiny import make_vit
from tests.vision.detection import squares
from tests.vision.segmentation import scenes as masks
from tests.vision.shapes import pictures
from torch import nn

import headwater
from headwater.evaluation.intervals import Estimate
from headwater.evaluation.overlays import over
from headwater.evaluation.report import Report
from headwater.run import Run
from headwater.settings import Settings
from headwater.training.trainer import Trainer
from headwater.transfer.classifier import Examples
from headwater.vision.augmentation import Preset
from headwater.vision.classification.lenet import LenetClassifier
from headwater.vision.classification.neural import _PictureLearner
from headwater.vision.classification.pretrained import PretrainedClassifier
from headwater.vision.detection.learning import SceneLearner
from headwater.vision.detection.scenes import Framed
from headwater.vision.detection.yolo import YoloDetector, YoloSettings
from headwater.vision.pixels import Pixels, decoded
from headwater.vision.segmentation.segmenter import _MaskLearner
from headwater.vision.segmentation.unet import UnetSegmenter
from headwater.vision.segmentation.views import Views
from headwater.vision.sheet import MOST, marks, named, sheet

INPUTS, CLASSES = pictures(32, 32)
TRAIN = Examples(INPUTS, CLASSES, 2)


def arrays(seen, key="image"):
    found = [base64.b64decode(one[key].partition(",")[2]) for one in seen["rows"]]
    return [np.asarray(Image.open(io.BytesIO(content)).convert("RGB")) for content in found]


def run_in(folder, **settings):
    folder.mkdir(exist_ok=True, parents=True)
    return Run(Settings(**{"device": "cpu", "epochs": 1, "precision": "fp32"} | settings), folder)


def lenet(folder, train=TRAIN, **settings):
    return LenetClassifier().fit(train, train, run_in(folder, **settings))


def rows_of(seed=0):
    return np.random.default_rng(seed).permutation(len(INPUTS))[:MOST]


def test_unaltered_pictures_are_those_that_were_decoded(tmp_path):
    seen = lenet(tmp_path, image_augment="none").trace.seen
    assert (len(seen["rows"]), seen["altered"]) == (MOST, False)
    wanted = decoded([INPUTS[row] for row in rows_of()], 32, grey=False)
    for array, pixels in zip(arrays(seen), wanted, strict=True):
        np.testing.assert_array_equal(array, pixels)
    assert [one["labels"] for one in seen["rows"]] == [[{"label": int(CLASSES[r]), "share": 1.0}] for r in rows_of()]


def test_a_sheet_is_the_same_of_one_seed(tmp_path):
    one, again, other = (
        lenet(tmp_path / str(place), image_augment="strong", seed=seed).trace.seen
        for place, seed in enumerate((0, 0, 1))
    )
    assert one == again
    assert one["altered"]
    assert one != other


def test_what_is_drawn_for_a_sheet_is_not_taken_from_the_training():
    torch.manual_seed(3)
    wanted = torch.rand(4)
    torch.manual_seed(3)
    sheet(9, 0, lambda rows: [{"text": str(torch.rand(1))} for _ in rows], altered=True)
    assert torch.equal(torch.rand(4), wanted)


class Caught(nn.Module):
    """Stands for a network of two classes, and keeps what it was given."""

    def __init__(self):
        super().__init__()
        self.given = []

    def forward(self, values):
        self.given.append(values)
        return torch.zeros(len(values), 2)


def levels_of(model, values):
    mean, deviation = (torch.from_numpy(numbers)[:, None, None] for numbers in (model.mean, model.deviation))
    return (255 * (values * deviation + mean)).permute(0, 2, 3, 1).numpy()


def test_a_step_is_given_what_is_shown_of_pictures(tmp_path):
    made, pixels = lenet(tmp_path), Pixels.of(INPUTS, 32, grey=False, folder=None)
    learner = _PictureLearner(made, (TRAIN, pixels), (TRAIN, pixels), Settings())
    learner.network = Caught()
    learner.preset = Preset(mirror=True, shift=0.2, colour=0.3, erase=0.5, mix=1.0)
    rows = np.arange(6)
    torch.manual_seed(5)
    shown = arrays({"rows": learner.shown(rows)})
    torch.manual_seed(5)
    learner.loss(rows)
    np.testing.assert_allclose(levels_of(made, learner.network.given[0]), shown, atol=0.51)


def test_the_labels_of_a_mixture_are_shared(tmp_path):
    seen = lenet(tmp_path, image_augment="strong").trace.seen
    shares = [[mark["share"] for mark in one["labels"]] for one in seen["rows"]]
    assert all(sum(some) == pytest.approx(1, abs=2e-3) for some in shares)
    assert any(len(some) == 2 for some in shares)


def test_several_labels_are_all_told():
    targets = np.array([[1, 0, 1], [0, 0, 1]])
    assert marks(targets, np.array([0, 1]), np.array([0.25, 0.75])) == [
        {"label": 0, "share": 0.25}, {"label": 2, "share": 1.0},
    ]  # fmt: skip
    assert named({}, ["a"]) == {}


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    given = squares.scenes(8)
    run = run_in(tmp_path_factory.mktemp("run"), image_augment="strong")
    return YoloDetector(YoloSettings(width=4, depth=1)).fit(given, given, run)


def test_boxes_move_with_their_pixels(detector):
    checked = 0
    for one, array in zip(detector.trace.seen["rows"], arrays(detector.trace.seen), strict=True):
        assert array.shape == (one["height"], one["width"], 3)
        for box in one["boxes"]:
            left, top, right, bottom = box["place"]
            red, _, blue = array[int((top + bottom) / 2), int((left + right) / 2)].tolist()
            assert (red > blue) == (box["label"] == 0)
            checked += 1
    assert checked > MOST / 2
    assert detector.trace.seen["altered"]


def test_a_step_is_given_what_is_shown_of_scenes(detector):
    given = squares.scenes(8)
    gallery = Framed.of(given, detector.frame, None, detector.proposals)
    learner = SceneLearner(detector, gallery, gallery, Settings(image_augment="standard"))
    caught = []
    learner.detector = type("", (), {"standardised": lambda _, pictures: pictures, "model": None})()
    learner.detector.model = type("", (), {"loss": lambda _, *given: caught.append(given)})()
    torch.manual_seed(2)
    shown = learner.shown(np.arange(5))
    torch.manual_seed(2)
    learner.loss(np.arange(5))
    found, targets = caught[0]
    np.testing.assert_allclose(255 * found.permute(0, 2, 3, 1).numpy(), arrays({"rows": shown}), atol=0.51)
    places = [[box["place"] for box in one["boxes"]] for one in shown]
    assert [np.round(target.places.tolist(), 1).tolist() for target in targets] == places


def test_masks_move_with_their_pixels(tmp_path):
    given = masks.scenes(6)
    made = UnetSegmenter(UnetSegmenter.Settings(width=4, depth=1)).fit(given, given, run_in(tmp_path))
    seen = made.trace.seen
    assert (len(seen["rows"]), seen["altered"]) == (6, True)
    views = Views.of(given, made.canvas, grey=made.grey, folder=None)
    learner = _MaskLearner(made, views, views, Settings(image_augment="strong"))
    torch.manual_seed(1)
    shown = {"rows": learner.shown(np.arange(6))}
    torch.manual_seed(1)
    wanted, known = learner.views(np.arange(6))
    laid = zip(arrays(shown), arrays(shown, "mask"), known.numpy(), strict=True)
    for array, mask, classes in laid:
        np.testing.assert_allclose(mask, over(array, np.where(classes == 255, -1, classes), 3), atol=1)
    np.testing.assert_allclose(
        255 * wanted.permute(0, 2, 3, 1).numpy()[..., :1], np.array(arrays(shown))[..., :1], atol=0.51
    )


def test_a_foundation_sees_pictures_as_they_are(tmp_path):
    run = run_in(tmp_path / "run", strategy="probe", feature_cache=False, offline=True)
    made = PretrainedClassifier(foundation=str(make_vit(tmp_path / "vit"))).fit(TRAIN, TRAIN, run)
    assert not made.trace.seen["altered"]
    wanted = decoded([INPUTS[row] for row in rows_of()], 32, grey=False)
    np.testing.assert_array_equal(arrays(made.trace.seen), wanted)


def test_the_sheet_stands_in_the_report_of_a_resumed_run(tmp_path, monkeypatch):
    rows, given = stripes(40), {"model": "lenet", "epochs": 2, "batch_size": 8, "device": "cpu"}
    whole = headwater.adapt("image-classification", rows, to=tmp_path / "whole", **given).report
    close = Trainer._close_epoch

    def interrupted(trainer):
        close(trainer)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_close_epoch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            headwater.adapt("image-classification", rows, to=tmp_path / "run", **given)
    headwater.adapt("image-classification", rows, to=tmp_path / "run", resume=True, **given)
    assert Report.load(tmp_path / "run").seen == whole.seen
    assert {mark["label"] for one in whole.seen["rows"] for mark in one["labels"]} == {"good", "bad"}
    page = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert "What the network sees" in page
    assert page.count(whole.seen["rows"][0]["image"]) == 1


def test_a_page_shows_the_boxes_of_what_is_seen(detector):
    seen = named(detector.trace.seen, ["cat", "dog"])
    found = {"map50": Estimate(0.5, 0.4, 0.6)}
    page = Report("object-detection", "yolo", found, "map50", boxes={"threshold": 0.5}, seen=seen).to_html()
    assert page.count("<title>to be found: cat") == sum(
        box["label"] == "cat" for r in seen["rows"] for box in r["boxes"]
    )
    assert "Boxes are what it has to find" in page


def test_a_page_shows_masks_beside_what_is_seen():
    legend = [{"class": "road", "colour": "#102030"}]
    row = {
        "image": "data:image/png;base64,AAAA",
        "mask": "data:image/png;base64,BBBB",
        "text": "<b>.png",
        "width": 8,
        "height": 6,
    }
    found = {"mean_iou": Estimate(0.5, 0.4, 0.6)}
    seen = {"rows": [row], "altered": False, "legend": legend}
    page = Report("semantic-segmentation", "unet", found, "mean_iou", seen=seen).to_html()
    assert all(
        part in page for part in ("AAAA", "BBBB", "fill: #102030", "8 x 6 pixels", "unaltered", "mask of &lt;b&gt;")
    )
