import numpy as np
import pytest
import torch
from tests.vision.shapes import pictures
from torch import nn

from headwater.data.pictures import Picture, encode
from headwater.errors import ResourceError
from headwater.run import Run
from headwater.settings import Settings
from headwater.training.losses import classification_loss
from headwater.transfer.classifier import Examples
from headwater.vision import network
from headwater.vision.augmentation import Preset, mixup
from headwater.vision.classification import neural
from headwater.vision.classification.lenet import LenetClassifier
from headwater.vision.classification.neural import NeuralClassifier, NeuralSettings, _PictureLearner
from headwater.vision.classification.resnet import Resnet18Classifier
from headwater.vision.pixels import Pixels, decoded

INPUTS, CLASSES = pictures(48)


class Small(NeuralClassifier):
    """Two convolutions and a norm: what the shared parts are tried with."""

    Settings = NeuralSettings
    epochs = 10
    learning_rate = 0.01
    large_products = False

    def network(self, channels, n_classes):
        return nn.Sequential(
            nn.Conv2d(channels, 8, 5, 2, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(self.settings.dropout), nn.Linear(16, n_classes),
        )  # fmt: skip


def run_in(folder, **settings):
    folder.mkdir(exist_ok=True, parents=True)
    given = {"batch_size": 8, "device": "cpu", "image_size": 16, "image_augment": "light"} | settings
    return Run(Settings(**given), folder)


def fitted(folder, kind=Small, inputs=INPUTS, targets=CLASSES, *, n_classes=2, weights=None, valid=None, **settings):
    train = Examples(inputs, targets, n_classes, weights)
    made = kind(kind.Settings(dropout=0.0))
    return made.fit(train, valid or train, run_in(folder, **settings))


def learner_of(made, weights=None, targets=CLASSES, augment="none"):
    train = Examples(INPUTS, targets, made.n_classes, weights)
    seen = Pixels.of(INPUTS, made.side, grey=made.grey, folder=None)
    return _PictureLearner(made, (train, seen), (train, seen), Settings(image_augment=augment))


def test_a_network_of_few_maps_sees_whole_pictures_unless_told_otherwise(tmp_path):
    small, lenet = (fitted(tmp_path / kind.__name__, kind, epochs=1) for kind in (Small, LenetClassifier))
    assert [learner_of(made, augment="auto").preset.erase for made in (small, lenet)] == [0.5, 0.0]
    assert learner_of(lenet, augment="strong").preset.erase > 0


@pytest.mark.parametrize(("kind", "epochs"), [(Small, 10), (LenetClassifier, 25)])
def test_learns_and_is_saved_whole(kind, epochs, tmp_path):
    made = fitted(tmp_path / "run", kind, epochs=epochs)
    unseen, targets = pictures(40, seed=1)
    logits = made.logits(unseen)
    assert (logits.argmax(axis=1) == targets).mean() > 0.9
    assert made.trace.stages[0].score > 0.9
    assert len(made.trace.curve) >= made.trace.curve[-1]["epoch"] >= 1
    made.save(tmp_path / "saved")
    again = kind.load(tmp_path / "saved")
    np.testing.assert_array_equal(again.logits(unseen), logits)
    assert again.settings == made.settings
    assert again.facts(run_in(tmp_path / "b")).parameters == sum(p.numel() for p in made.model.parameters())
    assert sorted(file.name for file in (tmp_path / "saved").iterdir()) == ["model.json", "model.safetensors"]


def test_a_loaded_network_computes_where_it_was_asked_to(tmp_path, monkeypatch):
    made = fitted(tmp_path / "run", epochs=1, token_budget=7)
    made.save(tmp_path / "saved")
    asked = []
    monkeypatch.setattr(network, "nearest", lambda kind: asked.append(kind) or torch.device("meta"))
    again = Small.load(tmp_path / "saved")
    assert (asked, again.token_budget, again.device) == (["cpu"], 7, "cpu")
    assert next(again.model.parameters()).device.type == "meta"


def test_answers_come_in_passes_that_fit(tmp_path, monkeypatch):
    made, sizes = fitted(tmp_path, epochs=1, token_budget=5), []
    forward = made.model.forward

    def counted(batch):
        sizes.append(len(batch))
        if len(batch) > most:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return forward(batch)

    whole = made.logits(INPUTS)
    monkeypatch.setattr(made.model, "forward", counted)
    most = 5
    np.testing.assert_allclose(made.logits(INPUTS), whole, atol=1e-6)
    assert max(sizes) == 5, "the token budget of the run is that of its answers"
    most = 2
    np.testing.assert_allclose(made.logits(INPUTS), whole, atol=1e-6)
    assert max(sizes[-20:]) == 2
    most = 0
    with pytest.raises(ResourceError, match="One row alone does not fit into the memory"):
        made.logits(INPUTS)


def test_pictures_of_any_shape_and_colour_are_answered(tmp_path):
    made = fitted(tmp_path, epochs=1)
    shapes = [(1, 1), (5, 90), (300, 200, 3), (16, 16, 4)]
    given = [Picture(content=encode(np.full(shape, 90, np.uint8))) for shape in shapes]
    assert np.isfinite(made.logits(given)).all()
    assert made.logits([]).shape == (0, 2)
    together, alone = made.logits(given), np.concatenate([made.logits([one]) for one in given])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_grey_pictures_have_one_channel(tmp_path):
    inputs, targets = pictures(48, channels=1)
    made = fitted(tmp_path, inputs=inputs, targets=targets, image_augment="auto")
    assert made.grey
    assert made.model[0].weight.shape[1] == 1
    assert (made.logits(INPUTS).argmax(axis=1) == CLASSES).mean() > 0.8, "it sees colourful ones in grey"


def test_grey_pictures_in_three_channels_are_seen_as_grey(tmp_path):
    inputs, targets = pictures(48, channels=1)
    tripled = [Picture.of(np.repeat(decoded([one], 16, grey=True)[0], 3, axis=2)) for one in inputs]
    made = fitted(tmp_path / "a", inputs=tripled, targets=targets, image_augment="auto", epochs=2)
    assert made.grey
    assert not learner_of(made, augment="auto").preset.mirror
    alike = fitted(tmp_path / "b", inputs=inputs, targets=targets, image_augment="auto", epochs=2)
    np.testing.assert_array_equal(made.logits(tripled), alike.logits(inputs))


def test_the_side_is_asked_for_or_found(tmp_path):
    assert fitted(tmp_path / "a", epochs=1, image_size=24).side == 24
    assert fitted(tmp_path / "b", epochs=1, image_size=None).side == 32


def test_the_same_seed_gives_the_same_weights(tmp_path):
    first, second, other = (
        fitted(tmp_path / part, epochs=2, seed=seed, image_augment="strong").model.state_dict()
        for part, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["0.weight"], other["0.weight"])


class KilledError(Exception):
    pass


@pytest.mark.parametrize("kind", [Small, Resnet18Classifier])
def test_a_killed_training_resumes_to_the_same_weights(kind, tmp_path, monkeypatch):
    given = {"kind": kind, "inputs": INPUTS[:24], "targets": CLASSES[:24], "checkpoint_seconds": 0.0, "epochs": 2}
    whole = fitted(tmp_path / "whole", **given).model.state_dict()
    counted, loss = [], _PictureLearner.loss

    def dies(self, rows):
        counted.append(rows)
        if len(counted) == 5:
            raise KilledError
        return loss(self, rows)

    monkeypatch.setattr("headwater.vision.kept.IN_MEMORY", 0)
    monkeypatch.setattr(_PictureLearner, "loss", dies)
    with pytest.raises(KilledError):
        fitted(tmp_path / "killed", **given)
    again = fitted(tmp_path / "killed", **given).model.state_dict()
    assert len(counted) == 5 + 2
    assert all(torch.equal(whole[key], again[key]) for key in whole)


def test_several_labels(tmp_path):
    targets = np.stack([CLASSES, 1 - CLASSES, np.ones(48)], axis=1).astype(np.float32)
    made = fitted(tmp_path, targets=targets, n_classes=3, image_augment="strong", epochs=25)
    found = made.logits(INPUTS) > 0
    assert (found == (targets > 0)).mean() > 0.9


def test_weights_of_rows_move_the_odds(tmp_path):
    noise = np.random.default_rng(0).integers(0, 2, 48)
    heavy = fitted(tmp_path, targets=noise, weights=np.where(noise == 0, 50.0, 1.0), epochs=3)
    assert (heavy.logits(INPUTS).argmax(axis=1) == 0).mean() > 0.9


def test_the_loss_of_a_mixture_is_the_mixture_of_losses(tmp_path, monkeypatch):
    made = fitted(tmp_path, epochs=1)
    weights, rows = np.random.default_rng(0).uniform(0.5, 2, 48), np.arange(10)
    learner = learner_of(made, weights)
    learner.preset = Preset(mix=1.0)
    kept = []
    monkeypatch.setattr(neural, "mixed", lambda given, preset: kept.append(mixup(given)) or kept[-1])
    made.model.eval()
    found = learner.loss(rows)
    logits = made.model(made.standardised(kept[0].pictures))
    targets, shares = torch.from_numpy(CLASSES[rows]), torch.nn.functional.one_hot(torch.from_numpy(CLASSES[rows]), 2)
    share, weight = kept[0].share[:, None], torch.from_numpy(weights[rows]).float()[:, None]
    goal = share * weight * shares + (1 - share) * (weight * shares)[kept[0].partner]
    torch.testing.assert_close(found, -(goal * logits.log_softmax(dim=1)).sum())
    monkeypatch.setattr(neural, "mixed", lambda given, preset: None)
    plain = made.model(made.standardised(made.batch(learner.seen.take(rows)).float() / 255))
    expected = classification_loss(plain, targets, weight[:, 0], several=False)
    torch.testing.assert_close(learner.loss(rows), expected)


def test_one_picture_alone_leaves_the_norms_as_they_are(tmp_path):
    made = fitted(tmp_path, inputs=INPUTS[:17], targets=CLASSES[:17], epochs=1)
    learner, norm = learner_of(made), made.model[1]
    learner.train_mode()
    before = norm.running_mean.clone()
    learner.loss(np.array([3])).backward()
    assert torch.equal(norm.running_mean, before)
    assert norm.training
    learner.loss(np.array([3, 4]))
    assert not torch.equal(norm.running_mean, before)


@pytest.mark.parametrize(("rows", "settings"), [(9, {}), (2, {"token_budget": 16})], ids=str)
def test_a_pass_of_one_picture_is_learnt_from(rows, settings, tmp_path):
    given = {"inputs": INPUTS[:rows], "targets": CLASSES[:rows], "epochs": 1, "image_size": 32}
    made = fitted(tmp_path, Resnet18Classifier, **given, **settings)
    assert np.isfinite(made.trace.curve[0]["loss"])


def test_one_row_is_learnt_from(tmp_path):
    made = fitted(tmp_path, Resnet18Classifier, INPUTS[:1], np.array([0]), n_classes=1, epochs=1)
    assert made.logits(INPUTS[:2]).shape == (2, 1)


def test_a_pass_has_enough_rows_for_a_norm(tmp_path):
    made = fitted(tmp_path, epochs=1, image_size=64)
    assert made.patches == 16
    made.side = 224
    assert made._budget(Settings()) == 16 * 196
    made.side = 1024
    assert made._budget(Settings()) == 16_384
    assert made._budget(Settings(token_budget=100)) == 100
    made.model = nn.Sequential(nn.Conv2d(3, 2, 3))
    assert made._budget(Settings()) is None


def test_gradients_lie_in_memory_as_their_weights(tmp_path):
    # The fused optimiser walks over both at once.
    made = fitted(tmp_path, Resnet18Classifier, INPUTS[:8], CLASSES[:8], epochs=1)
    learner = learner_of(made, augment="standard")
    made.model.train()
    learner.loss(np.arange(4)).backward()
    for weight in made.model.parameters():
        strides = [(s, g) for n, s, g in zip(weight.shape, weight.stride(), weight.grad.stride(), strict=True) if n > 1]
        assert weight.is_contiguous()
        assert all(one == other for one, other in strides)


def test_few_rows_are_passed_over_more_often():
    epochs = [LenetClassifier.completed(Settings(), rows).epochs for rows in (10, 700, 10_000)]
    assert epochs == [100, 28, 20]
    given = LenetClassifier.completed(Settings(epochs=2, learning_rate=0.1), 10)
    assert (given.epochs, given.learning_rate) == (2, 0.1)


def test_sees_pictures_before_it_has_learnt(tmp_path):
    assert LenetClassifier().view(INPUTS, run_in(tmp_path)).shape == (48, 47)
