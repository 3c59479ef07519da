"""A file that somebody asked for: that it cannot be written is told before anything is played for it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from headwater.data.writing import refuse_no_folder, unwritable


@contextlib.contextmanager
def written(file: Path) -> Iterator[None]:
    """Within, a file is written, or it is told why it cannot be.

    Raises:
        NotFoundError: its folder does not exist.
        ResourceError: it cannot be written.
    """
    refuse_no_folder(file)
    try:
        # Opened to be added to: what lies there stays, until there is something to put in its place.
        with file.open("ab"):
            new = file.stat().st_size == 0
        try:
            yield
        finally:
            if new and file.stat().st_size == 0:
                file.unlink()
    except OSError as error:
        raise unwritable(file, error) from error
