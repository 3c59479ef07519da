"""Arrays of pixels in files that are read where and when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from headwater.errors import ResourceError


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
