import doctest
import itertools

import numpy as np
import pytest
import torch
from tests.tiny import WORDS, make_bert

from headwater.foundation.text import TextEncoder
from headwater.run import Run
from headwater.settings import Settings
from headwater.training.trainer import Trainer
from headwater.transfer import contrastive
from headwater.transfer.classifier import Examples
from headwater.transfer.contrastive import ContrastiveLearner, cosine_loss, draw, tune


def _examples(rows=24):
    texts = [f"{'good' if row % 2 else 'bad'} {WORDS[row % 8 + 4]}" for row in range(rows)]
    return Examples(texts, np.arange(rows) % 2, 2)


def _encoder(folder):
    return TextEncoder.load(make_bert(folder / "tiny"), "tiny")


def _run(folder, **settings):
    folder.mkdir(exist_ok=True)
    return Run(Settings(**{"device": "cpu", "learning_rate": 1e-2, **settings}), folder)


def _features(encoder, rows):
    encoder.network.eval()
    with torch.inference_mode():
        return encoder.features(encoder.prepare(rows.inputs).batch(np.arange(len(rows)))).numpy()


def _apart(features, targets):
    """The mean cosine within classes less that between them."""
    directions = features / np.linalg.norm(features, axis=1, keepdims=True)
    same = targets[:, None] == targets
    return (directions @ directions.T)[same].mean() - (directions @ directions.T)[~same].mean()


def _loss(features, targets, weights):
    return cosine_loss(*(torch.as_tensor(array) for array in (features, targets, weights)))


def test_the_loss_is_that_of_its_pairs_written_out():
    random = np.random.default_rng(0)
    features, targets, weights = random.normal(size=(7, 5)), np.array([0, 0, 0, 1, 1, 2, 2]), random.uniform(1, 2, 7)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    errors, shares = {True: [], False: []}, {True: [], False: []}
    for one, other in itertools.combinations(range(7), 2):
        same = bool(targets[one] == targets[other])
        errors[same].append((unit[one] @ unit[other] - same) ** 2)
        shares[same].append(weights[one] * weights[other])
    expected = np.mean([np.average(errors[same], weights=shares[same]) for same in (True, False)])
    assert _loss(features, targets, weights).item() == pytest.approx(expected, rel=1e-5)


def test_pairs_of_one_kind_alone_are_the_loss():
    features = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    assert _loss(features, torch.tensor([0, 0]), torch.ones(2)).item() == pytest.approx(0.16)
    assert _loss(features, torch.tensor([0, 1]), torch.ones(2)).item() == pytest.approx(0.36)


def test_no_pair_at_all_is_no_loss():
    features = torch.ones(1, 3, requires_grad=True)
    loss = _loss(features, torch.tensor([0]), torch.ones(1))
    assert loss.item() == 0
    loss.backward()


def test_a_draw_is_fair_to_the_classes_and_repeats_no_row():
    targets = np.array([0] * 90 + [1] * 9 + [2])
    drawn = draw(targets, 12, np.random.default_rng(0))
    assert len(set(drawn.tolist())) == len(drawn)
    assert np.bincount(targets[drawn]).tolist() == [4, 4, 1]
    many = np.repeat(np.arange(20), 5)
    seen = [set(many[draw(many, 8, np.random.default_rng(seed))]) for seed in range(30)]
    assert all(len(kinds) == 4 for kinds in seen)
    assert set(itertools.chain(*seen)) == set(range(20))


def test_few_rows_are_all_drawn():
    assert draw(np.array([0, 1, 0]), 8, np.random.default_rng(0)).tolist() == [0, 1, 2]


def test_tuning_draws_the_classes_apart(tmp_path):
    encoder, rows = _encoder(tmp_path), _examples()
    before = _apart(_features(encoder, rows), rows.targets)
    tune(encoder, rows, _run(tmp_path / "run", epochs=8))
    assert _apart(_features(encoder, rows), rows.targets) > before + 0.3


def test_steps_and_rate_are_the_strategys_unless_they_are_set(tmp_path):
    history = tune(_encoder(tmp_path), _examples(), _run(tmp_path / "run", learning_rate=None))
    assert history.epochs[0].step == contrastive.STEPS
    history = tune(_encoder(tmp_path), _examples(), _run(tmp_path / "other", epochs=3, batch_size=10))
    assert history.epochs[0].step == 9


def test_a_step_is_one_pass_whose_rows_fit_the_token_budget(tmp_path):
    rows = _examples(200)
    wide = ContrastiveLearner(_encoder(tmp_path), rows, Settings(batch_size=64), 2)
    assert wide.rows == 64
    assert wide.lengths.tolist() == [64 * 4] * 2
    narrow = ContrastiveLearner(_encoder(tmp_path), rows, Settings(batch_size=64, token_budget=16), 2)
    assert narrow.rows == 16
    assert ContrastiveLearner(_encoder(tmp_path), rows, Settings(batch_size=1), 2).rows == 4


def test_a_stopped_tuning_goes_on_to_the_same_weights(tmp_path, monkeypatch):
    rows = _examples()
    whole = _encoder(tmp_path)
    tune(whole, rows, _run(tmp_path / "whole"))
    stopped, after_step, steps = _encoder(tmp_path), Trainer._after_step, iter(range(100))

    def stop_after_three(trainer, shown):
        after_step(trainer, shown)
        if next(steps) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_after_step", stop_after_three)
        with pytest.raises(KeyboardInterrupt):
            tune(stopped, rows, _run(tmp_path / "stopped", checkpoint_seconds=0.0))
    resumed = _encoder(tmp_path)
    tune(resumed, rows, _run(tmp_path / "stopped", checkpoint_seconds=0.0))
    np.testing.assert_array_equal(_features(resumed, rows), _features(whole, rows))


def test_examples():
    assert doctest.testmod(contrastive).failed == 0
