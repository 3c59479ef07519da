"""What a model has written for a run, kept in parts, so that a resumed run does not ask it again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from headwater import progress
from headwater.run import write_whole

if TYPE_CHECKING:
    from headwater.run import Run

_PART = 256
"""Texts that are written in one go: what an interruption may cost."""


def written(
    texts: Sequence[str], seed: Sequence[int], run: Run, name: str, write: Callable[[list[str], list[int]], list[str]]
) -> list[str]:
    """What `write` makes of the texts, part by part; a part that an earlier attempt has written is read.

    Args:
        texts: what to write from.
        seed: tells this draw from others; each part has it with one number more.
        run: its folder keeps the parts until it is complete.
        name: what is done to the texts.
        write: texts and a seed to as many texts.
    """
    folder = run.part("augmentation").folder
    found: list[str] = []
    with progress.bar(name, len(texts)) as shown:
        for start in range(0, len(texts), _PART):
            part, key = list(texts[start : start + _PART]), [*seed, start]
            file = folder / f"{name}-{'-'.join(map(str, key))}.json"
            known = json.loads(file.read_text("utf-8")) if file.exists() else write(part, key)
            if run.main and not file.exists():
                write_whole(file, json.dumps(known).encode())
            found += known
            shown.advance(len(part))
    return found
