"""A file that somebody asked for: that it cannot be written is told before anything is played for it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from headwater.data.writing import refuse_no_folder, unwritable


@contextlib.contextmanager
def written(file: Path) -> Iterator[Path]:
    """Gives a place beside a file to write to; what is there at the end takes the place of the file, whole.

    Raises:
        NotFoundError: its folder does not exist.
        ResourceError: it cannot be written.
    """
    refuse_no_folder(file)
    # The name ends as the file's does: from that a writer of videos takes what to write.
    partial = file.with_name(f".{os.getpid()}.{file.name}")
    try:
        # Opened to be added to: what lies there stays, until there is something to put in its place.
        with file.open("ab"):
            new = file.stat().st_size == 0
        try:
            yield partial
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)
            if new and file.stat().st_size == 0:
                file.unlink()
    except OSError as error:
        raise unwritable(file, error) from error
