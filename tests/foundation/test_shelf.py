"""Which repositories of the hub's cache are text encoders."""

import json

import pytest
from huggingface_hub import constants

from headwater.foundation.shelf import cached_encoders

ENCODER = {"architectures": ["BertModel"], "vocab_size": 40}


def cache(folder, repository, config, files=("model.safetensors", "tokenizer_config.json")):
    """A repository as the hub's library lays it out."""
    place = folder / f"models--{repository.replace('/', '--')}"
    snapshot = place / "snapshots" / "abc"
    (place / "refs").mkdir(parents=True)
    (place / "blobs").mkdir()
    snapshot.mkdir(parents=True)
    (place / "refs" / "main").write_text("abc")
    for name, content in {"config.json": json.dumps(config), **dict.fromkeys(files, "{}")}.items():
        (place / "blobs" / name).write_text(content)
        (snapshot / name).symlink_to(place / "blobs" / name)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def test_encoders_with_safe_weights_are_found(folder):
    cache(folder, "owner/encoder", ENCODER)
    cache(folder, "another/masked", {**ENCODER, "architectures": ["RobertaForMaskedLM"]})
    cache(folder, "owner/decoder", {**ENCODER, "architectures": ["GPT2LMHeadModel"]})
    cache(folder, "owner/vision", {"architectures": ["ViTModel"]})
    cache(folder, "owner/pickled", ENCODER, files=("pytorch_model.bin", "tokenizer_config.json"))
    cache(folder, "owner/broken", [])
    assert cached_encoders() == ["another/masked", "owner/encoder"]


def test_no_cache_holds_nothing(folder):
    assert cached_encoders() == []
