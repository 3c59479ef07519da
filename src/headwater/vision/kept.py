"""Arrays of pixels in files that are read where and when they are asked for, and written by one process for all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from headwater.errors import ResourceError
from headwater.run import Run, is_alone

if TYPE_CHECKING:
    from headwater.training.processes import Processes

IN_MEMORY: Final = 1 << 28
"""The bytes up to which pixels stay in memory: decoding them again costs a resumed run seconds."""
Parts = Callable[[], Iterator[np.ndarray]]
"""Makes the parts of an array, in their order."""


def folder_of(run: Run) -> Path:
    """The folder in which a run keeps pixels, for all processes that were launched together.

    Where there are several, they have found one another then, each on its device.
    """
    if not is_alone():
        from headwater.training.device import device_of
        from headwater.training.processes import Processes

        Processes(device_of(run.settings))
    return run.folder


def kept(folder: Path | None, name: Callable[[], str], shape: tuple[int, ...], parts: Parts) -> np.ndarray:
    """An array of pixels: in memory where it is small, else mapped from a file that is written once.

    Of processes that were launched together the first writes the file, and the others wait for it. One that does not
    see it there, on another machine, makes the array for itself.

    Args:
        folder: where the file lies; None keeps all in memory.
        name: gives the name of the file, by which it is told from those of other pixels.
        shape: of the array, uint8.
        parts: gives its parts.

    Raises:
        ResourceError: the disk is full, or the folder cannot be written.

    Example:
        >>> kept(None, str, (3,), lambda: iter([np.ones(1, np.uint8), np.zeros(2, np.uint8)])).tolist()
        [1, 0, 0]
    """
    if folder is not None and np.prod(shape, dtype=np.int64) > IN_MEMORY:
        found = _shared(folder / name(), shape, parts)
        if found is not None:
            return found
    array, start = np.empty(shape, np.uint8), 0
    for part in parts():
        array[start : start + len(part)] = part
        start += len(part)
    return array


def _shared(file: Path, shape: tuple[int, ...], parts: Parts) -> np.ndarray | None:
    """The array of a file, which the main process writes; None where this process does not see it."""
    together = None if is_alone() else _together()
    if together is None:
        return _made(file, shape, parts())
    if together.main:
        found = _made(file, shape, _announced(parts(), together))
        together.agree(0.0)
        return found
    while together.agree(0.0)[0]:
        pass
    return mapped(file, shape)


def _together() -> Processes | None:
    from headwater.training.processes import Processes

    return Processes.joined()


def _made(file: Path, shape: tuple[int, ...], parts: Iterator[np.ndarray]) -> np.ndarray:
    """The array of a file that is there, or that is written now."""
    found = mapped(file, shape)
    if found is None:
        write(file, shape, parts)
        found = np.lib.format.open_memmap(file, mode="r")
    return found


def _announced(parts: Iterator[np.ndarray], together: Processes) -> Iterator[np.ndarray]:
    """Parts of which each is announced, so that those who wait for all of them never wait for long."""
    for part in parts:
        yield part
        together.agree(1.0)


def mapped(file: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """The array of a file, read where and when it is asked for; None where there is no such array."""
    try:
        found = np.lib.format.open_memmap(file, mode="r")
    except (OSError, ValueError, EOFError):
        return None
    return found if found.shape == shape and found.dtype == np.uint8 else None


def write(file: Path, shape: tuple[int, ...], parts: Iterator[np.ndarray]) -> None:
    """Writes an array part by part, so that a crash leaves no file or a whole one.

    A mapped file would be shorter to write, but where the disk is full, writing to one ends the process.
    """
    partial_file = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        with partial_file.open("wb") as opened:
            header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.uint8)), "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(opened, header)
            for part in parts:
                opened.write(part.data)
            opened.flush()
            os.fsync(opened.fileno())
        partial_file.replace(file)
    except OSError as error:
        partial_file.unlink(missing_ok=True)
        raise ResourceError(
            "The pixels of the pictures cannot be written", where=str(file), got=str(error),
            fix="Make room on the disk, choose another folder, or give a smaller --image-size.",
        ) from error  # fmt: skip
