"""What came since a model was made, on disk before it is acknowledged: files of lines that only grow."""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, Final

from headwater.errors import RequestError, ResourceError
from headwater.recommendation.journals import files_of, lines_of

log = logging.getLogger("headwater")
SEGMENT: Final = 64 * 2**20
"""The bytes after which the next file is begun."""
_LOCK: Final = "lock"


class Journal:
    """Records in files of JSON lines, `000001.jsonl` and on; one process writes, and waits for the disk.

    Records of several requests that come while the disk is at work go to it together. What is acknowledged is on the
    disk, so that a process that is killed, or a machine that loses its power, loses none of it.

    Args:
        folder: where the files are; it is made with the first record.
        most: the bytes of all files; what would go beyond is refused.
        segment: the bytes after which the next file is begun.

    Raises:
        ResourceError: another process writes here, or the folder cannot be written.
    """

    def __init__(self, folder: Path, most: int, segment: int = SEGMENT) -> None:
        self.folder, self.most, self.segment = folder, most, segment
        self._guard = Lock()
        self._waiting: list[bytes] = []
        self._coming: Future[None] | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="headwater-journal")
        self._lock: BinaryIO | None = None
        self._file: BinaryIO | None = None
        self.size = sum(path.stat().st_size for path in self.files)
        if folder.is_dir():
            self._hold()

    @property
    def files(self) -> list[Path]:
        """Its files, the oldest first."""
        return files_of(self.folder)

    def records(self) -> Iterator[dict[str, Any]]:
        """All that was acknowledged, in the order in which it came; damaged lines are told and left out."""
        return lines_of(self.folder)

    def add(self, records: Sequence[Mapping[str, Any]]) -> Future[None]:
        """Appends records; the future ends when they are on the disk.

        Raises:
            RequestError: the journal is full.
            ResourceError: comes with the future, where the disk is full or fails.
        """
        lines = b"".join(json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n" for record in records)
        with self._guard:
            if self.size + len(lines) > self.most:
                raise RequestError(
                    "The journal of new interactions is full", status=507, where=str(self.folder),
                    got=f"{self.size:,} bytes", accepted=f"{self.most:,} bytes or fewer",
                    fix="Make the application again from its data and the files of the journal, then empty the folder; "
                    "or start the server with a larger --journal-mib.",
                )  # fmt: skip
            self.size += len(lines)
            self._waiting.append(lines)
            if self._coming is None:
                self._coming = self._pool.submit(self._commit)
            return self._coming

    def close(self) -> None:
        """Waits for what is being written, and lets another process write."""
        self._pool.shutdown()
        self._leave()
        if self._lock is not None:
            self._lock.close()
        self._lock = None

    def _commit(self) -> None:
        """Puts all that waits on the disk."""
        with self._guard:
            lines, self._waiting, self._coming = b"".join(self._waiting), [], None
        try:
            _append(self._open(), lines)
        except (OSError, ResourceError) as failure:
            with self._guard:
                self.size -= len(lines)
            # The next one opens the file anew, which mends what could not be taken back.
            self._leave()
            raise self._unwritten(failure) if isinstance(failure, OSError) else failure from None

    def _leave(self) -> None:
        """Closes the file that records go to."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def _unwritten(self, failure: OSError) -> ResourceError:
        return ResourceError(
            "New interactions cannot be written", where=str(self.folder), got=failure.strerror,
            fix="Free the disk of the journal, or name another folder with --journal.",
        )  # fmt: skip

    def _open(self) -> BinaryIO:
        """The file that records go to: the last one, or the next where that is long enough."""
        if self._file is not None and self._file.tell() < self.segment:
            return self._file
        new = [folder for folder in (self.folder, *self.folder.parents) if not folder.exists()]
        self.folder.mkdir(parents=True, exist_ok=True)
        self._hold()
        files = self.files
        path = files[-1] if files else self.folder / "000001.jsonl"
        if files and path.stat().st_size >= self.segment:
            path = self.folder / f"{int(path.stem) + 1:06}.jsonl"
        self._leave()
        self._file = path.open("ab", buffering=0)
        _mend(self._file, path)
        for folder in {self.folder, self.folder.parent, *(one.parent for one in new)}:
            _sync(folder)
        return self._file

    def _hold(self) -> None:
        """Takes the folder for this process.

        Raises:
            ResourceError: another has it, or it cannot be written.
        """
        if self._lock is not None:
            return
        try:
            held = (self.folder / _LOCK).open("ab")
        except OSError as failure:
            raise self._unwritten(failure) from failure
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            held.close()
            raise ResourceError(
                "Another server keeps new interactions here", where=str(self.folder),
                fix="Stop it, or name another folder with --journal.",
            ) from taken  # fmt: skip
        self._lock = held


def _append(file: BinaryIO, lines: bytes) -> None:
    """Writes lines and makes sure that they are on the disk; of a failure nothing is left in the file."""
    start = file.tell()
    try:
        left = memoryview(lines)
        while left:
            # A disk that is nearly full takes a part, and tells it by this number alone.
            left = left[file.write(left) :]
        os.fsync(file.fileno())
    except OSError:
        os.ftruncate(file.fileno(), start)
        file.seek(start)
        raise


def _mend(file: BinaryIO, path: Path) -> None:
    """Cuts off the part of a line that a killed process left at the end: it was never acknowledged."""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.ftruncate(file.fileno(), whole)
    file.seek(whole)


def _sync(folder: Path) -> None:
    """Makes sure that the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
