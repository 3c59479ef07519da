"""Every detector learns four tiny pictures by heart."""

import numpy as np
import pytest
from tests.vision.detection.squares import scenes

from headwater.run import Run
from headwater.settings import Settings
from headwater.vision.detection.fast_rcnn import FastRcnnDetector
from headwater.vision.detection.faster_rcnn import FasterRcnnDetector
from headwater.vision.detection.precision import mean_precision
from headwater.vision.detection.rcnn import RcnnDetector
from headwater.vision.detection.ssd import SsdDetector
from headwater.vision.detection.yolo import YoloDetector
from headwater.vision.locator import Scenes

GIVEN = scenes(4)
OFTEN = Scenes(GIVEN.inputs * 5, GIVEN.answers * 5, 2)
MODELS = [
    (YoloDetector, {"width": 8, "depth": 1}, 13),
    (SsdDetector, {"width": 8}, 8),
    (FasterRcnnDetector, {"width": 8, "maps": 16, "features": 64}, 14),
    (FastRcnnDetector, {"width": 8, "maps": 16, "features": 32}, 11),
    (RcnnDetector, {"width": 8, "side": 24}, 4),
]


@pytest.mark.parametrize(("kind", "own", "epochs"), MODELS, ids=[kind.__name__ for kind, *_ in MODELS])
def test_learns_four_pictures_by_heart(kind, own, epochs, tmp_path):
    settings = Settings(
        device="cpu", image_augment="none", epochs=epochs, learning_rate=5e-3, precision="fp32", patience=epochs,
        feature_cache=False,
    )  # fmt: skip
    made = kind(kind.Settings(**own)).fit(OFTEN, GIVEN, Run(settings, tmp_path))
    answers = made.answers(GIVEN.inputs)
    assert mean_precision(answers, GIVEN.answers) > 0.9
    (tmp_path / "saved").mkdir()
    made.save(tmp_path / "saved")
    again = kind.load(tmp_path / "saved").answers(GIVEN.inputs)
    assert [boxes.places.tolist() for boxes in again] == [boxes.places.tolist() for boxes in answers]


@pytest.mark.parametrize(("kind", "own"), [model[:2] for model in MODELS], ids=[kind.__name__ for kind, *_ in MODELS])
@pytest.mark.parametrize(("rows", "settings"), [(5, {"batch_size": 4}), (2, {"token_budget": 16})], ids=str)
def test_a_pass_of_one_picture_is_learnt_from(kind, own, rows, settings, tmp_path):
    # On pictures of 64 pixels the last map of SSD has one place.
    given = Scenes(OFTEN.inputs[:rows], OFTEN.answers[:rows], 2)
    asked = Settings(device="cpu", image_augment="none", epochs=1, precision="fp32", feature_cache=False, **settings)
    made = kind(kind.Settings(**own | {"width": 4})).fit(given, given, Run(asked, tmp_path))
    assert np.isfinite(made.trace.curve[0]["loss"])
