import json
import math

import numpy as np
import pytest
import torch
from tests.vision.features.patterns import pictures

from headwater.evaluation.views import found_again
from headwater.foundation.image import ImageEncoder
from headwater.run import Run
from headwater.settings import Settings
from headwater.vision.features import measuring
from headwater.vision.features.measuring import known_again, seen
from headwater.vision.features.pretrainer import TwinLearner, fixed_views
from headwater.vision.features.simclr import Simclr, SimclrSettings
from headwater.vision.features.simsiam import Simsiam, SimsiamSettings
from headwater.vision.pixels import Pixels, decoded

TRAIN, VALID, UNSEEN = (pictures(rows, seed=seed) for seed, rows in enumerate((96, 16, 64)))


def run_in(folder, **settings):
    folder.mkdir(exist_ok=True, parents=True)
    given = {"batch_size": 16, "device": "cpu", "image_size": 16, "learning_rate": 5e-3} | settings
    return Run(Settings(**given), folder)


def fitted(folder, train=TRAIN, kind=Simclr, **settings):
    made = kind(kind.Settings(width=8, projection=32, crop=0.8, colour=0.1))
    return made.fit(train, VALID, run_in(folder, **settings))


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    return fitted(tmp_path_factory.mktemp("learnt"), epochs=9)


def test_what_was_learnt_knows_unseen_pictures_again_better_than_the_untrained_network(learnt):
    _, first, second = seen(learnt, "model", UNSEEN)
    found = {name: float(found_again(first[name], second[name]).mean()) for name in first}
    assert list(found) == ["model", "untrained network", "small pixels"]
    assert found["model"] > found["untrained network"] + 0.08
    np.testing.assert_array_equal(known_again(learnt, UNSEEN), found_again(first["model"], second["model"]))
    assert known_again(learnt, []).tolist() == []


def test_what_is_saved_is_a_foundation_that_sees_the_same(learnt, tmp_path):
    learnt.save(tmp_path)
    told = json.loads((tmp_path / "encoder" / "config.json").read_text())
    assert told["architecture"] == "resnet18"
    assert told["pretrained_cfg"]["input_size"] == [3, 16, 16]
    foundation = ImageEncoder.load(tmp_path / "encoder", "mine")
    assert foundation.width == learnt.encoder.width == 64
    assert foundation.options() == {"side": 16}
    with torch.inference_mode():
        seen_so = foundation.features(foundation.prepare(UNSEEN).batch(np.arange(64))).numpy()
    np.testing.assert_allclose(learnt.features(UNSEEN), seen_so, atol=1e-5)
    again = Simclr.load(tmp_path)
    np.testing.assert_array_equal(again.features(UNSEEN), learnt.features(UNSEEN))
    assert (again.settings, again.grey, again.seed) == (learnt.settings, False, 0)
    again.save(tmp_path / "twice")
    assert (tmp_path / "twice" / "encoder" / "model.safetensors").exists()


def test_the_untrained_network_is_that_of_the_seed_with_norms_that_have_seen_the_pictures(learnt):
    views = torch.rand(8, 3, 16, 16)
    once, again = learnt.untrained(views), learnt.untrained(views)
    assert not once.training
    torch.testing.assert_close(once(views), again(views), rtol=0, atol=0)
    assert once.bn1.running_mean.abs().sum() > 0
    assert not torch.equal(once.layer1[0].conv1.weight, learnt.encoder.network.layer1[0].conv1.weight)


def test_pixels_are_standardised_as_the_foundation_will(learnt):
    mean, std = (torch.tensor(values) for values in (learnt.encoder.reading.mean, learnt.encoder.reading.std))
    pixels = torch.from_numpy(decoded(TRAIN, 16, grey=False)).permute(0, 3, 1, 2).float() / 255
    found = learnt.standardised(pixels)
    torch.testing.assert_close(found.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(found[0, :, 0, 0], (pixels[0, :, 0, 0] - mean) / std)


@pytest.mark.parametrize(
    ("side", "wanted", "found"), [(16, None, 64), (80, None, 64), (200, None, 96), (200, 32, 32), (16, 16, 16)]
)
def test_small_pictures_are_enlarged_and_large_ones_reduced(side, wanted, found):
    assert Simsiam.side_for(pictures(2, side), wanted) == found


@pytest.mark.parametrize(("rows", "batch", "epochs"), [(100, 32, 100), (10_000, 32, 13), (1_000_000, 32, 10)])
def test_few_pictures_are_passed_over_more_often(rows, batch, epochs):
    chosen = Simclr.completed(Settings(batch_size=batch), rows)
    assert (chosen.epochs, chosen.patience, chosen.learning_rate) == (epochs, epochs, Simclr.learning_rate)
    told = Simclr.completed(Settings(epochs=7, learning_rate=0.5, patience=2), rows)
    assert (told.epochs, told.patience, told.learning_rate) == (7, 2, 0.5)


def test_a_step_passes_as_a_whole_and_a_single_picture_can_be_learnt_from(tmp_path, monkeypatch):
    seen_rows = []
    loss = TwinLearner.loss

    def counted(learner, rows):
        seen_rows.append(len(rows))
        return loss(learner, rows)

    monkeypatch.setattr(TwinLearner, "loss", counted)
    made = fitted(tmp_path, TRAIN[:65], epochs=1, batch_size=64)
    assert sorted(seen_rows) == [1, 64]
    assert np.isfinite(made.features(UNSEEN[:2])).all()


def test_a_part_of_one_picture_is_never_compared_with_itself_alone(learnt, monkeypatch):
    monkeypatch.setattr(measuring, "MOST", 32)
    found = known_again(learnt, UNSEEN[:33])
    by_halves = [known_again(learnt, part) for part in (UNSEEN[:17], UNSEEN[17:33])]
    np.testing.assert_array_equal(found, np.concatenate(by_halves))
    assert measuring._parts(1025, 1024) == [slice(0, 513), slice(513, 1025)]


def test_validation_pictures_are_scored_beside_training_pictures(tmp_path):
    made = fitted(tmp_path, epochs=1)
    train, valid = (Pixels.of(some, 16, grey=False, folder=None) for some in (TRAIN, VALID))
    with torch.random.fork_rng():
        network = made.twins(made.encoder.network, 64)
    learner = TwinLearner(made, network, train, valid)
    assert (len(learner.pairs[0]), learner.large_products) == (112, False)
    assert 0 < learner.score() < 1
    assert learner.lengths.tolist() == [2] * 96


def test_fixed_views_are_those_of_their_seed():
    made = Simsiam(SimsiamSettings())
    pixels = decoded(UNSEEN[:4], 16, grey=False)
    first, again, other = (fixed_views(pixels, made.twin_views, seed)[0] for seed in (1, 1, 2))
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    assert not torch.equal(first, other)


def test_the_same_seed_learns_the_same_and_another_seed_another(tmp_path):
    one, same, other = (
        fitted(tmp_path / str(place), epochs=1, seed=seed, kind=Simsiam).features(UNSEEN[:4])
        for place, seed in enumerate((3, 3, 4))
    )
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)
    assert math.isfinite(float(one.sum()))


def test_settings_of_both_are_their_own():
    assert SimsiamSettings().projection > SimclrSettings().projection
    assert SimclrSettings().temperature == 0.2
