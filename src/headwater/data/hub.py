"""Reading data sets of the Hugging Face hub, without running any code of theirs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from headwater.data.memory import read_memory
from headwater.data.records import Records
from headwater.errors import DataError, ExtraError

PREFIX: Final = "hub:"
_SPLITS: Final = ("train", "validation", "valid", "dev", "test")


def read_hub(source: str, *, offline: bool = False) -> Records:
    """The rows of `hub:owner/name[:configuration][:split]`; the split is `train` if none is given.

    Offline, they come from the cache that the library `datasets` has on this machine.

    Raises:
        DataError: the hub does not give the data set; offline, the cache does not.
        ExtraError: the library `datasets` is not installed.
    """
    name, configuration, split = parse(source)
    try:
        import datasets
        from huggingface_hub.errors import HTTPError
    except ImportError as error:
        raise ExtraError(
            "Hub data sets need the library datasets",
            where=source,
            fix="Install it with: pip install 'headwater[hub]'.",
        ) from error
    try:
        with _cut_off() if offline else contextlib.nullcontext():
            dataset = datasets.load_dataset(name, configuration, split=split)
    # HTTPError is of the HTTP library below the hub's, and no OSError; so are errors of datasets' own.
    except (HTTPError, datasets.exceptions.DatasetsError, OSError, ValueError, LookupError, RuntimeError) as error:
        if offline:
            raise DataError(
                "This run is offline, and the cache of hub data sets on this machine has none such",
                where=source,
                got=str(error),
                fix="Run once without --offline, or download the data and give its path.",
            ) from error
        raise DataError(
            "The hub does not give this data set",
            where=source,
            got=str(error),
            accepted="hub:owner/name[:configuration][:split]",
        ) from error
    return replace(read_memory(dataset), name=source)


@contextlib.contextmanager
def _cut_off() -> Iterator[None]:
    """Makes the libraries look in their caches only.

    They read HF_HUB_OFFLINE when they are imported, and no argument of `load_dataset` keeps it from asking the hub.
    """
    from datasets import config
    from huggingface_hub import constants

    switches = (config, constants)
    before = [switch.HF_HUB_OFFLINE for switch in switches]
    try:
        for switch in switches:
            vars(switch)["HF_HUB_OFFLINE"] = True
        yield
    finally:
        for switch, value in zip(switches, before, strict=True):
            vars(switch)["HF_HUB_OFFLINE"] = value


def parse(source: str) -> tuple[str, str | None, str]:
    """The name, configuration and split that a source names.

    Raises:
        DataError: it has no name, or too many parts.

    Example:
        >>> parse("hub:stanfordnlp/sst2"), parse("hub:nyu-mll/glue:cola:validation")
        (('stanfordnlp/sst2', None, 'train'), ('nyu-mll/glue', 'cola', 'validation'))
    """
    name, *parts = source.removeprefix(PREFIX).split(":")
    if not name or len(parts) > 2 or not all(parts):
        raise DataError("This names no hub data set", got=source, accepted="hub:owner/name[:configuration][:split]")
    if len(parts) == 1 and parts[0] not in _SPLITS:
        return name, parts[0], "train"
    return name, parts[0] if len(parts) == 2 else None, parts[-1] if parts else "train"
