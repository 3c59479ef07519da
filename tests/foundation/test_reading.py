"""Pixels as the processor of each family makes them, and features as its own network gives them."""

import json

import numpy as np
import pytest
import torch
import transformers
from tests.tiny import make_vit

from headwater.data.pictures import Picture
from headwater.errors import ArtifactError
from headwater.foundation.image import ImageEncoder
from headwater.foundation.reading import Reading

SIDE = 64
SQUARE = {"height": SIDE, "width": SIDE}
SHORTEST = {"shortest_edge": SIDE}
ARRAYS = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
PICTURES = [Picture.of(array) for array in ARRAYS]
SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}


def vit():
    config = transformers.ViTConfig(image_size=SIDE, patch_size=16, **SMALL)
    return transformers.ViTModel(config, add_pooling_layer=False), transformers.ViTImageProcessor(size=SQUARE)


def clip():
    config = transformers.CLIPVisionConfig(image_size=SIDE, patch_size=16, projection_dim=8, **SMALL)
    return transformers.CLIPVisionModel(config), transformers.CLIPImageProcessor(size=SHORTEST, crop_size=SQUARE)


def mobilevit():
    config = transformers.MobileViTConfig(
        image_size=SIDE, hidden_sizes=[16, 16, 16], neck_hidden_sizes=[8, 8, 8, 8, 8, 8, 16], num_attention_heads=2
    )
    processor = transformers.MobileViTImageProcessor(size=SHORTEST, crop_size=SQUARE)
    return transformers.MobileViTModel(config), processor


def efficientnet(**how):
    config = transformers.EfficientNetConfig(
        image_size=SIDE, width_coefficient=0.25, depth_coefficient=0.1, hidden_dim=320, num_block_repeats=[1] * 7
    )
    return transformers.EfficientNetModel(config), transformers.EfficientNetImageProcessor(size=SQUARE, **how)


FAMILIES = {
    "vit": vit,
    "clip": clip,
    "mobilevit": mobilevit,
    "efficientnet": efficientnet,
    "efficientnet that centres": lambda: efficientnet(rescale_offset=True, include_top=False),
}


@pytest.fixture(params=FAMILIES)
def family(request, tmp_path):
    """A folder as the hub has it, and the network in it."""
    transformers.utils.logging.disable_progress_bar()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network, processor = FAMILIES[request.param]()
    with torch.no_grad():
        for name, values in network.named_parameters():
            if "norm" in name:
                values.add_(0.3 * torch.randn_like(values))  # as trained, not as they begin
    network.eval().save_pretrained(tmp_path / "hub")
    processor.save_pretrained(tmp_path / "hub")
    return tmp_path / "hub", network


def processed(folder):
    return transformers.AutoImageProcessor.from_pretrained(folder)(list(ARRAYS), return_tensors="pt")["pixel_values"]


def test_pixels_and_features_are_those_of_the_hub(family, tmp_path):
    folder, network = family
    encoder = ImageEncoder.load(folder, "tiny")
    ours, theirs = encoder.prepare(PICTURES).batch(np.arange(2)), processed(folder)
    torch.testing.assert_close(ours["pixel_values"], theirs, atol=1e-4, rtol=1e-4)
    with torch.inference_mode():
        told = network(pixel_values=theirs)
        pooled = getattr(told, "pooler_output", None)
        expected = told.last_hidden_state[:, 0] if pooled is None else pooled.flatten(1)
        torch.testing.assert_close(encoder.features(ours), expected, atol=1e-4, rtol=1e-3)


def test_a_trained_network_is_read_as_before_here_and_by_the_hub(family, tmp_path):
    folder, _ = family
    encoder = ImageEncoder.load(folder, "tiny")
    encoder.changed()
    encoder.save(tmp_path / "saved")
    again = ImageEncoder.load(tmp_path / "saved", "again")
    assert again.reading == encoder.reading
    assert again.fingerprint() == encoder.fingerprint()
    torch.testing.assert_close(processed(tmp_path / "saved"), processed(folder), atol=1e-4, rtol=1e-4)


def test_numbers_that_a_processor_uses_are_taken_as_they_are(tmp_path):
    transformers.CLIPVisionModel(clip()[0].config).save_pretrained(tmp_path)
    clip()[1].save_pretrained(tmp_path)
    assert ImageEncoder.load(tmp_path, "tiny").reading.mean == (0.48145466, 0.4578275, 0.40821073)


def test_a_folder_without_a_processor_is_read_as_usual(tmp_path):
    folder = make_vit(tmp_path / "vit")
    (folder / "preprocessor_config.json").unlink()
    assert ImageEncoder.load(folder, "tiny").reading == Reading(32, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"size": 48}, Reading(48, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))),
        ({"do_normalize": False, "do_center_crop": True, "crop_size": SQUARE}, Reading(SIDE, (0.0,) * 3, (1.0,) * 3)),
        ({"image_mean": [0.1] * 3, "image_std": [0.2] * 3}, Reading(32, (0.1,) * 3, (0.2,) * 3)),
        ({"image_mean": 0, "image_std": 0.5}, Reading(32, (0.0,) * 3, (0.5,) * 3)),
        ({"size": [48, 48], "image_mean": None}, Reading(48, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))),
    ],
)
def test_a_processor_of_nobody_is_read_by_what_its_file_tells(told, expected, tmp_path):
    folder = make_vit(tmp_path / "vit")
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_processor_type": "NobodysProcessor", **told}))
    assert ImageEncoder.load(folder, "tiny").reading == expected


def test_a_processor_of_nobody_for_several_kinds_of_input_is_read_by_its_section_of_images(tmp_path):
    folder = make_vit(tmp_path / "vit")
    (folder / "preprocessor_config.json").unlink()
    section = {"image_processor_type": "NobodysProcessor", "image_mean": [0.1] * 3, "image_std": [0.2] * 3, "size": 64}
    told = {"processor_class": "NobodysProcessor", "do_chat": True, "image_processor": section}
    (folder / "processor_config.json").write_text(json.dumps(told))
    assert ImageEncoder.load(folder, "tiny").reading == Reading(64, (0.1,) * 3, (0.2,) * 3)


@pytest.mark.parametrize(
    ("told", "got"),
    [
        ({"do_flip_channel_order": True, "include_top": True}, r"\['do_flip_channel_order', 'include_top'\]"),
        ({"do_rescale": False}, "'pixels that are not scaled to 0 to 1'"),
        ({"rescale_factor": 1.0}, "'pixels that are not scaled to 0 to 1'"),
        ({"rescale_factor": None}, "'pixels that are not scaled to 0 to 1'"),
        ({"image_mean": [0.5]}, r"'an image_mean of \[0\.5\]'"),
        ({"image_mean": "half"}, "\"an image_mean of 'half'\""),
        ({"image_std": [0.5, 0.5, None]}, r"'an image_std of \[0\.5, 0\.5, None\]'"),
        ({"image_std": [0.5, 0, 0.5]}, r"'an image_std of \[0\.5, 0, 0\.5\]'"),
        ({"size": {"height": 48, "width": 64}}, r"\"a size of {'height': 48, 'width': 64}\""),
        ({"size": "large"}, "\"a size of 'large'\""),
        ({"image_processor": 3}, "'an image_processor of 3'"),
    ],
)
def test_what_is_not_understood_of_a_file_is_refused(told, got, tmp_path):
    folder = make_vit(tmp_path / "vit")
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_processor_type": "NobodysProcessor", **told}))
    with pytest.raises(
        ArtifactError, match=rf"processor makes of pixels is not understood.*Got {got}\. Accepted: a sq"
    ):
        ImageEncoder.load(folder, "tiny")


def _unit(pictures):
    return np.stack(pictures).transpose(0, 3, 1, 2) / 255


@pytest.mark.parametrize(
    ("made", "got"),
    [
        (lambda pictures: _unit(pictures)[:, :, :9], "pixels of shape"),
        (lambda pictures: _unit(pictures)[:, None], "pixels of shape"),
        (lambda pictures: _unit(pictures) ** 2, "shades that are not in proportion"),
        (lambda pictures: 0 * _unit(pictures), "shades that are not in proportion"),
        (lambda pictures: _unit(pictures)[:, [1, 2, 0]], "channels that are mixed with one another"),
        (lambda pictures: _unit(pictures)[:, ::-1] - 0.5, "channels that are both turned round and shifted"),
        (lambda pictures: list(pictures)[9], "list index out of range"),
    ],
)
def test_a_processor_that_does_more_is_refused(made, got, tmp_path, monkeypatch):
    def processor(pictures, return_tensors):
        return {"pixel_values": made(pictures)}

    monkeypatch.setattr(transformers.AutoImageProcessor, "from_pretrained", lambda *given, **named: processor)
    with pytest.raises(ArtifactError, match=f"processor makes of pixels is not understood.*{got}"):
        ImageEncoder.load(make_vit(tmp_path / "vit"), "tiny")
