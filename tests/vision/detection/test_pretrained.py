import json

import numpy as np
import pytest
import torch
from tests.vision.detection.squares import scenes
from transformers import (
    ConditionalDetrConfig,
    ConditionalDetrForObjectDetection,
    DetrConfig,
    DetrForObjectDetection,
    ResNetConfig,
    RTDetrConfig,
    RTDetrForObjectDetection,
    RTDetrResNetConfig,
    ViTConfig,
    ViTModel,
    YolosConfig,
    YolosForObjectDetection,
)

from headwater.errors import ArtifactError, NotFittedError, SettingError
from headwater.foundation.reading import Reading, reading_of
from headwater.run import Run
from headwater.settings import Settings
from headwater.vision import network
from headwater.vision.detection import detector, pretrained
from headwater.vision.detection.pretrained import PretrainedDetector, opened, trainable
from headwater.vision.locator import Scenes

GIVEN = scenes(4)
NAMES = ("red", "blue")
NAMED = Scenes(GIVEN.inputs, GIVEN.answers, 2, NAMES)


def tiny(kind, labels):
    """A network of random weights in tens of thousands of numbers."""
    torch.manual_seed(0)
    named = dict(enumerate(labels))
    if kind == "yolos":
        config = YolosConfig(
            hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, image_size=[64, 64],
            patch_size=16, num_detection_tokens=6, id2label=named,
        )  # fmt: skip
        return YolosForObjectDetection(config)
    if kind == "rt-detr":
        body = RTDetrResNetConfig(
            embedding_size=8, hidden_sizes=[8] * 4, depths=[1] * 4, layer_type="basic",
            out_features=["stage2", "stage3", "stage4"],
        )  # fmt: skip
        config = RTDetrConfig(
            backbone_config=body, encoder_hidden_dim=16, encoder_in_channels=[8] * 3, decoder_in_channels=[16] * 3,
            d_model=16, encoder_ffn_dim=16, decoder_ffn_dim=16, num_queries=10, decoder_layers=1, encoder_layers=1,
            encoder_attention_heads=2, decoder_attention_heads=2, decoder_n_points=2, num_denoising=0, id2label=named,
        )  # fmt: skip
        return RTDetrForObjectDetection(config)
    body = ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8, 8, 16], depths=[1, 1, 1, 1], layer_type="basic", out_features=["stage4"]
    )
    sizes = {
        "d_model": 16, "encoder_layers": 1, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_ffn_dim": 16,
        "decoder_attention_heads": 2, "encoder_ffn_dim": 16, "num_queries": 6,
    }  # fmt: skip
    kinds = {
        "detr": (DetrConfig, DetrForObjectDetection),
        "conditional": (ConditionalDetrConfig, ConditionalDetrForObjectDetection),
    }
    config, network = kinds[kind]
    return network(config(backbone_config=body, backbone=None, use_timm_backbone=False, id2label=named, **sizes))


@pytest.fixture(scope="module", params=["detr", "conditional", "yolos"])
def foundation(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    tiny(request.param, ["cat", "Blue", "dog", "Red"]).save_pretrained(folder)
    return folder


def fitted(foundation, folder, given=NAMED, **settings):
    folder.mkdir(exist_ok=True)
    run = Run(Settings(device="cpu", image_size=64, epochs=2, image_augment="none", **settings), folder)
    return PretrainedDetector(foundation=str(foundation)).fit(given, given, run)


def test_is_adapted_and_saved_whole(foundation, tmp_path):
    made = fitted(foundation, tmp_path / "run")
    answers = made.answers(GIVEN.inputs)
    assert len(answers) == 4
    assert all((boxes.labels < 2).all() and (boxes.places <= 64).all() for boxes in answers)
    (tmp_path / "saved").mkdir()
    made.save(tmp_path / "saved")
    again = PretrainedDetector.load(tmp_path / "saved").answers(GIVEN.inputs)
    for one, other in zip(answers, again, strict=True):
        np.testing.assert_array_equal(one.places, other.places)
        np.testing.assert_array_equal(one.labels, other.labels)


def test_known_classes_keep_their_heads_and_are_scored_first(foundation, tmp_path):
    made = fitted(foundation, tmp_path)
    assert made.model.columns == [3, 1]
    assert made.trace.stages[0].name == "as it is"
    assert len(made.trace.stages) == 2


@pytest.mark.parametrize(("score", "kept"), [(0.2, False), (0.25, False), (0.9, True)])
def test_what_did_not_learn_to_find_more_is_as_it_was_and_says_so(tmp_path, monkeypatch, score, kept):
    tiny("yolos", ["Blue", "Red"]).save_pretrained(tmp_path / "yolos")
    before = opened(tmp_path / "yolos", NAMES, trusted=False).state_dict()
    monkeypatch.setattr(pretrained, "interval", lambda *given: (0.25, 0.1, 0.4))
    monkeypatch.setattr(detector, "interval", lambda *given: (score, 0.1, 0.95))
    made = fitted(tmp_path / "yolos", tmp_path / "run")
    same = all(torch.equal(values, before[name]) for name, values in made.model.state_dict().items())
    assert same != kept
    told = "; not kept: it finds no more than as it is, and goes on so"
    assert made.trace.stages[-1].decision.endswith(told) != kept
    assert len(made.trace.stages) == 2


def test_new_classes_have_new_heads(foundation, tmp_path):
    made = fitted(foundation, tmp_path, GIVEN)
    assert made.model.network.config.num_labels == 2
    assert made.model.columns == [0, 1]
    assert len(made.trace.stages) == 1


@pytest.mark.parametrize("strategy", ["full", "last-layers", "probe"])
def test_a_strategy_trains_what_it_says(foundation, strategy, tmp_path):
    before = opened(foundation, NAMES, trusted=False).state_dict()
    made = opened(foundation, NAMES, trusted=False)
    trainable(made.network, Settings(strategy=strategy, last_layers=1))
    learned = {name for name, weight in made.named_parameters() if weight.requires_grad}
    heads = {name for name in learned if "class_" in name or "bbox_" in name}
    assert heads
    assert (learned == heads) == (strategy == "probe")
    assert (len(learned) == len(list(made.parameters()))) <= (strategy == "full")
    assert before.keys() == made.state_dict().keys()


def test_a_probe_leaves_what_is_frozen_as_it_was(tmp_path):
    folder = tmp_path / "foundation"
    tiny("rt-detr", ["cat", "dog"]).save_pretrained(folder)
    made = fitted(folder, tmp_path / "run", GIVEN, strategy="probe")
    learned = {name for name, weight in made.model.named_parameters() if weight.requires_grad}
    frozen = {name: values for name, values in made.model.state_dict().items() if name not in learned}
    before = opened(folder, range(2), trusted=False).state_dict()
    assert any("running_mean" in name for name in frozen)
    assert [name for name, values in frozen.items() if not torch.equal(values, before[name])] == []


def test_it_computes_where_and_as_it_was_told(foundation, tmp_path, monkeypatch):
    made, asked = fitted(foundation, tmp_path / "run", token_budget=32), []
    made.device = "cuda"
    (tmp_path / "saved").mkdir()
    made.save(tmp_path / "saved")
    monkeypatch.setattr(network, "nearest", lambda kind: asked.append(kind) or torch.device("cpu"))
    again = PretrainedDetector.load(tmp_path / "saved")
    assert (again.token_budget, asked) == (32, ["cuda"])


def test_a_search_may_try_its_strategies():
    assert {"strategy", "last_layers"} <= set(PretrainedDetector.reads)


def test_what_it_learns_fits_what_it_sees(foundation, tmp_path):
    made = fitted(foundation, tmp_path, GIVEN, learning_rate=3e-3)
    losses = [epoch["loss"] for epoch in made.trace.curve]
    assert losses[-1] < losses[0]


def test_channels_are_in_the_order_of_the_foundation(tmp_path):
    folder = tmp_path / "yolos"
    tiny("yolos", ["Blue", "Red"]).save_pretrained(folder)
    noted = Reading(64, (0.0,) * 3, (1.0,) * 3, reversed=True).noted()
    (folder / "preprocessor_config.json").write_text(json.dumps(noted))
    made = fitted(folder, tmp_path / "run")
    shades = torch.tensor([0.2, 0.4, 0.6])[None, :, None, None]
    assert made.standardised(shades).ravel().tolist() == pytest.approx([0.6, 0.4, 0.2])
    (tmp_path / "saved").mkdir()
    made.save(tmp_path / "saved")
    again = PretrainedDetector.load(tmp_path / "saved")
    np.testing.assert_array_equal(again.answers(GIVEN.inputs)[0].places, made.answers(GIVEN.inputs)[0].places)
    assert reading_of(tmp_path / "saved" / "encoder", None, trust_remote_code=False).reversed


def test_a_strategy_that_it_has_not_is_refused(foundation, tmp_path):
    with pytest.raises(SettingError, match="This foundation is not adapted so"):
        fitted(foundation, tmp_path, strategy="lora")


def test_a_foundation_that_finds_nothing_is_refused(tmp_path):
    config = ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=32, patch_size=16
    )
    ViTModel(config).save_pretrained(tmp_path / "vit")
    with pytest.raises(ArtifactError, match="This foundation cannot find things in images"):
        fitted(tmp_path / "vit", tmp_path / "run")


def test_missing_weights_are_told(foundation, tmp_path):
    from safetensors.torch import load_file, save_file

    weights = load_file(foundation / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if "layernorm" not in name and "layer_norm" not in name}
    folder = tmp_path / "damaged"
    folder.mkdir()
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    (folder / "config.json").write_bytes((foundation / "config.json").read_bytes())
    with pytest.raises(ArtifactError, match=r"The detector lacks \d+ of its tensors"):
        fitted(folder, tmp_path / "run")


def test_has_no_network_before_it_is_fitted():
    with pytest.raises(NotFittedError, match="The network of a pretrained detector is that of its foundation"):
        PretrainedDetector(foundation="somewhere").network(2)


def test_each_strategy_has_its_own_learning_rate():
    rates = [PretrainedDetector.completed(Settings(strategy=name), 10).learning_rate for name in ("auto", "probe")]
    assert rates == [1e-4, 1e-3]
    assert PretrainedDetector.completed(Settings(learning_rate=0.5), 10).learning_rate == 0.5
