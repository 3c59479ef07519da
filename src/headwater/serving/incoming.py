"""An interaction as a client brings it, checked before it is kept."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from headwater.errors import RequestError
from headwater.recommendation.ids import UNKNOWN
from headwater.recommendation.journals import is_finite
from headwater.recommendation.kept import Kept
from headwater.serving.cells import name_of

_A_DAY: Final = 86_400
_SLACK: Final = 1e-3
"""The share of the scale by which a rating may lie beside it: ratings are kept in single precision."""


class Incoming:
    """What an application can take of interactions: of items it knows, rated on the scale it has learnt.

    Example:
        >>> from headwater.recommendation.ids import Ids
        >>> from headwater.recommendation.interactions import Histories
        >>> kept = Kept(Ids(["u"]), Ids(["tea"]), Histories.of_lists([[0]], 1), np.array([True]), False)
        >>> Incoming(kept).record(1, {"user": 7, "item": "tea", "rating": 3})
        {'user': '7', 'item': 'tea', 'rating': 3}
    """

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        values = kept.histories.values
        self.scale = (float(values.min()), float(values.max())) if kept.rated and len(values) else None

    def record(self, number: int, given: Any) -> dict[str, Any]:
        """An interaction as it is kept; unknown items are refused, since no model can say anything of them.

        Raises:
            RequestError: it lacks something, or a part of it cannot be.
        """
        where = f"interaction {number}"
        if not isinstance(given, Mapping) or given.get("user") is None or given.get("item") is None:
            raise RequestError(
                "An interaction needs a user and an item", where=where, got=given,
                accepted='{"user": "...", "item": "..."}, and with these rating and timestamp',
            )  # fmt: skip
        record: dict[str, Any] = {"user": named("user", given["user"]), "item": named("item", given["item"])}
        self.known(record["item"], where)
        for name in ("rating", "timestamp"):
            value = given.get(name)
            if value is not None:
                if not is_finite(value):
                    raise RequestError(f"The {name} is not a number", where=where, got=value)
                record[name] = value
        self._sane(record, where)
        return record

    def known(self, item: str, where: str) -> None:
        """Refuses an item that the application does not know.

        Raises:
            RequestError: it does not.
        """
        if self.kept.item_ids.positions([item])[0] == UNKNOWN:
            raise RequestError(
                "There is no item of this name", status=404, where=where, got=item,
                fix="Search for it with GET /items?q=TEXT; the model must be made again to learn of new items.",
            )  # fmt: skip

    def _sane(self, record: Mapping[str, Any], where: str) -> None:
        """Refuses ratings off the scale, which would outweigh all others, and times that `adapt` would set aside."""
        low, high = self.scale or (-np.inf, np.inf)
        slack = _SLACK * (high - low) if self.scale else 0.0
        if not low - slack <= record.get("rating", low) <= high + slack:
            raise RequestError(
                "The rating is not on the scale of those learnt from", where=where, got=record["rating"],
                accepted=f"{low:g} to {high:g}",
            )  # fmt: skip
        if record.get("timestamp", 0) > time.time() + _A_DAY:
            raise RequestError(
                "The timestamp lies in the future", where=where, got=record["timestamp"],
                accepted="seconds since 1970",
            )  # fmt: skip


def named(where: str, value: Any) -> str:
    """A name out of JSON.

    Raises:
        RequestError: it is none.
    """
    try:
        found = name_of(where, value)
    except ValueError as wrong:
        raise RequestError(str(wrong)[:1].upper() + str(wrong)[1:], where=where, got=value) from wrong
    if not found:
        raise RequestError("A name is empty", where=where, got=value)
    return found
