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


@pytest.mark.parametrize(
    ("units", "large", "expected"),
    [(True, True, torch.bfloat16), (True, False, torch.float32), (False, True, torch.float32)],
)
def test_a_cpu_halves_its_precision_where_matrix_units_make_it_faster(monkeypatch, units, large, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": units})
    assert precision_of(Settings(), CPU, large_products=large) is expected


def test_a_precision_that_was_asked_for_is_taken():
    assert precision_of(Settings(precision="bf16"), CPU, large_products=False) is torch.bfloat16
    assert precision_of(Settings(precision="fp32"), CPU, large_products=True) is torch.float32


def test_fp16_on_a_cpu_is_refused():
    with pytest.raises(SettingError, match=r"--precision: A CPU does not train in this precision\. Got 'fp16'"):
        precision_of(Settings(precision="fp16"), CPU, large_products=True)
