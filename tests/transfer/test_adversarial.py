"""The judge learns to tell where a row is from; the encoder learns against it, as much as it is told to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.tiny import WORDS, make_bert
from torch.nn import functional

from headwater.foundation.text import TextEncoder
from headwater.run import Run
from headwater.settings import Settings
from headwater.transfer.adversarial import AdversarialLearner
from headwater.transfer.classifier import Examples
from headwater.transfer.features import extract
from headwater.transfer.finetune import finetune
from headwater.transfer.head import Head

HERE, THERE, KINDS = ("a", "the"), ("music", "story"), (WORDS[14:18], WORDS[18:22])
NOTHING = Head(np.zeros((2, 16), np.float32), np.zeros(2, np.float32), strength=0.0)


def _texts(place: tuple[str, ...], rows: int, seed: int = 0) -> list[str]:
    """Texts whose middle tells their class, and whose ends tell where they are from."""
    random = np.random.default_rng([seed, len(place[0])])
    kinds = [KINDS[row % 2] for row in range(rows)]
    return [" ".join(map(random.choice, (place, kind, WORDS[6:12], place))) for kind in kinds]


def _examples(rows: int = 16, of_source: np.ndarray | None = None) -> Examples:
    targets = np.arange(rows) % 2
    return Examples(_texts(HERE, rows), targets, 2, of_source=of_source, unlabelled=_texts(THERE, rows))


def _encoder(tmp_path: Path) -> TextEncoder:
    return TextEncoder.load(make_bert(tmp_path / "tiny"), "tiny")


def _learner(tmp_path: Path, train: Examples, dann_weight: float = 1.0, head: Head = NOTHING) -> AdversarialLearner:
    settings = Settings(device="cpu", learning_rate=1e-3, unlabelled_method="dann", dann_weight=dann_weight)
    return AdversarialLearner(_encoder(tmp_path), head, train, train, settings, head_factor=10.0)


def _judged(learner: AdversarialLearner, rows: np.ndarray) -> torch.Tensor:
    """The judge's loss on rows of here and as many of there, as it would be without the reversal."""
    sides = (learner.prepared.batch(rows), learner.unlabelled.batch(learner._drawn(rows)))
    told = learner.judge(torch.cat([learner.encoder.features(side) for side in sides]))[:, 0]
    return len(rows) * functional.binary_cross_entropy_with_logits(told, (torch.arange(len(told)) < len(rows)).float())


def _gradients(learner: AdversarialLearner, loss: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The gradient of the encoder and that of the judge."""
    parts = (learner.encoder.network, learner.judge)
    wanted = [[one for one in part.parameters() if one.requires_grad] for part in parts]
    found = torch.autograd.grad(loss, [one for part in wanted for one in part], materialize_grads=True)
    flat = torch.cat([one.flatten() for one in found])
    encoder, judge = flat.split([sum(one.numel() for one in part) for part in wanted])
    return encoder, judge


@pytest.mark.parametrize("dann_weight", [0.0, 0.5, 2.0])
def test_the_encoder_learns_against_the_judge_and_the_judge_for_itself(dann_weight: float, tmp_path: Path):
    learner, rows = _learner(tmp_path, _examples(), dann_weight), np.arange(8)
    torch.nn.init.constant_(learner.judge[2].weight, 0.3)
    torch.manual_seed(0)
    against, own = _gradients(learner, learner.loss(rows))  # a head of zeros sends the encoder nothing
    torch.manual_seed(0)
    encoder, judge = _gradients(learner, _judged(learner, rows))
    assert encoder.norm() > 0.1
    torch.testing.assert_close(against, -dann_weight * encoder)
    torch.testing.assert_close(own, judge)


def test_the_judge_is_silent_until_it_has_learnt_something(tmp_path: Path):
    learner = _learner(tmp_path, _examples())
    encoder, judge = _gradients(learner, learner.loss(np.arange(8)))
    assert encoder.abs().max() == 0
    assert judge.norm() > 0


def test_the_classes_are_learnt_as_without_it(tmp_path: Path):
    head = Head(np.eye(2, 16, dtype=np.float32), np.zeros(2, np.float32), strength=0.0)
    learner, rows = _learner(tmp_path, _examples(), head=head), np.arange(8)
    torch.manual_seed(0)
    beside, _ = _gradients(learner, learner.loss(rows))
    torch.manual_seed(0)
    learner._drawn(rows)  # takes its random numbers before the dropout does
    features = learner.encoder.features(learner.prepared.batch(rows))
    alone, _ = _gradients(learner, learner.class_loss(features, rows))
    assert alone.norm() > 0
    torch.testing.assert_close(beside, alone)


def test_of_a_source_and_a_target_the_source_is_elsewhere(tmp_path: Path):
    of_source = np.arange(16) >= 4
    assert _learner(tmp_path, _examples(of_source=of_source)).elsewhere.tolist() == of_source.tolist()
    assert _learner(tmp_path, _examples()).elsewhere.tolist() == [1.0] * 16


def test_long_unlabelled_rows_are_drawn_in_as_much_room_as_the_labelled_have(tmp_path: Path):
    train, rows = _examples(), np.arange(8)
    assert len(_learner(tmp_path, train)._drawn(rows)) == 8
    for times, drawn in ((3, 3), (12, 1)):
        long = Examples(train.inputs, train.targets, 2, unlabelled=[" ".join(["film story"] * 2 * times)] * 5)
        assert len(_learner(tmp_path, long)._drawn(rows)) == drawn


def test_the_judge_learns_faster_than_the_foundation(tmp_path: Path):
    learner = _learner(tmp_path, _examples())
    rates = {group.get("lr") for group in learner.parameter_groups(learner.settings)}
    assert rates == {None, 1e-2, 1e-3}


def _gap(tmp_path: Path, dann_weight: float) -> float:
    """How far the means of both places are apart after a training, in variances within them."""
    encoder, train = _encoder(tmp_path), _examples(64)
    settings = Settings(
        epochs=6, learning_rate=3e-3, batch_size=16, device="cpu", feature_cache=False,
        unlabelled_method="dann", dann_weight=dann_weight,
    )  # fmt: skip
    folder = tmp_path / f"run-{dann_weight}"
    folder.mkdir()
    finetune(encoder, "full", train, train, Run(settings, folder))
    places = [extract(encoder, _texts(place, 100, seed=1), settings) for place in (HERE, THERE)]
    centred = np.concatenate([place - place.mean(axis=0) for place in places])
    return float(np.square(places[0].mean(axis=0) - places[1].mean(axis=0)).sum() / centred.var(axis=0).sum())


def test_the_features_of_both_places_come_nearer(tmp_path: Path):
    assert _gap(tmp_path, 0.3) < 0.7 * _gap(tmp_path, 0.0)


def test_without_unlabelled_rows_or_by_another_method_nothing_is_hidden(tmp_path: Path):
    train = _examples()
    heads = []
    for name, rows, method in (("none", Examples(train.inputs, train.targets, 2), "dann"), ("other", train, "coral")):
        settings = Settings(epochs=1, learning_rate=1e-2, device="cpu", unlabelled_method=method)
        (tmp_path / name).mkdir()
        heads.append(finetune(_encoder(tmp_path), "full", rows, rows, Run(settings, tmp_path / name))[0])
    np.testing.assert_array_equal(heads[0].weight, heads[1].weight)
