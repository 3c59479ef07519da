"""Image foundations: read from the hub's folders of transformers and timm, and written back to them."""

import json
import sys

import numpy as np
import pytest
import torch
from tests.tiny import make_resnet, make_timm, make_vit

from headwater.data.pictures import Picture
from headwater.data.raster import encode
from headwater.errors import ArtifactError, ExtraError, SettingError
from headwater.foundation.cache import keys_of
from headwater.foundation.image import ImageEncoder
from headwater.foundation.layers import blocks_of
from headwater.foundation.locate import locate
from headwater.settings import Settings
from headwater.transfer.features import extract
from headwater.transfer.strategies import trainable

MAKERS = {"vit": make_vit, "resnet": make_resnet, "timm": make_timm}


@pytest.fixture
def pictures():
    random = np.random.default_rng(0)
    return [Picture(content=encode(random.integers(0, 256, (40, 50, 3), dtype=np.uint8))) for _ in range(5)]


@pytest.fixture(params=MAKERS)
def folder(request, tmp_path):
    return MAKERS[request.param](tmp_path / request.param)


def test_features_are_those_of_each_picture_alone(folder, pictures):
    encoder = ImageEncoder.load(folder, "tiny")
    prepared = encoder.prepare(pictures)
    with torch.inference_mode():
        together = encoder.features(prepared.batch(np.arange(5)))
        alone = torch.cat([encoder.features(prepared.batch(np.array([row]))) for row in range(5)])
    assert together.shape == (5, encoder.width)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)
    assert together.std(dim=0).max() > 0


def test_an_encoder_saved_after_training_reads_pictures_as_before(folder, pictures, tmp_path):
    encoder = ImageEncoder.load(folder, "tiny", side=32)
    with torch.no_grad():
        next(encoder.network.parameters()).add_(0.01)
    encoder.changed()
    encoder.save(tmp_path / "saved")
    again = ImageEncoder.load(locate(str(tmp_path / "saved"), offline=True), "again", **encoder.options())
    assert again.fingerprint() == encoder.fingerprint()
    batches = [one.prepare(pictures).batch(np.arange(5)) for one in (encoder, again)]
    with torch.inference_mode():
        torch.testing.assert_close(again.features(batches[1]), encoder.features(batches[0]))


def test_an_untrained_encoder_is_saved_as_its_files(folder, tmp_path):
    ImageEncoder.load(folder, "tiny").save(tmp_path / "saved")
    for file in folder.iterdir():
        assert (tmp_path / "saved" / file.name).read_bytes() == file.read_bytes()


def test_pixels_are_normalised_as_the_checkpoint_asks(tmp_path):
    encoder = ImageEncoder.load(make_vit(tmp_path / "vit"), "tiny")
    white = Picture(content=encode(np.full((32, 32, 3), 255, np.uint8)))
    values = encoder.prepare([white]).batch(np.array([0]))["pixel_values"]
    assert values.shape == (1, 3, 32, 32)
    np.testing.assert_allclose(values.numpy(), 1.0, atol=1e-6)  # (1 - 0.5) / 0.5


def test_features_of_transformers_are_those_of_its_own_model(tmp_path, pictures):
    from transformers import AutoImageProcessor, ViTModel

    folder = make_vit(tmp_path / "vit")
    square = [
        Picture(content=encode(np.random.default_rng(row).integers(0, 256, (32, 32, 3), np.uint8))) for row in (1, 2)
    ]
    encoder = ImageEncoder.load(folder, "tiny")
    with torch.inference_mode():
        ours = encoder.features(encoder.prepare(square).batch(np.arange(2)))
        arrays = [np.random.default_rng(row).integers(0, 256, (32, 32, 3), np.uint8) for row in (1, 2)]
        given = AutoImageProcessor.from_pretrained(folder)(arrays, return_tensors="pt")
        theirs = ViTModel.from_pretrained(folder, add_pooling_layer=False).eval()(**given).last_hidden_state[:, 0]
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)


def test_features_of_timm_are_those_of_its_own_model(tmp_path, pictures):
    import timm
    from safetensors.torch import load_file

    folder = make_timm(tmp_path / "timm")
    encoder = ImageEncoder.load(folder, "tiny")
    network = timm.create_model("test_resnet", num_classes=0).eval()
    network.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
    batch = encoder.prepare(pictures).batch(np.arange(5))
    with torch.inference_mode():
        torch.testing.assert_close(encoder.features(batch), network(batch["pixel_values"]))


@pytest.mark.parametrize(("made", "last"), [("vit", False), ("timm", True)])
def test_only_networks_of_timm_are_given_the_channels_last(tmp_path, pictures, made, last):
    encoder = ImageEncoder.load(MAKERS[made](tmp_path / made), "tiny")
    given = []
    encoder.network.register_forward_pre_hook(
        lambda _, args, kwargs: given.append(kwargs.get("pixel_values", *args)), with_kwargs=True
    )
    values = encoder.prepare(pictures).batch(np.arange(3))["pixel_values"]
    for order in (torch.contiguous_format, torch.channels_last):
        encoder.features({"pixel_values": values.contiguous(memory_format=order)})
    assert [one.is_contiguous(memory_format=torch.channels_last) for one in given] == [last, last]


def test_blocks_go_from_first_to_last(folder):
    encoder = ImageEncoder.load(folder, "tiny")
    blocks = encoder.blocks()
    assert len(blocks) >= 2
    order = {id(module): place for place, module in enumerate(encoder.network.modules())}
    assert [order[id(block)] for block in blocks] == sorted(order[id(block)] for block in blocks)
    assert blocks == blocks_of(encoder.network)


@pytest.mark.parametrize("strategy", ["lora", "last-layers", "full"])
def test_every_strategy_finds_something_to_train(folder, strategy, pictures):
    encoder = ImageEncoder.load(folder, "tiny")
    batch = encoder.prepare(pictures).batch(np.arange(5))
    before = encoder.fingerprint()
    with trainable(encoder, strategy, Settings(last_layers=1, lora_rank=2)):
        learnt = [parameter for parameter in encoder.network.parameters() if parameter.requires_grad]
        assert learnt
        encoder.features(batch).square().sum().backward()
        with torch.no_grad():
            for parameter in learnt:
                if parameter.grad is not None:
                    parameter.add_(parameter.grad + 0.1)
    assert encoder.fingerprint() != before
    with torch.inference_mode():
        assert encoder.features(batch).isfinite().all()


def test_features_are_kept_by_what_the_bytes_are(tmp_path, pictures, monkeypatch):
    monkeypatch.setenv("HEADWATER_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "a.png"
    file.write_bytes(pictures[0].content)
    assert keys_of([Picture(str(file))]) == keys_of(pictures[:1]) != keys_of(pictures[1:2])
    encoder = ImageEncoder.load(make_vit(tmp_path / "vit"), "tiny")
    found = extract(encoder, pictures, Settings())
    monkeypatch.setattr(encoder, "features", None)
    np.testing.assert_array_equal(extract(encoder, [Picture(str(file)), *pictures[1:]], Settings()), found)


def test_a_size_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(SettingError, match=r"The foundation cannot read images of this size.*Leave --image-size out"):
        ImageEncoder.load(make_vit(tmp_path / "vit"), "tiny", side=3)


def test_a_text_foundation_is_refused(tmp_path):
    from tests.tiny import make_bert

    with pytest.raises(ArtifactError, match=r"The architecture bert cannot serve images here.*of images, such as"):
        ImageEncoder.load(make_bert(tmp_path / "bert"), "tiny")


def test_weights_that_lack_something_are_refused(folder):
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    name = next(name for name in sorted(weights) if name.endswith("weight") and "fc" not in name)
    save_file(
        {key: tensor for key, tensor in weights.items() if key != name}, folder / "model.safetensors", {"format": "pt"}
    )
    with pytest.raises(ArtifactError, match="The weights lack 1 tensors of the network"):
        ImageEncoder.load(folder, "tiny")


def test_an_architecture_that_timm_lacks_is_refused(tmp_path):
    folder = make_timm(tmp_path / "timm")
    (folder / "config.json").write_text('{"architecture": "resnet_of_nobody"}')
    with pytest.raises(ArtifactError, match="timm has no network of this name"):
        ImageEncoder.load(folder, "tiny")


def _with(folder, **config):
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | config))
    return folder


def test_a_name_that_is_an_address_is_refused(tmp_path):
    folder = _with(make_timm(tmp_path / "timm"), architecture="hf-hub:someone/else")
    with pytest.raises(ArtifactError, match="timm has no network of this name"):
        ImageEncoder.load(folder, "tiny")


@pytest.mark.parametrize("name", ["pretrained", "checkpoint_path", "pretrained_cfg", "cache_dir"])
def test_arguments_that_reach_beyond_the_network_are_refused(tmp_path, name):
    folder = _with(make_timm(tmp_path / "timm"), model_args={name: "evil.pth"})
    with pytest.raises(ArtifactError, match="The arguments of this network are more than its sizes") as told:
        ImageEncoder.load(folder, "tiny")
    assert name in str(told.value)


def test_arguments_that_no_network_has_are_refused(tmp_path):
    folder = _with(make_timm(tmp_path / "timm"), model_args={"colour": 7})
    with pytest.raises(ArtifactError, match=r"timm cannot make this network: .*colour"):
        ImageEncoder.load(folder, "tiny")


def test_weights_of_another_network_are_refused(tmp_path):
    from safetensors.torch import load_file, save_file

    folder = make_timm(tmp_path / "timm")
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in sorted(weights) if name.endswith("conv1.weight"))
    save_file({**weights, name: torch.zeros(1, 2, 3, 4)}, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ArtifactError, match=r"The weights do not fit the network: .*size mismatch"):
        ImageEncoder.load(folder, "tiny")


def test_a_network_of_timm_without_timm_names_the_extra(tmp_path, monkeypatch):
    folder = make_timm(tmp_path / "timm")
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ExtraError, match=r"This foundation is a network of timm, which is not installed"):
        ImageEncoder.load(folder, "tiny")


def test_a_folder_that_transformers_cannot_read_is_refused(tmp_path):
    folder = make_vit(tmp_path / "vit")
    (folder / "config.json").write_text('{"model_type": "nobody"}')
    with pytest.raises(ArtifactError, match=r"This foundation cannot be loaded: .*Accepted: a vision network"):
        ImageEncoder.load(folder, "tiny")
