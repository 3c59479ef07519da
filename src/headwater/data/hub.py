"""Reading data sets of the Hugging Face hub, without running any code of theirs."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from headwater.data.memory import read_memory
from headwater.data.records import Records
from headwater.errors import DataError, ExtraError

PREFIX: Final = "hub:"
_SPLITS: Final = ("train", "validation", "valid", "dev", "test")


def read_hub(source: str, *, offline: bool = False) -> Records:
    """The rows of `hub:owner/name[:configuration][:split]`; the split is `train` if none is given.

    Raises:
        DataError: the network may not be used, or the hub does not give the data set.
        ExtraError: the library `datasets` is not installed.
    """
    name, configuration, split = parse(source)
    if offline:
        raise DataError(
            "A hub data set needs the network, and this run is offline",
            where=source,
            fix="Run without --offline, or download the data and give its path.",
        )
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise ExtraError(
            "Hub data sets need the library datasets",
            where=source,
            fix="Install it with: pip install 'headwater[hub]'.",
        ) from error
    try:
        dataset = load_dataset(name, configuration, split=split)
    except (OSError, ValueError, LookupError, RuntimeError) as error:
        raise DataError(
            "The hub does not give this data set",
            where=source,
            got=str(error),
            accepted="hub:owner/name[:configuration][:split]",
        ) from error
    return replace(read_memory(dataset), name=source)


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
