"""What using a model costs: seconds and size."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

_FLOAT = 4


@dataclass(frozen=True)
class Cost:
    """What a model costs on this machine; None where it cannot be told.

    Attributes:
        seconds: for the features, or the answers, of 1,000 of these rows, its loading not counted.
        parameters: numbers in the model.
        megabytes: its weights on disk.
        width: how many features a row has.
        max_length: how much of an input is read, in the model's own units (tokens of a text).
        spent: the seconds that measuring it took here; what was on disk already took none.
    """

    seconds: float | None = None
    parameters: int | None = None
    megabytes: float | None = None
    width: int | None = None
    max_length: int | None = None
    spent: float = 0.0

    @property
    def mebibytes(self) -> float | None:
        """What the weights take in memory, in float32.

        What a pass needs beside them is not told: in one process that holds several models in turn, whatever loads
        the libraries first seems to need the most.

        Example:
            >>> Cost(parameters=2**20).mebibytes
            4.0
        """
        return None if self.parameters is None else _FLOAT * self.parameters / 2**20

    def to_json(self) -> dict[str, Any]:
        """The numbers by name."""
        return asdict(self)
