import json

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from headwater.errors import ArtifactError, ResourceError
from headwater.training.checkpoint import learned, load, save


def test_what_is_saved_is_loaded(tmp_path):
    file = tmp_path / "checkpoint.safetensors"
    save(file, {"network": {"a.b": torch.arange(3)}, "best": {"a.b": torch.ones(2, 2).t()}}, {"epoch": 2})
    found = load(file)
    assert found.state == {"epoch": 2}
    assert found.part("network")["a.b"].tolist() == [0, 1, 2]
    assert list(found.part("best")) == ["a.b"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["checkpoint.safetensors"]


def test_no_file_is_no_checkpoint(tmp_path):
    assert load(tmp_path / "checkpoint.safetensors") is None


@pytest.mark.parametrize("kept", [0, 5, 60, -1])
def test_a_damaged_file_is_told(tmp_path, kept):
    file = tmp_path / "checkpoint.safetensors"
    save(file, {"network": {"a": torch.arange(30)}}, {"epoch": 2})
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(
        ArtifactError, match=r"checkpoint\.safetensors: The checkpoint is damaged\. .* Remove this file"
    ):
        load(file)


def test_a_later_format_is_told(tmp_path):
    file = tmp_path / "checkpoint.safetensors"
    save_file({"a": torch.ones(1)}, file, metadata={"format": "99", "state": json.dumps({})})
    with pytest.raises(
        ArtifactError, match=r"The checkpoint has a format that this headwater does not know\. Got '99'\. Accepted: 1"
    ):
        load(file)


def test_a_folder_that_is_gone_is_told(tmp_path):
    with pytest.raises(ResourceError, match=r"The checkpoint cannot be written\. .* Make room on the disk"):
        save(tmp_path / "gone" / "checkpoint.safetensors", {"network": {"a": torch.ones(1)}}, {})


def test_learned_is_what_training_changes():
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Linear(2, 2, bias=False))
    network[0].requires_grad_(requires_grad=False)
    network.register_buffer("positions", torch.arange(4), persistent=False)
    assert set(learned(network)) == {
        "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked", "2.weight",
    }  # fmt: skip
