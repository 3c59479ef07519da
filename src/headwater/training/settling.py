"""Values that depend on the clock, settled once for all attempts and all processes of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headwater.run import Run, is_alone


def agree(run: Run, *values: float) -> list[float]:
    """The values of the main process, in every process: clocks differ, and a decision must be that of all.

    A process that was launched alone needs none of the libraries that processes talk with.
    """
    if is_alone():
        return list(values)
    from headwater.training.device import device_of
    from headwater.training.processes import Processes

    return Processes(device_of(run.settings)).agree(*values)


def settle(run: Run, name: str, values: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What an earlier attempt noted under a name, or else what `values` gives now, noted for later ones."""
    # The main process says for all whether they are settled: who looks later would find what it has just noted.
    known = run.recall(name)
    (settled,) = agree(run, float(known is not None))
    if settled:
        return known or run.recall(name) or {}
    found = values()
    run.note(name, found)
    return found
