import numpy as np
import pytest
import torch
from tests.tiny import WORDS, make_bert

from headwater.foundation.text import TextEncoder
from headwater.run import Run
from headwater.settings import Settings
from headwater.transfer.classifier import Examples
from headwater.transfer.finetune import EncoderLearner, finetune
from headwater.transfer.head import Head

SETTINGS = Settings(epochs=2, learning_rate=1e-2, device="cpu")


def _examples(rows=24):
    texts = [f"{'good' if row % 2 else 'bad'} {WORDS[row % 8 + 4]}" for row in range(rows)]
    return Examples(texts, np.arange(rows) % 2, 2)


def _encoder(tmp_path):
    return TextEncoder.load(make_bert(tmp_path / "tiny"), "tiny")


def _run(tmp_path, settings=SETTINGS):
    (tmp_path / "run").mkdir(exist_ok=True)
    return Run(settings, tmp_path / "run")


@pytest.mark.parametrize("strategy", ["full", "last-layers", "lora"])
def test_training_learns_and_the_head_fits_the_encoder_it_leaves(tmp_path, strategy):
    encoder, rows = _encoder(tmp_path), _examples()
    head, history = finetune(encoder, strategy, rows, rows, _run(tmp_path, Settings(epochs=8, learning_rate=1e-2)))
    with torch.inference_mode():
        features = encoder.features(encoder.prepare(rows.inputs).batch(np.arange(len(rows)))).numpy()
    accuracy = (head.logits(features).argmax(axis=1) == rows.targets).mean()
    assert accuracy == pytest.approx(history.best_score, abs=1 / len(rows))
    assert accuracy > 0.7
    assert encoder.source is None


def test_two_trainings_of_one_seed_are_equal(tmp_path):
    heads = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        heads.append(finetune(_encoder(tmp_path), "full", _examples(), _examples(), _run(tmp_path / name))[0])
    np.testing.assert_array_equal(heads[0].weight, heads[1].weight)


def test_unused_embedding_rows_stay_as_pretrained(tmp_path):
    encoder = _encoder(tmp_path)
    before = encoder.network.get_input_embeddings().weight.detach().clone()
    finetune(encoder, "full", _examples(), _examples(), _run(tmp_path))
    after = encoder.network.get_input_embeddings().weight.detach()
    assert torch.equal(after[30:], before[30:])
    assert not torch.equal(after[5], before[5])


def test_rows_weigh_in_the_loss(tmp_path):
    rows = _examples(4)
    weighted = Examples(rows.inputs, rows.targets, 2, weights=np.array([1.0, 0, 0, 0]))
    head = Head(np.zeros((2, 16), np.float32), np.array([0, 1], np.float32), strength=0.0)
    alone = EncoderLearner(_encoder(tmp_path), head, rows.take(np.array([0])), rows, SETTINGS)
    loss = EncoderLearner(_encoder(tmp_path), head, weighted, rows, SETTINGS).loss(np.arange(4))
    torch.testing.assert_close(loss, alone.loss(np.array([0])))


def test_the_head_has_its_own_learning_rate(tmp_path):
    head = Head(np.zeros((2, 16), np.float32), np.zeros(2, np.float32), strength=0.0)
    learner = EncoderLearner(_encoder(tmp_path), head, _examples(), _examples(), SETTINGS, head_factor=10.0)
    rates = [group.get("lr") for group in learner.parameter_groups(SETTINGS)]
    assert rates == [None, None, 0.1, 0.1]
