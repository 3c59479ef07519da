"""Epochs of a model that learns in arrays: under a budget, and with a checkpoint from which a killed run goes on."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Mapping

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from headwater.errors import ArtifactError
from headwater.recommendation.interactions import Interactions
from headwater.run import Run, write_whole

_FILE = "epochs.safetensors"
_MARK = "epoch and training"


def epochs(run: Run, total: int, learnt: Mapping[str, np.ndarray], known: Interactions) -> Iterator[int]:
    """The number of each epoch that is still to do, from 0.

    Between two epochs `learnt` is written to the run's folder every `checkpoint_seconds`. When that holds a checkpoint
    of the same training, its arrays are put into `learnt` at once, and only the epochs after it are given.

    Args:
        run: its budget ends the epochs; one of them is always done.
        total: how many there are.
        learnt: all that an epoch changes, in place.
        known: what is learnt from; a checkpoint of other interactions is not used.

    Raises:
        ArtifactError: the checkpoint is damaged.
    """
    training = _training(run, total, learnt, known)
    done, saved, longest = _resume(run, learnt, training), time.monotonic(), 0.0
    while done < total and (not done or longest < run.remaining()):
        began = time.monotonic()
        yield done
        done, longest = done + 1, max(longest, time.monotonic() - began)
        if time.monotonic() - saved >= run.settings.checkpoint_seconds:
            mark = np.array([done, training], dtype=np.int64)
            write_whole(run.folder / _FILE, save({**learnt, _MARK: mark}))
            saved = time.monotonic()


def _resume(run: Run, learnt: Mapping[str, np.ndarray], training: int) -> int:
    file = run.folder / _FILE
    if not file.exists():
        return 0
    try:
        kept = load(file.read_bytes())
    except SafetensorError as error:
        raise ArtifactError(
            "The checkpoint of these epochs is damaged", where=str(file), got=str(error),
            fix="Remove this file to train from the beginning.",
        ) from error  # fmt: skip
    done, of = kept[_MARK].tolist()
    if of != training:
        return 0
    for name, values in learnt.items():
        values[...] = kept[name]
    return done


def _training(run: Run, total: int, learnt: Mapping[str, np.ndarray], known: Interactions) -> int:
    """A number that differs between trainings of other interactions, another seed, or other first values."""
    mark = zlib.crc32(f"{run.settings.seed} {total} {list(learnt)}".encode())
    for values in (known.users, known.items, known.values, *learnt.values()):
        mark = zlib.crc32(np.ascontiguousarray(values).data, mark)
    return mark
