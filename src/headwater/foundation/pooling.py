"""Pooling: one feature vector out of the vectors of a row's tokens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from headwater.errors import ArtifactError
from headwater.foundation.locate import read_json

if TYPE_CHECKING:
    import torch

Pooling = Literal["mean", "cls", "max", "last"]

_FLAGS: dict[str, Pooling] = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_lasttoken": "last",
}
_NAMES: dict[str, Pooling] = {"mean": "mean", "cls": "cls", "max": "max", "lasttoken": "last"}


def pool(hidden: torch.Tensor, mask: torch.Tensor | None, pooling: Pooling) -> torch.Tensor:
    """Token vectors of shape (rows, tokens, width) to features of shape (rows, width).

    Args:
        hidden: the vectors of the tokens, padded on the right.
        mask: 1 where a token is, 0 where padding is, shape (rows, tokens); None when no row is padded.
        pooling: the mean, the largest value of each feature, the first token (`cls`) or the last one.
    """
    if pooling == "cls":
        return hidden[:, 0]
    if mask is None:
        return hidden[:, -1] if pooling == "last" else hidden.mean(1) if pooling == "mean" else hidden.amax(1)
    if pooling == "last":
        return hidden[mask.new_tensor(range(len(mask))), mask.sum(1) - 1]
    if pooling == "max":
        return hidden.masked_fill(~mask.bool().unsqueeze(2), float("-inf")).amax(1)
    inside = mask.to(hidden.dtype).unsqueeze(1)
    return (inside @ hidden).squeeze(1) / inside.sum(2)


def pooling_of(folder: Path, config: Any) -> Pooling:
    """How a foundation wants to be pooled: as sentence-transformers noted it, else as its architecture suggests.

    A decoder's last token alone has seen the whole text; in all others the mean is the stronger default
    (Reimers and Gurevych 2019).

    Raises:
        ArtifactError: the folder asks for a pooling that is not known here.
    """
    file = folder / "1_Pooling" / "config.json"
    if not file.exists():
        return "last" if _is_decoder(config) else "mean"
    noted = read_json(file)
    named = _NAMES.get(str(noted.get("pooling_mode")))
    flagged = [key for key, value in noted.items() if value is True and key.startswith("pooling_mode_")]
    if named or (len(flagged) == 1 and flagged[0] in _FLAGS):
        return named or _FLAGS[flagged[0]]
    raise ArtifactError(
        "This pooling is not known",
        where=str(file),
        got=noted.get("pooling_mode", flagged),
        accepted=_NAMES,
        fix="Remove the folder 1_Pooling to pool by the mean.",
    )


def _is_decoder(config: Any) -> bool:
    from transformers.models.auto import modeling_auto as auto

    kind = config.model_type
    return kind in auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and kind not in auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES
