"""Features on disk, so that what a frozen foundation made of a row is computed once on a machine.

A foundation has a folder under its fingerprint, and in it blocks that are written whole and never changed. Any number
of processes may add blocks and read them.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from headwater.data.pictures import Picture, glance
from headwater.run import write_whole

log = logging.getLogger("headwater")
_KEY_BYTES = 16
LIMIT = 4 * 2**30
"""The bytes that all blocks together may take before the oldest are removed."""


def cache_folder() -> Path:
    """Where features are kept: $HEADWATER_CACHE, else ~/.cache/headwater."""
    return Path(os.environ.get("HEADWATER_CACHE") or Path.home() / ".cache" / "headwater") / "features"


def keys_of(inputs: Sequence[Any]) -> list[bytes]:
    """The hash of each input's content: a text, a pair of texts, or a picture.

    Example:
        >>> one, other, again = keys_of(["a", ("a", "b"), "a"])
        >>> one == again, one == other
        (True, False)
    """
    return [hashlib.blake2b(_content(row), digest_size=_KEY_BYTES).digest() for row in inputs]


def _content(row: Any) -> bytes:
    if isinstance(row, Picture):
        return b"picture " + glance(row).digest
    return json.dumps(row, ensure_ascii=True).encode()


@dataclass
class FeatureCache:
    """The stored features of one foundation, by the hash of the row.

    The keys of a block are read once, since it never changes: many small reads cost little where one cache makes them.

    Args:
        folder: where the blocks of all foundations are; None keeps nothing on disk.
        fingerprint: what tells this foundation's features from all others (`Encoder.fingerprint`).
        limit: the bytes all blocks together may take.
    """

    folder: Path | None
    fingerprint: str
    limit: int = LIMIT
    _seen: set[Path] = field(default_factory=set, init=False, repr=False, compare=False)
    _block_of: dict[bytes, Path] = field(default_factory=dict, init=False, repr=False, compare=False)

    def read(self, keys: Sequence[bytes]) -> dict[bytes, np.ndarray]:
        """The features of those keys that are stored; a damaged block is removed, and its rows are missing."""
        files = self._blocks()
        for file in files:
            if file not in self._seen:
                self._seen.add(file)
                self._block_of.update(dict.fromkeys(_keys_in(file), file))
        wanted: dict[Path, set[bytes]] = defaultdict(set)
        for key in keys:
            if key in self._block_of:
                wanted[self._block_of[key]].add(key)
        found: dict[bytes, np.ndarray] = {}
        for file in files:
            if file in wanted:
                found.update(_read_block(file, wanted[file]))
        return found

    def write(self, keys: Sequence[bytes], features: np.ndarray) -> None:
        """Stores a block of rows, then makes room if all blocks together have grown too large."""
        if self.folder is None or not keys:
            return
        content = {
            "keys": np.frombuffer(b"".join(keys), np.uint8).reshape(-1, _KEY_BYTES),
            "features": np.ascontiguousarray(features),
        }
        name = hashlib.sha256(b"".join(keys)).hexdigest()[:32]
        data = save(content, {"sha256": _checksum(keys, features)})
        try:
            write_whole(self.folder / self.fingerprint / f"{name}.safetensors", data)
        except OSError as full:
            log.warning("Features are not kept: %s. --no-feature-cache stops this warning.", full)
            return
        make_room(self.folder.glob("*/*.safetensors"), self.limit)

    def _blocks(self) -> list[Path]:
        return [] if self.folder is None else sorted((self.folder / self.fingerprint).glob("*.safetensors"))


def make_room(files: Iterable[Path], limit: int = LIMIT) -> None:
    """Removes the files that were not used for longest, until all together take no more bytes than the limit.

    The one that was used last stays, however large: to remove what was just made would be to make it every time.
    """
    stats = [(file.stat(), file) for file in files]
    total = sum(stat.st_size for stat, _ in stats)
    for stat, file in sorted(stats, key=lambda entry: entry[0].st_mtime)[:-1]:
        if total <= limit:
            return
        file.unlink(missing_ok=True)
        total -= stat.st_size


def _keys_in(file: Path) -> list[bytes]:
    """The keys of a block; none of a damaged one, which is removed, or of one that is gone meanwhile."""
    try:
        with safe_open(file, framework="numpy") as block:
            return _keys_of_block(block)
    except FileNotFoundError:
        return []
    except (SafetensorError, OSError) as damage:
        _remove(file, str(damage))
        return []


def _keys_of_block(block: Any) -> list[bytes]:
    return [key.tobytes() for key in block.get_tensor("keys")]


def _read_block(file: Path, wanted: set[bytes]) -> dict[bytes, np.ndarray]:
    """The wanted rows of a block; none of a damaged one, which is removed, or of one that is gone meanwhile."""
    try:
        with safe_open(file, framework="numpy") as block:
            known = _keys_of_block(block)
            hits = [(key, row) for row, key in enumerate(known) if key in wanted]
            features = block.get_tensor("features")
            intact = (block.metadata() or {}).get("sha256") == _checksum(known, features)
        os.utime(file)
    except FileNotFoundError:
        return {}
    except (SafetensorError, OSError) as damage:
        return _remove(file, str(damage))
    return {key: features[row].copy() for key, row in hits} if intact else _remove(file, "its checksum differs")


def _remove(file: Path, why: str) -> dict[bytes, np.ndarray]:
    log.warning("A block of kept features is damaged (%s) and computed again: %s", why, file)
    file.unlink(missing_ok=True)
    return {}


def _checksum(keys: Sequence[bytes], features: np.ndarray) -> str:
    return hashlib.sha256(b"".join(keys) + np.ascontiguousarray(features).tobytes()).hexdigest()
