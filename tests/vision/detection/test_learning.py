"""Every detector learns four tiny pictures by heart."""

import pytest
from tests.vision.detection.squares import scenes

from headwater.run import Run
from headwater.settings import Settings
from headwater.vision.detection.precision import mean_precision
from headwater.vision.detection.yolo import YoloDetector
from headwater.vision.locator import Scenes

GIVEN = scenes(4)
OFTEN = Scenes(GIVEN.inputs * 5, GIVEN.answers * 5, 2)


@pytest.mark.parametrize(("kind", "own", "epochs"), [(YoloDetector, {"width": 8, "depth": 1}, 13)])
def test_learns_four_pictures_by_heart(kind, own, epochs, tmp_path):
    settings = Settings(
        device="cpu", image_augment="none", epochs=epochs, learning_rate=5e-3, precision="fp32", patience=epochs
    )
    made = kind(kind.Settings(**own)).fit(OFTEN, GIVEN, Run(settings, tmp_path))
    assert mean_precision(made.answers(GIVEN.inputs), GIVEN.answers) > 0.9
