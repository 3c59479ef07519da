"""What users did since a model was made: it comes behind what the model knows of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headwater.data.naming import text_of
from headwater.recommendation.asking import Wish
from headwater.recommendation.ids import UNKNOWN
from headwater.recommendation.kept import Kept


class Live:
    """New interactions by user, in the memory.

    Example:
        >>> from headwater.recommendation.ids import Ids
        >>> from headwater.recommendation.interactions import Histories
        >>> import numpy as np
        >>> kept = Kept(Ids(["ann"]), Ids(["a", "b"]), Histories.of_lists([[0]], 2), np.array([True]), rated=False)
        >>> live = Live(kept)
        >>> live.add("ann", "b", None), live.add("ann", "a", None), live.wish("ann", ()).history
        (True, False, ('b',))
    """

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self._of: dict[str, dict[str, float | None]] = {}

    def add(self, user: Any, item: Any, rating: float | None) -> bool:
        """Takes an interaction; whether it is new: what is known of a user already changes nothing."""
        if self.knows(user, item):
            return False
        self._of.setdefault(text_of(user), {})[text_of(item)] = rating
        return True

    def knows(self, user: Any, item: Any) -> bool:
        """Whether a user is known to have had to do with an item."""
        if text_of(item) in self._of.get(text_of(user), ()):
            return True
        place = int(self.kept.user_ids.positions([user])[0])
        return place != UNKNOWN and int(self.kept.item_ids.positions([item])[0]) in self.kept.histories.of(place)

    def wish(self, user: Any, history: Sequence[Any]) -> Wish:
        """A request with what is new of its user in front of the items that it brings."""
        new = None if user is None else self._of.get(text_of(user))
        # Taken in one go: another thread may add to it between two looks, and ratings would be those of other items.
        items, ratings = zip(*tuple(new.items()), strict=True) if new else ((), ())
        return Wish(user, (*items, *history), ratings)

    def history(self, user: Any, history: Sequence[Any], most: int) -> list[Any]:
        """The latest items of a user and a request, by name, the latest first."""
        wish = self.wish(user, history)
        known = [item for item in self.kept.item_ids.positions(wish.history).tolist() if item != UNKNOWN]
        place = int(self.kept.user_ids.positions([user])[0]) if user is not None else UNKNOWN
        old = [] if place == UNKNOWN else self.kept.histories.of(place)[-most:].tolist()
        return [self.kept.item_ids[item] for item in dict.fromkeys(reversed([*old, *known]))][:most]
