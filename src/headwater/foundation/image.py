"""Image foundations: any checkpoint of transformers or timm in the hub's format that turns pixels into vectors."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from headwater.data.pictures import Picture
from headwater.errors import ArtifactError, ExtraError, SettingError
from headwater.foundation.layers import blocks_of
from headwater.foundation.locate import read_json
from headwater.foundation.prepared import PreparedPictures
from headwater.foundation.reading import IMAGENET, PROCESSOR_FILES, Reading, reading_of
from headwater.foundation.text import quiet
from headwater.run import write_whole

if TYPE_CHECKING:
    from headwater.foundation.encoder import Prepared

_FILES = ("config.json", *PROCESSOR_FILES, "*.safetensors", "*.safetensors.index.json", "*.py")


class ImageEncoder:
    """A pretrained network and how it reads pixels: pictures to features.

    Transformers give the vector of their class token, or the mean of their patches' where there is none; convolutional
    networks the mean over all places.

    Attributes:
        name: what the user called it.
        width: features a picture.
        network: the network, without the head it was pretrained with.
        reading: how it wants its pixels.
        source: the folder whose files still describe the network; None once its weights have been trained.
        views: makes of pictures what the steps of a training see of them; None leaves them as they are.
    """

    def __init__(self, name: str, network: Any, reading: Reading, architecture: dict[str, Any] | None) -> None:
        self.name, self.network, self.reading = name, network, reading
        self.source: Path | None = None
        self.views: Callable[[Sequence[Picture]], Prepared] | None = None
        self._timm = architecture
        accepted = inspect.signature(network.forward).parameters
        self._fixed = {"interpolate_pos_encoding": True} if "interpolate_pos_encoding" in accepted else {}
        self.width = self._measured_width()

    @classmethod
    def load(
        cls, folder: Path, name: str, *, side: int | None = None, device: str = "cpu", trust_remote_code: bool = False
    ) -> Self:
        """Reads a foundation from a local folder, in float32, without reaching any network.

        Raises:
            ArtifactError: the folder's architecture cannot turn images into vectors, or its weights do not fit it.
            ExtraError: it is a network of timm, which is not installed.
            SettingError: it cannot read images of this size.
        """
        config = read_json(folder / "config.json")
        if "architecture" in config and "model_type" not in config:
            network, reading = _of_timm(folder, config, side)
        else:
            config, (network, reading) = {}, _of_transformers(folder, side, trust_remote_code=trust_remote_code)
        encoder = cls(name, network.to(device).eval(), reading, config or None)
        encoder.source = folder
        return encoder

    def options(self) -> dict[str, Any]:
        """What `load` must be told to read it again as it is."""
        return {"side": self.reading.side}

    def prepare(self, inputs: Sequence[Picture]) -> PreparedPictures:
        return PreparedPictures(inputs, self.reading)

    def prepare_to_learn(self, inputs: Sequence[Picture]) -> Prepared:
        return self.prepare(inputs) if self.views is None else self.views(inputs)

    def places(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Features of every place before they are brought together, shape (rows, features, height, width).

        A network that tells no places has one, with the features of the whole.
        """
        values = self._values(batch)
        if self._timm is None:
            hidden = self.network(pixel_values=values, **self._fixed).last_hidden_state
        else:
            hidden = self.network.forward_features(values)
        if hidden.ndim == 3:  # tokens, with those before them that are of no place
            side = math.isqrt(hidden.shape[1])
            return hidden[:, -side * side :].transpose(1, 2).unflatten(2, (side, side))
        if hidden.ndim != 4:
            return self.features(batch)[:, :, None, None]
        return hidden.permute(0, 3, 1, 2) if getattr(self.network, "output_fmt", "NCHW") == "NHWC" else hidden

    def features(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Features of shape (rows, width)."""
        values = self._values(batch)
        if self._timm is not None:
            return self.network(values)
        told = self.network(pixel_values=values, **self._fixed)
        hidden = told.last_hidden_state
        if hidden.ndim == 4:
            pooled = getattr(told, "pooler_output", None)
            return hidden.mean(dim=(2, 3)) if pooled is None else pooled.flatten(1)
        if _has(self.network, "class_embedding"):  # of the kin of CLIP, whose pooled token is normed as it was trained
            return told.pooler_output
        return hidden[:, 0] if _has(self.network, "cls_token") else hidden.mean(dim=1)

    def blocks(self) -> list[nn.Module]:
        """The network's blocks; the single layers of one that repeats none."""
        leaves = (module for module in self.network.modules() if any(True for _ in module.parameters(recurse=False)))
        return blocks_of(self.network) or list(leaves)

    def fingerprint(self) -> str:
        """A hash of the weights as they are now, and of how pixels are read."""
        told = hashlib.sha256(repr(self.reading).encode())
        for name, tensor in sorted(self.network.state_dict().items()):
            told.update(name.encode())
            told.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
        return told.hexdigest()

    def changed(self) -> None:
        self.source = None

    def save(self, folder: Path) -> None:
        """Writes the foundation in the hub's format: copies of its files where the weights are still theirs."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.source is not None:
            for pattern in _FILES:
                for file in self.source.glob(pattern):
                    shutil.copyfile(file, folder / file.name)
            return
        if self._timm is not None:
            weights = {name: tensor.cpu().contiguous() for name, tensor in self.network.state_dict().items()}
            save_file(weights, folder / "model.safetensors", {"format": "pt"})
            write_whole(folder / "config.json", json.dumps({**self._timm, "num_classes": 0}).encode())
            return
        with quiet():
            self.network.save_pretrained(folder)
        write_whole(folder / PROCESSOR_FILES[0], json.dumps(self.reading.noted()).encode())

    def _values(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        values = batch["pixel_values"].to(next(self.network.parameters()).device)
        # Convolutions like the channels last; some networks of transformers take views that this order does not allow.
        order = torch.contiguous_format if self._timm is None else torch.channels_last
        return values.contiguous(memory_format=order)

    def _measured_width(self) -> int:
        """The features of a picture, counted on an empty one."""
        empty = torch.zeros(1, 3, self.reading.side, self.reading.side)
        try:
            with torch.inference_mode():
                return int(self.features({"pixel_values": empty}).shape[1])
        except (RuntimeError, ValueError, AssertionError, TypeError) as wrong:
            raise SettingError(
                f"The foundation cannot read images of this size: {str(wrong).splitlines()[0]}", where=self.name,
                got=self.reading.side, accepted="the size it was pretrained with, or for many a multiple of its patch",
                fix="Leave --image-size out.",
            ) from wrong  # fmt: skip


def _has(network: nn.Module, parameter: str) -> bool:
    return any(name.endswith(parameter) for name, _ in network.named_parameters())


def _of_transformers(folder: Path, side: int | None, *, trust_remote_code: bool) -> tuple[Any, Reading]:
    import transformers

    given = {"local_files_only": True, "trust_remote_code": trust_remote_code}
    try:
        with quiet():
            network, loaded = transformers.AutoModel.from_pretrained(
                folder, dtype=torch.float32, use_safetensors=True, output_loading_info=True, **given
            )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as wrong:
        raise ArtifactError(
            f"This foundation cannot be loaded: {str(wrong).splitlines()[0]}", where=str(folder),
            accepted="a vision network of transformers, or of timm",
        ) from wrong  # fmt: skip
    missing = sorted(key for key in loaded["missing_keys"] if "pooler" not in key)
    if missing:
        raise _lacking(folder, missing)
    if network.main_input_name != "pixel_values":
        raise ArtifactError(
            f"The architecture {network.config.model_type} cannot serve images here", where=str(folder),
            accepted="a network that reads pixels",
            fix="Give a foundation of images, such as google/vit-base-patch16-224.",
        )  # fmt: skip
    for name, parameter in network.named_parameters():
        if "pooler." in name:
            parameter.requires_grad_(requires_grad=False)
    reading = reading_of(folder, network.config, trust_remote_code=trust_remote_code)
    return network, replace(reading, side=side or reading.side)


def _of_timm(folder: Path, config: dict[str, Any], side: int | None) -> tuple[Any, Reading]:
    try:
        import timm
    except ModuleNotFoundError as missing:
        raise ExtraError(
            "This foundation is a network of timm, which is not installed", where=str(folder),
            fix="Install it with: pip install 'headwater[vision]'",
        ) from missing  # fmt: skip
    told = {**config, **config.get("pretrained_cfg", {})}
    usual = tuple(told.get("input_size") or (3, 224, 224))[-1]
    name = str(config["architecture"])
    network = _made_by_timm(timm, name, dict(config.get("model_args") or {}), folder)
    weights = {key: tensor for file in sorted(folder.glob("*.safetensors")) for key, tensor in load_file(file).items()}
    try:
        missing, _ = network.load_state_dict(weights, strict=False)
    except RuntimeError as wrong:
        raise ArtifactError(
            f"The weights do not fit the network: {str(wrong).splitlines()[-1].strip()}", where=str(folder), got=name,
            fix="Download the foundation again, or check config.json against the weights.",
        ) from wrong  # fmt: skip
    if missing:
        raise _lacking(folder, sorted(missing))
    mean, std = (tuple(told.get(key) or IMAGENET[key]) for key in ("mean", "std"))
    return network, Reading(side or usual, mean, std)


def _made_by_timm(timm: Any, name: str, given: dict[str, Any], folder: Path) -> Any:
    """An untrained network of timm: its name and arguments come with the weights, and must reach nothing but it.

    A name can otherwise be an address on the hub, and an argument a file to load, pickled or not.
    """
    if not timm.is_model(name):
        raise ArtifactError(
            "timm has no network of this name", where=str(folder), got=name, fix="Update timm, or check config.json."
        )
    own = set(inspect.signature(timm.create_model).parameters) - {"model_name", "kwargs"}
    if refused := sorted(own & set(given)):
        raise ArtifactError(
            "The arguments of this network are more than its sizes", where=str(folder / "config.json"), got=refused,
            accepted="in model_args what its architecture takes", fix="Take them out if you trust the weights.",
        )  # fmt: skip
    try:
        try:
            return timm.create_model(name, pretrained=False, num_classes=0, dynamic_img_size=True, **given)
        except TypeError:  # a network without positions, which reads any size
            return timm.create_model(name, pretrained=False, num_classes=0, **given)
    except (RuntimeError, TypeError, ValueError, KeyError, AssertionError) as wrong:
        raise ArtifactError(
            f"timm cannot make this network: {(str(wrong) or repr(wrong)).splitlines()[0]}", where=str(folder),
            got=name, fix="Check model_args in config.json, or update timm.",
        ) from wrong  # fmt: skip


def _lacking(folder: Path, missing: list[str]) -> ArtifactError:
    return ArtifactError(
        f"The weights lack {len(missing)} tensors of the network", where=str(folder), got=missing[:3],
        fix="Download the foundation again, or check config.json against the weights.",
    )  # fmt: skip
