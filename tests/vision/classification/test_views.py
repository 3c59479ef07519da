"""What a foundation meets while it learns: its own reading of pictures, altered anew in every step, and no other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.tiny import make_timm, make_vit
from tests.vision.shapes import pictures

from headwater.errors import SettingError
from headwater.foundation.image import ImageEncoder
from headwater.foundation.reading import Reading
from headwater.run import Run
from headwater.settings import Settings
from headwater.transfer.classifier import Examples
from headwater.vision.augmentation import PRESETS, Preset
from headwater.vision.classification.pretrained import PretrainedClassifier
from headwater.vision.classification.views import AlteredPictures

INPUTS, CLASSES = pictures(24, 32)
TRAIN = Examples(INPUTS, CLASSES, 2)
ROWS = np.array([3, 0, 7])


def fitted(folder, vit, train=TRAIN, **settings):
    folder.mkdir()
    given = {"strategy": "full", "epochs": 2, "batch_size": 8, "device": "cpu", "feature_cache": False} | settings
    run = Run(Settings(offline=True, **given), folder)
    return PretrainedClassifier(foundation=str(vit)).fit(train, TRAIN, run)


@pytest.fixture
def encoder(tmp_path):
    return ImageEncoder.load(make_timm(tmp_path / "timm"), "timm")


@pytest.mark.parametrize("reversed", [False, True])
def test_nothing_altered_is_what_the_foundation_reads(encoder, reversed):
    encoder.reading = Reading(32, (0.0,) * 3 if reversed else (0.4, 0.5, 0.6), (0.25, 0.5, 1.0), reversed=reversed)
    seen = AlteredPictures.of(INPUTS, encoder, Preset(), None)
    plain = encoder.prepare(INPUTS)
    assert len(seen) == len(plain) == 24
    assert seen.lengths.tolist() == plain.lengths.tolist()
    wanted = plain.batch(ROWS)["pixel_values"]
    torch.testing.assert_close(seen.batch(ROWS)["pixel_values"], wanted, rtol=0, atol=1e-5)


def test_every_step_alters_anew_by_the_random_numbers_of_the_training(encoder):
    seen = AlteredPictures.of(INPUTS, encoder, PRESETS["standard"], None)
    torch.manual_seed(0)
    one, other = (seen.batch(ROWS)["pixel_values"] for _ in range(2))
    torch.manual_seed(0)
    torch.testing.assert_close(seen.batch(ROWS)["pixel_values"], one, rtol=0, atol=0)
    assert (one - other).abs().max() > 0.1


def test_learning_sees_altered_pictures_and_answers_see_none(tmp_path):
    vit = make_vit(tmp_path / "vit")
    plain, one, other = (
        fitted(tmp_path / str(place), vit, image_augment=name) for place, name in enumerate(("none", "light", "light"))
    )
    assert [made.trace.seen["altered"] for made in (plain, one)] == [False, True]
    assert plain.trace.seen["rows"] != one.trace.seen["rows"] == other.trace.seen["rows"]
    answers = [made.logits(INPUTS[:4]) for made in (plain, one, other, one)]
    assert np.abs(answers[0] - answers[1]).max() > 0
    np.testing.assert_array_equal(answers[1], answers[2])
    np.testing.assert_array_equal(answers[1], answers[3])


def test_a_probe_alters_nothing_by_itself_and_refuses_to(tmp_path):
    vit = make_vit(tmp_path / "vit")
    assert not fitted(tmp_path / "probe", vit, strategy="probe").trace.seen["altered"]
    wanted = (
        r"--image-augment: Images are altered only where the network itself learns\. Got .strong.\. Accepted: auto or "
        r"none with the strategy probe\. Choose a deeper --strategy, such as full, or leave --image-augment out\."
    )
    with pytest.raises(SettingError, match=wanted):
        fitted(tmp_path / "refused", vit, strategy="probe", image_augment="strong")


def test_rows_from_where_the_application_will_be_used_are_altered_too(tmp_path, monkeypatch):
    asked = []
    of = AlteredPictures.of
    monkeypatch.setattr(
        AlteredPictures, "of", lambda pictures, *rest: asked.append(len(pictures)) or of(pictures, *rest)
    )
    unseen = pictures(10, 32, seed=5)[0]
    train = Examples(INPUTS, CLASSES, 2, unlabelled=unseen)
    vit = make_vit(tmp_path / "vit")
    fitted(tmp_path / "run", vit, train, epochs=1, unlabelled_method="dann", image_augment="light")
    assert asked[:2] == [24, 10]
