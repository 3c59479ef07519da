"""Where a training computes, and in which number format."""

from __future__ import annotations

import os

import torch
from torch import nn

from headwater.errors import ResourceError, SettingError
from headwater.settings import Settings

_TOKENS_ON_A_PROCESSOR, _TOKENS_ON_AN_ACCELERATOR = 1024, 16_384


def device_of(settings: Settings) -> torch.device:
    """The device of a run; `auto` takes the fastest there is. Each launched process has a graphics card of its own.

    Raises:
        ResourceError: the device that was asked for is not there.

    Example:
        >>> device_of(Settings(device="cpu"))
        device(type='cpu')
    """
    present = _present()
    kind = present[0] if settings.device == "auto" else settings.device
    if kind not in present:
        raise ResourceError(
            "This device is not there", where="--device", got=kind, accepted=["auto", *present],
            fix="`headwater doctor` tells what this machine has.",
        )  # fmt: skip
    return torch.device(kind, int(os.environ.get("LOCAL_RANK", "0"))) if kind == "cuda" else torch.device(kind)


def nearest(kind: str) -> torch.device:
    """The device that a run asked for, or where this machine lacks it, the fastest there is.

    Example:
        >>> nearest("cpu")
        device(type='cpu')
    """
    try:
        return device_of(Settings(device=kind))
    except ResourceError:
        return device_of(Settings())


def precision_of(settings: Settings, device: torch.device, *, large_products: bool) -> torch.dtype:
    """The number format of products; weights and sums stay in single precision.

    `auto` takes bfloat16 where it is faster: on CUDA devices (float16 on old ones), and on processors with matrix units
    (AMX) for networks whose products are large enough to fill them.

    Args:
        settings: what was asked for.
        device: where the network computes.
        large_products: whether the network's time goes into products of large matrices.

    Raises:
        SettingError: fp16 was asked for on a CPU.
    """
    if settings.precision == "auto":
        if device.type == "cuda":
            return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        return torch.bfloat16 if device.type == "cpu" and large_products and _has_matrix_units() else torch.float32
    if settings.precision == "fp16" and device.type == "cpu":
        raise SettingError(
            "A CPU does not train in this precision", where="--precision", got="fp16", accepted=["auto", "fp32", "bf16"]
        )
    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[settings.precision]


def token_budget_of(asked: int | None, network: nn.Module) -> int:
    """The tokens of one pass: as many as asked for, else what suits the device that the network is on.

    A processor is fastest when a pass fits into its caches, and 1,024 tokens of MiniLM do; a graphics card wants work
    for all its cores at once.

    Example:
        >>> token_budget_of(None, nn.Linear(2, 2)), token_budget_of(64, nn.Linear(2, 2))
        (1024, 64)
    """
    on_processor = next(network.parameters()).device.type == "cpu"
    return asked or (_TOKENS_ON_A_PROCESSOR if on_processor else _TOKENS_ON_AN_ACCELERATOR)


def _has_matrix_units() -> bool:
    """Whether the processor multiplies bfloat16 matrices by itself; older torch cannot tell."""
    tell = getattr(torch.cpu, "get_capabilities", dict)
    return bool(tell().get("amx_bf16"))


def _present() -> list[str]:
    """The kinds of device of this machine, fastest first; `accelerate launch --cpu` hides the others."""
    if os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true", "yes"):
        return ["cpu"]
    kinds = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return [kind for kind, there in kinds.items() if there]
