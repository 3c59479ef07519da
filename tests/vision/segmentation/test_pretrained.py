"""Foundations that give pixels classes: adapted by each strategy, and the same when read back."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.tiny import make_bert, make_segformer
from tests.vision.segmentation.scenes import scenes

from headwater.errors import ArtifactError, SettingError
from headwater.foundation.locate import locate
from headwater.foundation.reading import Reading, reading_of
from headwater.run import Run
from headwater.settings import Settings
from headwater.vision.segmentation import segmenter
from headwater.vision.segmentation.canvas import Canvas
from headwater.vision.segmentation.pretrained import PretrainedSegmenter, _read
from headwater.vision.segmentation.settings import SegmenterSettings

TRAIN = scenes(8)


@pytest.fixture(scope="module")
def segformer(tmp_path_factory):
    folder = make_segformer(tmp_path_factory.mktemp("segformer"))
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0.5] * 3, "image_std": [0.25] * 3}))
    return folder


def fitted(folder, foundation, own=None, train=TRAIN, **settings):
    folder.mkdir(exist_ok=True, parents=True)
    given = {"device": "cpu", "precision": "fp32", "epochs": 1, "strategy": "full", "offline": True} | settings
    made = PretrainedSegmenter(SegmenterSettings(**own or {}), foundation=str(foundation))
    return made.fit(train, train, Run(Settings(**given), folder))


@pytest.mark.parametrize(
    ("strategy", "below", "frozen"),
    [("auto", True, False), ("full", True, False), ("last-layers", True, True), ("probe", False, True)],
)
def test_a_strategy_trains_its_part(segformer, tmp_path, strategy, below, frozen):
    made = fitted(tmp_path, segformer, strategy=strategy, last_layers=1)
    before, after = _read(segformer, 3, trusted=False).state_dict(), made.model.inner.state_dict()
    same = {name: torch.equal(weights, after[name]) for name, weights in before.items()}
    head = {moved for name, moved in same.items() if "decode_head" in name}
    body = {moved for name, moved in same.items() if "decode_head" not in name}
    assert False in head
    assert (False in body, True in body) == (below, frozen)
    assert [one.shape for one in made.answers(TRAIN.inputs[:2])] == [(32, 32)] * 2


def test_it_is_saved_in_the_format_of_the_hub(segformer, tmp_path):
    made = fitted(tmp_path / "run", segformer)
    assert made.mean.tolist() == [0.5] * 3
    (tmp_path / "saved").mkdir()
    made.save(tmp_path / "saved")
    again = PretrainedSegmenter.load(tmp_path / "saved")
    for one, other in zip(again.answers(TRAIN.inputs), made.answers(TRAIN.inputs), strict=True):
        np.testing.assert_array_equal(one, other)
    assert locate(str(tmp_path / "saved" / "encoder"), offline=True) == tmp_path / "saved" / "encoder"
    assert not (tmp_path / "saved" / "model.safetensors").exists()
    assert again.foundation == str(segformer)


def test_it_is_told_what_every_network_of_masks_is(segformer, tmp_path):
    own = {"tiles": "yes", "weighting": "none", "averaged": 2, "dice": 0.0}
    made = fitted(tmp_path / "run", segformer, own=own, image_size=16)
    assert made.canvas == Canvas(32, 32, 16, tiles=True)
    (tmp_path / "saved").mkdir()
    made.save(tmp_path / "saved")
    again = PretrainedSegmenter.load(tmp_path / "saved")
    assert again.settings == made.settings == SegmenterSettings(**own)
    np.testing.assert_array_equal(again.answers(TRAIN.inputs)[0], made.answers(TRAIN.inputs)[0])


def test_a_folder_that_was_written_without_settings_is_read(segformer, tmp_path):
    made = fitted(tmp_path / "run", segformer)
    (tmp_path / "saved").mkdir()
    made.save(tmp_path / "saved")
    file = tmp_path / "saved" / "model.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "settings": {}}))
    again = PretrainedSegmenter.load(tmp_path / "saved")
    assert again.settings == SegmenterSettings()
    np.testing.assert_array_equal(again.answers(TRAIN.inputs)[0], made.answers(TRAIN.inputs)[0])


def test_without_notes_pixels_are_read_as_imagenet(segformer, tmp_path):
    folder = make_segformer(tmp_path / "bare")
    made = fitted(tmp_path / "run", folder)
    assert made.mean.round(3).tolist() == pytest.approx([0.485, 0.456, 0.406])
    assert made.usual_side() == 256


@pytest.mark.parametrize(
    ("config", "notes", "asked", "side"),
    [
        ({}, {"size": {"height": 16, "width": 16}}, None, 16),
        ({"image_size": 16}, None, None, 16),
        ({"image_size": 48}, {"size": {"height": 16, "width": 16}}, None, 16),
        ({}, {"size": {"height": 16, "width": 16}}, 32, 32),
    ],
    ids=["notes", "config", "both", "asked"],
)
def test_it_sees_what_it_was_pretrained_at(tmp_path, config, notes, asked, side):
    folder = make_segformer(tmp_path / "told", **config)
    if notes:
        kind = {"image_processor_type": "SegformerImageProcessor", "do_resize": True}
        (folder / "preprocessor_config.json").write_text(json.dumps({**kind, **notes}))
    assert fitted(tmp_path / "run", folder, {"tiles": "no"}, image_size=asked).canvas == Canvas(side, side)


def test_channels_are_in_the_order_of_the_foundation(tmp_path):
    folder = make_segformer(tmp_path / "blue-first")
    noted = Reading(32, (0.0,) * 3, (1.0,) * 3, reversed=True).noted()
    (folder / "preprocessor_config.json").write_text(json.dumps(noted))
    made = fitted(tmp_path / "run", folder)
    shades = torch.tensor([0.2, 0.4, 0.6])[None, :, None, None]
    assert made.standardised(shades).ravel().tolist() == pytest.approx([0.6, 0.4, 0.2])
    (tmp_path / "saved").mkdir()
    made.save(tmp_path / "saved")
    again = PretrainedSegmenter.load(tmp_path / "saved")
    np.testing.assert_array_equal(again.answers(TRAIN.inputs)[0], made.answers(TRAIN.inputs)[0])
    assert reading_of(tmp_path / "saved" / "encoder", None, trust_remote_code=False).reversed


def test_a_strategy_that_needs_another_kind_is_refused(segformer, tmp_path):
    with pytest.raises(SettingError, match="This foundation is not adapted so"):
        fitted(tmp_path, segformer, strategy="few-shot")


def test_a_foundation_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match="This foundation gives pixels no classes"):
        fitted(tmp_path / "run", make_bert(tmp_path / "bert"))


def test_weights_that_lack_a_part_are_refused(tmp_path):
    folder = make_segformer(tmp_path / "torn")
    weights = load_file(folder / "model.safetensors")
    kept = dict(list(weights.items())[4:] if "decode" not in next(iter(weights)) else list(weights.items())[:-4])
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ArtifactError, match=r"The weights lack \d+ tensors below the head that gives pixels classes"):
        fitted(tmp_path / "run", folder)


@pytest.mark.parametrize(
    ("able", "given", "told"),
    [
        ((), {}, r"32 pixels wide and 32 high: sizes do not fit\. .* as --image-size\.$"),
        ((32, 32), {"train": scenes(4, 32, 48)},
         r"48 pixels wide and 32 high: .* as --image-size\. One that sees squares only needs square images\.$"),
        ((16, 16), {"own": {"tiles": "yes"}, "image_size": 16},
         r"32 pixels wide and 32 high: .* It learns from windows of 16 pixels, but answers larger pieces of images at "
         r"once\. Take a foundation that sees pictures of any size, or give it square images with --set tiles=no\.$"),
        ((32, 48), {"train": scenes(4, 32, 48), "own": {"averaged": 5}},
         r"32 pixels wide and 48 high: .* Give --set averaged=4, or less: more turns images on their side\.$"),
    ],
    ids=["none", "squares", "windows", "upright"],
)  # fmt: skip
def test_a_size_that_cannot_be_seen_is_refused_before_it_learns(segformer, tmp_path, monkeypatch, able, given, told):
    from transformers import SegformerForSemanticSegmentation

    forward = SegformerForSemanticSegmentation.forward

    def of_one_size(network, pixel_values):
        if tuple(pixel_values.shape[2:]) != able:
            raise RuntimeError("sizes do not fit\nat all")
        return forward(network, pixel_values=pixel_values)

    monkeypatch.setattr(SegformerForSemanticSegmentation, "forward", of_one_size)
    monkeypatch.setattr(segmenter.Trainer, "fit", None)
    with pytest.raises(SettingError, match=f"The foundation cannot see what is {told}"):
        fitted(tmp_path, segformer, **given)


def test_a_size_that_is_refused_without_a_reason_is_told_by_the_kind_of_error(segformer, tmp_path, monkeypatch):
    from transformers import SegformerForSemanticSegmentation

    def fails(*_, **__):
        raise AssertionError

    monkeypatch.setattr(SegformerForSemanticSegmentation, "forward", fails)
    with pytest.raises(SettingError, match="32 pixels wide and 32 high: AssertionError"):
        fitted(tmp_path, segformer)


@pytest.mark.parametrize(
    ("given", "rates"),
    [
        ({"strategy": "probe"}, {"head": 1e-2}),
        ({"strategy": "probe", "learning_rate": 0.5}, {"head": 0.5}),
        ({"strategy": "last-layers"}, {"head": 3e-3, "below": 3e-4}),
        ({"strategy": "full"}, {"head": 1e-3, "below": 1e-4}),
        ({"strategy": "auto", "learning_rate": 0.02}, {"head": 0.2, "below": 0.02}),
    ],
    ids=str,
)
def test_a_new_head_learns_faster_than_what_is_pretrained(segformer, tmp_path, monkeypatch, given, rates):
    seen = {}
    plain = segmenter._MaskLearner.parameter_groups

    def noted(learner, settings):
        part = {id(p): "head" if "head" in name else "below" for name, p in learner.network.named_parameters()}
        groups = plain(learner, settings)
        seen.update({part[id(p)]: group.get("lr", settings.learning_rate) for group in groups for p in group["params"]})
        return groups

    monkeypatch.setattr(segmenter._MaskLearner, "parameter_groups", noted)
    fitted(tmp_path, segformer, **given)
    assert seen == pytest.approx(rates)
