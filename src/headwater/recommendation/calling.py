"""What people call items: by name, or by a title that is one item's alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from headwater.data.naming import text_of
from headwater.errors import NotFoundError, did_you_mean
from headwater.recommendation.ids import UNKNOWN, Ids

_YEAR: Final = re.compile(r"\s*\((?:19|20)\d\d\)$")
_NEAR: Final = 3
_SEARCHED: Final = 100_000
"""Names that are looked through for near ones: with more a mistake would take seconds to tell."""


class Called:
    """The items by what people call them.

    Example:
        >>> called = Called(Ids([1, 2, 3]), ["Heat (1995)", "Fargo", "Fargo"])
        >>> called.find("heat"), called.find("3"), called.find("Fargo")
        (1, 3, None)
    """

    def __init__(self, ids: Ids, titles: Sequence[str | None]) -> None:
        self.ids, self.titles = ids, titles
        self._of: dict[str, list[int]] = {}
        for place, title in enumerate(titles):
            for key in {_folded(title), _folded(_YEAR.sub("", title))} if title else ():
                self._of.setdefault(key, []).append(place)

    def find(self, name: Any) -> Any:
        """The name of the item that is called so: a name comes before a title; None where there is not just one."""
        place = int(self.ids.positions([name])[0])
        places = [place] if place != UNKNOWN else self._of.get(_folded(text_of(name)), [])
        return self.ids[places[0]] if len(places) == 1 else None

    def all(self, names: Iterable[Any]) -> list[Any]:
        """The names of several; what is not found stays as it is."""
        found = [(name, self.find(name)) for name in names]
        return [name if one is None else one for name, one in found]

    def one(self, name: Any) -> Any:
        """The name of the one item that is called so.

        Raises:
            NotFoundError: there is none; names the near ones.
        """
        found = self.find(name)
        if found is not None:
            return found
        same = self._of.get(_folded(text_of(name)), [])
        if same:
            raise NotFoundError(
                "Several items have this title", where="recommendation", got=name,
                accepted=[self.ids[place] for place in same], fix="Name one of these.",
            )  # fmt: skip
        raise NotFoundError(
            "There is no item of this name or title", where="recommendation", got=name, accepted=self._some(),
            fix=self._near(text_of(name)) or "Look it up in the data that the application was made of.",
        )  # fmt: skip

    def _some(self) -> str:
        shown = [text_of(self.ids[place]) for place in range(min(_NEAR, len(self.ids)))]
        titled = [repr(title) for title in self.titles[: len(shown)] if title]
        return f"names such as {', '.join(shown)}" + (f", or titles such as {', '.join(titled)}" if titled else "")

    def _near(self, name: str) -> str | None:
        """Titles that have the text in them, else what is spelt nearly so."""
        text = _folded(name)
        titles = [title for title in self.titles[:_SEARCHED] if title]
        within = [title for title in titles if text in _folded(title)][:_NEAR]
        if within:
            return f"Did you mean {' or '.join(map(repr, within))}?"
        return did_you_mean(name, {*map(text_of, self.ids.names[:_SEARCHED]), *titles})


def unknown_user(name: Any, users: Ids) -> NotFoundError:
    """The error for a user of whom nothing is known."""
    near = did_you_mean(text_of(name), map(text_of, users.names[:_SEARCHED]))
    return NotFoundError(
        "There is no user of this name", where="recommendation", got=name,
        accepted=f"users such as {', '.join(map(text_of, users.names[:_NEAR]))}",
        fix=" ".join(filter(None, [near, "Of somebody new, give the history."])),
    )  # fmt: skip


def _folded(text: str) -> str:
    return " ".join(text.lower().split())
