"""A foundation as the eyes of an agent: it looks at the images of observations, or reads their texts."""

from __future__ import annotations

import json
import math
from copy import deepcopy
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from headwater.control.convolutional import laid_out
from headwater.control.picture import Picture
from headwater.control.spaces import Box, Space, Text, leaves
from headwater.errors import DataError
from headwater.foundation.image import ImageEncoder
from headwater.foundation.locate import locate
from headwater.foundation.text import TextEncoder
from headwater.run import write_whole
from headwater.settings import Settings

_FILE: Final = "eye.json"
_GREY, _COLOUR = 1, 3
_MOST_FEATURES: Final = 4096


class Eye:
    """An encoder with what it reads: `image` or `text`.

    Args:
        encoder: the foundation.
        kind: what it reads.
    """

    def __init__(self, encoder: Any, kind: str) -> None:
        self.encoder, self.kind = encoder, kind

    @classmethod
    def open(cls, name: str, observations: Space, settings: Settings, device: str) -> Self:
        """Reads a foundation that fits what is observed.

        Raises:
            DataError: there is nothing in the observations that a foundation could look at, or too much.
            NotFoundError, ArtifactError, ExtraError: as `locate` does; or it reads something else.
        """
        kind = _kind(observations)
        trusted = settings.trust_remote_code
        folder = locate(name, offline=settings.offline, trust_remote_code=trusted, where="--encoder")
        return cls(_OF[kind].load(folder, name, device=device, trust_remote_code=trusted), kind)

    def reads(self, leaf: Space) -> bool:
        """Whether a part of an observation is for this eye."""
        if self.kind == "text":
            return isinstance(leaf, Text)
        return isinstance(leaf, Box) and leaf.picture is not None

    def on(self, leaf: Space) -> nn.Module:
        """The module that turns encoded rows of a part of an observation into features."""
        return Reading(self.encoder) if isinstance(leaf, Text) else Looking(self.encoder, leaf.picture)  # type: ignore[attr-defined]

    def copy(self) -> Self:
        """Another of the same weights, which learns by itself."""
        return deepcopy(self)

    def save(self, folder: Path) -> None:
        """Writes the foundation in the hub's format."""
        self.encoder.save(folder)
        told = {"name": self.encoder.name, "kind": self.kind, "options": self.encoder.options()}
        write_whole(folder / _FILE, json.dumps(told).encode())

    @classmethod
    def load(cls, folder: Path, device: str = "cpu") -> Self:
        """Reads what `save` wrote."""
        told = json.loads((folder / _FILE).read_text("utf-8"))
        encoder = _OF[told["kind"]].load(folder, told["name"], device=device, **told["options"])
        return cls(encoder, told["kind"])


class Looking(nn.Module):
    """Images in rows of numbers to the features of a foundation; one of another size is stretched to what it reads.

    The features are those of some places, as many as make no more than 4,096 of an image: who is to act has to see
    where something is, and a foundation's mean over all places hardly tells.

    Attributes:
        width: features of all frames of an image.
    """

    def __init__(self, encoder: ImageEncoder, picture: Picture) -> None:
        super().__init__()
        if picture.channels not in (_GREY, _COLOUR):
            raise DataError(
                "An encoder of images reads them in grey or in colour", where="--encoder", got=picture,
                accepted="one channel, or three",
                fix="Put frames behind one another in an axis of their own, or leave --encoder out.",
            )  # fmt: skip
        self.encoder, self.network, self.picture = encoder, encoder.network, picture
        reading = encoder.reading
        self.mean, self.std = (torch.tensor(part)[:, None, None] for part in (reading.mean, reading.std))
        with torch.inference_mode():
            seen = encoder.places({"pixel_values": torch.zeros(1, _COLOUR, reading.side, reading.side)})
        of_place, edge = seen.shape[1], min(seen.shape[2:])
        self.edge = max(1, min(edge, math.isqrt(_MOST_FEATURES // of_place)))
        self.width = picture.frames * of_place * self.edge**2

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Features of shape (rows, width) of images from 0 to 1, shape (rows, numbers)."""
        side, reversed_ = self.encoder.reading.side, self.encoder.reading.reversed
        images = laid_out(rows, self.picture).flatten(0, 1)
        images = images.expand(-1, _COLOUR, -1, -1)
        if images.shape[-2:] != (side, side):
            images = functional.interpolate(images, (side, side), mode="bilinear", antialias=True)
        values = ((images.flip(1) if reversed_ else images) - self.mean) / self.std
        places = self.encoder.places({"pixel_values": values}).float()
        return functional.adaptive_avg_pool2d(places, self.edge).reshape(len(rows), -1)


class Reading(nn.Module):
    """Texts, as the code points in rows of numbers, to the features of a foundation."""

    def __init__(self, encoder: TextEncoder) -> None:
        super().__init__()
        self.encoder, self.network, self.width = encoder, encoder.network, encoder.width

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Features of shape (rows, width) of code points, shape (rows, characters)."""
        points = rows.detach().cpu().numpy().astype(np.int32)
        space = Text(points.shape[1])
        prepared = self.encoder.prepare([space.value(row) for row in points])
        return self.encoder.features(prepared.batch(np.arange(len(points)))).float()


_OF: Final[dict[str, Any]] = {"image": ImageEncoder, "text": TextEncoder}


def _kind(observations: Space) -> str:
    """What an encoder of these observations has to read."""
    parts = [leaf for leaf, _ in leaves(observations)]
    found = {"image": any(isinstance(one, Box) and one.picture for one in parts),
             "text": any(isinstance(one, Text) for one in parts)}  # fmt: skip
    if sum(found.values()) != 1:
        raise DataError(
            "An encoder looks at images or reads texts, and these observations have "
            + ("both" if all(found.values()) else "neither"),
            where="--encoder", got=str(observations),
            accepted="images of uint8 with 16 pixels or more along each edge, or texts", fix="Leave --encoder out.",
        )  # fmt: skip
    return next(kind for kind, there in found.items() if there)
