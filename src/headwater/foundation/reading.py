"""How a network wants its pixels: what the processor that it was pretrained with makes of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from headwater.errors import ArtifactError
from headwater.foundation.locate import read_json
from headwater.foundation.text import quiet

IMAGENET: Final = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
"""Mean and standard deviation of ImageNet's channels: what a checkpoint that does not tell was trained with."""
PROCESSOR_FILES: Final = ("preprocessor_config.json", "processor_config.json")
_SIDE: Final = 224
_SHADES: Final = ((0, 0, 0), (255, 255, 255), (128, 128, 128), (255, 0, 0), (0, 255, 0))
_CLOSE: Final = 1e-3
_PLAIN: Final = {
    "crop_size", "data_format", "do_center_crop", "do_convert_rgb", "do_normalize", "do_rescale", "do_resize",
    "feature_extractor_type", "image_mean", "image_processor_type", "image_std", "resample", "rescale_factor", "size",
}  # fmt: skip
"""What most processors can be told, and what `_told` understands."""


@dataclass(frozen=True)
class Reading:
    """How a network wants its pixels.

    Attributes:
        side: pixels along each edge.
        mean, std: what is taken off each channel, of 0 to 1, and what it is divided by; in the network's order.
        reversed: whether blue comes first; nothing is taken off the channels then.
    """

    side: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    reversed: bool = False

    def read(self, pixels: np.ndarray) -> np.ndarray:
        """What the network is given, float32 of shape (3, side, side), for uint8 pixels of shape (side, side, 3).

        Example:
            >>> Reading(1, (0.5,) * 3, (0.5,) * 3, reversed=True).read(np.array([[[255, 0, 0]]], np.uint8)).ravel()
            array([-1., -1.,  1.], dtype=float32)
        """
        if self.reversed:
            pixels = pixels[:, :, ::-1]
        values = np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32)
        scale = 1 / np.array(self.std, np.float32)[:, None, None]
        values *= scale / 255
        values -= np.array(self.mean, np.float32)[:, None, None] * scale
        return values

    def shown(self, values: np.ndarray) -> np.ndarray:
        """The pixels that were read so: from 0 to 1, float32 of shape (rows, 3, side, side), red first.

        Args:
            values: what the network is given, of the same shape.

        Example:
            >>> reading = Reading(1, (0.5,) * 3, (0.25,) * 3, reversed=True)
            >>> reading.shown(reading.read(np.array([[[255, 0, 0]]], np.uint8))[None]).ravel().tolist()
            [1.0, 0.0, 0.0]
        """
        mean, std = (np.array(numbers, np.float32)[:, None, None] for numbers in (self.mean, self.std))
        found = (values * std + mean).astype(np.float32)
        return found[:, ::-1] if self.reversed else found

    def noted(self) -> dict[str, Any]:
        """The same as the hub notes it beside a network, in the words of a processor that does no more than this."""
        size = {"height": self.side, "width": self.side}
        told = {"do_resize": True, "do_rescale": True, "size": size, "resample": 2}
        if self.reversed:
            kind = {"image_processor_type": "MobileViTImageProcessor", "do_flip_channel_order": True}
            return {**told, **kind, "do_center_crop": False, "rescale_factor": 1 / 255 / self.std[0]}
        kind = {"image_processor_type": "ViTImageProcessor", "do_normalize": True}
        return {**told, **kind, "image_mean": self.mean, "image_std": self.std}


def reading_of(folder: Path, config: Any, *, trust_remote_code: bool) -> Reading:
    """How the network in a folder of transformers wants its pixels.

    The processor of its family is made from the folder and shown blank pictures: what becomes of black and of
    white tells mean and deviation, what becomes of red the order of channels. So one that scales twice, that is not
    told to normalise and does, or that turns the channels round is read as it is.

    Args:
        folder: where the network lies.
        config: of the network, which may tell the size of pictures.
        trust_remote_code: let the folder run code of its own.

    Raises:
        ArtifactError: the processor does more to pixels than scaling and shifting each channel; or transformers has
            none for the folder, and what its file says of pictures is not understood.
    """
    if not any((folder / name).exists() for name in PROCESSOR_FILES):
        return Reading(_usual_side(config, None), **IMAGENET)
    processor = _processor(folder, trust_remote_code=trust_remote_code)
    return _told(folder, config) if processor is None else _shown(folder, processor)


def notes_of(folder: Path) -> dict[str, bytes]:
    """The files of a folder that say how its network wants its pixels, by name; what they say outlives a training."""
    files = (folder / name for name in PROCESSOR_FILES)
    return {file.name: file.read_bytes() for file in files if file.is_file()}


def _processor(folder: Path, *, trust_remote_code: bool) -> Any:
    """The processor of a folder, None where transformers has none for it."""
    import transformers

    try:
        with quiet():
            return transformers.AutoImageProcessor.from_pretrained(
                folder, local_files_only=True, trust_remote_code=trust_remote_code
            )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, RuntimeError):
        return None


def _shown(folder: Path, processor: Any) -> Reading:
    """The reading of a processor that was shown blank pictures."""
    pictures = [np.full((_SIDE, _SIDE, 3), shade, np.uint8) for shade in _SHADES]
    try:
        given = np.asarray(processor(pictures, return_tensors="np")["pixel_values"], np.float64)
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError, IndexError) as wrong:
        raise _beyond(folder, str(wrong).splitlines()[0] if str(wrong) else type(wrong).__name__) from wrong
    if given.ndim != 4 or given.shape[1] != 3 or given.shape[2] != given.shape[3]:
        raise _beyond(folder, f"pixels of shape {given.shape[1:]}")
    side = given.shape[2]
    black, white, grey, red, green = given[:, :, side // 2, side // 2]
    span = white - black
    if (np.abs(span) < _CLOSE).any() or not np.allclose(grey, black + span * 128 / 255, atol=_CLOSE):
        raise _beyond(folder, "shades that are not in proportion")
    first = int(np.argmax(np.abs(red - black)))
    wanted = [black + span * (np.arange(3) == channel) for channel in (first, 1)]
    if first == 1 or not np.allclose([red, green], wanted, atol=_CLOSE):
        raise _beyond(folder, "channels that are mixed with one another")
    mean, std = _exact(processor, -black / span, 1 / span)
    if first and any(mean):
        raise _beyond(folder, "channels that are both turned round and shifted")
    return Reading(side, mean, std, reversed=first == 2)


def _exact(processor: Any, mean: np.ndarray, std: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation as the processor has them, if it is those that it uses, else rounded as they were seen."""
    own: tuple[Any, Any] = getattr(processor, "image_mean", None), getattr(processor, "image_std", None)
    plain = (0.0,) * 3, (1.0,) * 3
    for told, other in (own, plain):
        if np.shape(told) == np.shape(other) == (3,) and np.allclose([told, other], [mean, std], atol=_CLOSE / 10):
            return tuple(map(float, told)), tuple(map(float, other))
    return tuple(mean.round(4).tolist()), tuple(std.round(4).tolist())


def _told(folder: Path, config: Any) -> Reading:
    """The reading that a file tells which is that of no processor of transformers."""
    told = _notes(folder)
    odd = sorted(key for key, value in told.items() if key not in _PLAIN and value is True)
    factor = told.get("rescale_factor", 1 / 255)
    if odd or told.get("do_rescale") is False or not _is_number(factor) or abs(factor * 255 - 1) > _CLOSE:
        raise _beyond(folder, odd or "pixels that are not scaled to 0 to 1")
    size = told.get("crop_size") if told.get("do_center_crop") else told.get("size")
    plain = told.get("do_normalize") is False
    mean = (0.0,) * 3 if plain else _channels(folder, told, "image_mean", IMAGENET["mean"])
    std = (1.0,) * 3 if plain else _channels(folder, told, "image_std", IMAGENET["std"])
    if min(std) <= 0:
        raise _beyond(folder, f"an image_std of {told['image_std']!r}")
    return Reading(_told_side(folder, config, size), mean, std)


def _notes(folder: Path) -> Mapping[str, Any]:
    """What the first of the files says of pictures; one for several kinds of input has a section of its own for them.

    Raises:
        ArtifactError: the file cannot be read, or its section of pictures is none.
    """
    file = next(file for name in PROCESSOR_FILES if (file := folder / name).exists())
    told = read_json(file)
    notes = told.get("image_processor", told)
    if not isinstance(notes, dict):
        raise _beyond(folder, f"an image_processor of {notes!r}")
    return notes


def _channels(folder: Path, told: Mapping[str, Any], name: str, usual: tuple[float, ...]) -> tuple[float, ...]:
    """A number for each of three channels; one that is told for all of them stands for each."""
    values = told.get(name)
    if values is None:
        return usual
    numbers = [values] * 3 if _is_number(values) else values
    if not isinstance(numbers, list) or len(numbers) != 3 or not all(map(_is_number, numbers)):
        raise _beyond(folder, f"an {name} of {values!r}")
    return tuple(map(float, numbers))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _told_side(folder: Path, config: Any, size: Any) -> int:
    """The pixels along each edge that a file tells; those of the network where it tells none.

    Raises:
        ArtifactError: what it tells is no size, or that of an oblong.
    """
    given = {"height": size[0], "width": size[-1]} if isinstance(size, list) and size else size
    edges = given if isinstance(given, dict) else {"edge": given}
    known = [edge for edge in edges.values() if edge is not None]
    sound = all(isinstance(edge, int) and not isinstance(edge, bool) and edge > 0 for edge in known)
    if not sound or ("height" in edges and edges["height"] != edges.get("width")):
        raise _beyond(folder, f"a size of {size!r}")
    return _usual_side(config, given)


def _usual_side(config: Any, size: Any) -> int:
    numbers = list(size.values()) if isinstance(size, dict) else [size]
    return next((n for n in (*numbers, getattr(config, "image_size", None)) if isinstance(n, int)), _SIDE)


def _beyond(folder: Path, got: Any) -> ArtifactError:
    return ArtifactError(
        "What this foundation's processor makes of pixels is not understood", where=str(folder), got=got,
        accepted="a square picture whose channels are each scaled and shifted",
        fix="Take another foundation, or write a preprocessor_config.json of ViTImageProcessor for it.",
    )  # fmt: skip
