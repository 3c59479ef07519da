"""A contact sheet: some training pictures as the network sees them, made by the very code that a training step runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch

from headwater.evaluation.showing import tile

MOST: Final = 12
"""Pictures on a sheet."""
_AT_ONCE: Final = 4
"""Pictures that are altered together: enough to be mixed with one another, few enough that not all of a sheet are."""


def sheet(
    rows: int, seed: int, see: Callable[[np.ndarray], Iterable[dict[str, Any]]], *, altered: bool
) -> dict[str, Any]:  # fmt: skip
    """Some of the training pictures, drawn by chance; a training that goes on afterwards draws what it would have.

    Args:
        rows: how many there are to draw from.
        seed: of the pictures, and of how they are altered.
        see: gives what a step would see of the pictures at some positions.
        altered: whether a step alters them.

    Example:
        >>> sheet(1, 0, lambda rows: [{"text": str(row)} for row in rows.tolist()], altered=False)
        {'rows': [{'text': '0'}], 'altered': False}
    """
    chosen = np.random.default_rng(seed).permutation(rows)[:MOST]
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        parts = [chosen[start : start + _AT_ONCE] for start in range(0, len(chosen), _AT_ONCE)]
        return {"rows": [one for part in parts for one in see(part)], "altered": altered}


def tiles(pictures: torch.Tensor, texts: Sequence[str]) -> list[dict[str, Any]]:
    """What a page shows of pictures from 0 to 1, shape (rows, channels, height, width), and what each is called."""
    arrays = levels(pictures)
    height, width = arrays.shape[1:3]
    return [
        {"image": tile(array), "text": text, "width": width, "height": height}
        for array, text in zip(arrays, texts, strict=True)
    ]


def marks(targets: np.ndarray, rows: np.ndarray, shares: np.ndarray | None = None) -> list[dict[str, Any]]:
    """The labels of a picture that is a mixture of these rows, and what share of the picture has each.

    Args:
        targets: of all rows, as `Examples` has them.
        rows: the positions of those that are mixed.
        shares: how much there is of each; all of the first without it.

    Example:
        >>> marks(np.array([4, 2, 2]), np.array([0, 2]), np.array([0.75, 0.25]))
        [{'label': 4, 'share': 0.75}, {'label': 2, 'share': 0.25}]
    """
    found: dict[int, float] = {}
    for row, share in zip(rows.tolist(), [1.0] if shares is None else shares.tolist(), strict=False):
        there = [int(targets[row])] if targets.ndim == 1 else np.flatnonzero(targets[row]).tolist()
        found |= {label: found.get(label, 0.0) + share for label in there}
    return [{"label": label, "share": round(share, 3)} for label, share in found.items() if share]


def levels(pictures: torch.Tensor) -> np.ndarray:
    """Pictures from 0 to 1 as uint8 of shape (rows, height, width, channels)."""
    return (255 * pictures.detach().float()).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()


def named(seen: Mapping[str, Any], classes: Sequence[Any]) -> dict[str, Any]:
    """A sheet with the names of classes in place of their positions.

    Example:
        >>> row = {"text": "a.png", "labels": [{"label": 1, "share": 1.0}]}
        >>> named({"rows": [row], "altered": True}, ["ant", "bee"])["rows"][0]["labels"]
        [{'label': 'bee', 'share': 1.0}]
    """
    if not seen:
        return {}
    known = [{kind: _called(row[kind], classes) for kind in ("labels", "boxes") if kind in row} for row in seen["rows"]]
    return {**seen, "rows": [{**row, **names} for row, names in zip(seen["rows"], known, strict=True)]}


def _called(marks: Sequence[Mapping[str, Any]], classes: Sequence[Any]) -> list[dict[str, Any]]:
    return [{**mark, "label": classes[mark["label"]]} for mark in marks]
