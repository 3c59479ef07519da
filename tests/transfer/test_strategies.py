import numpy as np
import pytest
import torch
from tests.tiny import make_bert, make_gpt2, make_resnet, make_timm
from tests.vision.shapes import pictures

from headwater.foundation.image import ImageEncoder
from headwater.foundation.text import TextEncoder
from headwater.run import Run
from headwater.settings import Settings
from headwater.transfer.classifier import Examples
from headwater.transfer.strategies import train_mode, trainable
from headwater.vision.classification.pretrained import PretrainedClassifier


@pytest.fixture
def encoder(tmp_path):
    return TextEncoder.load(make_bert(tmp_path), "tiny")


def _learning(encoder):
    return {name for name, parameter in encoder.network.named_parameters() if parameter.requires_grad}


def _features(encoder):
    with torch.inference_mode():
        return encoder.features(encoder.prepare(["a good film"]).batch(np.array([0])))


def test_full_trains_all_that_features_come_from(encoder):
    with trainable(encoder, "full", Settings()):
        names = {name for name, _ in encoder.network.named_parameters() if "pooler" not in name}
        assert _learning(encoder) == names


def test_last_layers_trains_the_last_blocks_only(encoder):
    before = _learning(encoder)
    with trainable(encoder, "last-layers", Settings(last_layers=1)):
        assert all(name.startswith("encoder.layer.1.") for name in _learning(encoder))
        train_mode(encoder)
        assert [block.training for block in encoder.blocks()] == [False, True]
        assert not encoder.network.embeddings.training
    assert _learning(encoder) == before


def test_last_layers_trains_the_final_norm_too(tmp_path):
    decoder = TextEncoder.load(make_gpt2(tmp_path), "tiny")
    with trainable(decoder, "last-layers", Settings(last_layers=1)):
        assert {"ln_f.weight", "ln_f.bias"} <= _learning(decoder)
        assert not any(name.startswith(("wte", "wpe", "h.0")) for name in _learning(decoder))


@pytest.mark.parametrize("make", [make_bert, make_gpt2])
def test_lora_begins_at_the_foundation_and_leaves_plain_merged_weights(tmp_path, make):
    encoder = TextEncoder.load(make(tmp_path), "tiny")
    names, before = set(encoder.network.state_dict()), _features(encoder)
    with trainable(encoder, "lora", Settings(lora_rank=2)):
        assert all("lora_" in name for name in _learning(encoder))
        torch.testing.assert_close(_features(encoder), before)
        with torch.no_grad():
            for name, parameter in encoder.network.named_parameters():
                if "lora_B" in name:
                    parameter.fill_(0.1)
        during = _features(encoder)
    assert set(encoder.network.state_dict()) == names
    torch.testing.assert_close(_features(encoder), during, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(during, before, atol=1e-3)


@pytest.mark.parametrize("make", [make_timm, make_resnet])
@pytest.mark.parametrize("strategy", ["full", "last-layers", "lora"])
def test_batch_norms_keep_what_they_were_pretrained_with(make, strategy, tmp_path):
    encoder = ImageEncoder.load(make(tmp_path / "cnn"), "tiny")
    before = {name: values.clone() for name, values in encoder.network.named_buffers()}
    batch = {"pixel_values": torch.rand(1, 3, 32, 32)}
    with trainable(encoder, strategy, Settings(lora_rank=2)):
        train_mode(encoder)
        # The last places of so small a picture are one: a norm of its own cannot be taken over them.
        encoder.features(batch).sum().backward()
        assert any(module.training for module in encoder.network.modules())
    assert before
    assert all(torch.equal(values, before[name]) for name, values in encoder.network.named_buffers())


def test_a_last_step_of_one_picture_is_learnt_from(tmp_path):
    inputs, targets = pictures(17, 32)
    rows = Examples(inputs, targets, 2)
    settings = Settings(strategy="full", epochs=1, batch_size=16, learning_rate=0.01, device="cpu")
    (tmp_path / "run").mkdir()
    model = PretrainedClassifier(foundation=str(make_timm(tmp_path / "cnn")))
    model.fit(rows, rows, Run(settings, tmp_path / "run"))
    assert np.isfinite(model.logits(inputs)).all()
