import pytest
import torch

from headwater.errors import ResourceError, SettingError
from headwater.settings import Settings
from headwater.training.device import device_of, precision_of

CPU = torch.device("cpu")


def test_auto_takes_the_cpu_of_a_launch_with_cpu(monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    assert device_of(Settings()) == CPU


def test_a_device_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_CPU", "1")
    with pytest.raises(ResourceError, match=r"--device: This device is not there\. Got 'cuda'\. Accepted: auto, cpu"):
        device_of(Settings(device="cuda"))


def test_a_cpu_trains_in_single_precision_unless_asked():
    assert precision_of(Settings(), CPU) is torch.float32
    assert precision_of(Settings(precision="bf16"), CPU) is torch.bfloat16


def test_fp16_on_a_cpu_is_refused():
    with pytest.raises(SettingError, match=r"--precision: A CPU does not train in this precision\. Got 'fp16'"):
        precision_of(Settings(precision="fp16"), CPU)
