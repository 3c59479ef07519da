"""What the data of a recommender looks like before anything is learnt: counts, tables that fit, what to be wary of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from headwater.errors import DataError
from headwater.recommendation.ids import Ids
from headwater.recommendation.interactions import Interactions
from headwater.recommendation.tables import Table

_QUANTILES: Final = (0, 5, 25, 50, 75, 95, 100)
_FEW_ITEMS, _FEW_USERS, _FEW_OF_A_USER = 20, 5, 5
_SHOWN: Final = 3
_LEAST: Final = 0.5
"""The share of names that a column must have which was only guessed to be that of the names."""


def audit(known: Interactions, tables: Mapping[str, Table | None], merged: int) -> dict[str, Any]:
    """The interactions at a glance, as plain JSON values for the report.

    Args:
        known: every usable interaction.
        tables: what is told of items and of users, by role; None where nothing is.
        merged: how many interactions came again.

    Raises:
        DataError: a table tells of nothing that there is.
    """
    of = {
        "user": (known.user_ids, np.bincount(known.users, minlength=len(known.user_ids))),
        "item": (known.item_ids, np.bincount(known.items, minlength=len(known.item_ids))),
    }
    n_users, n_items = (int(np.count_nonzero(counts)) for _, counts in of.values())
    told = {f"{role}s": _told(role, table, *of[role]) for role, table in tables.items() if table is not None}
    return {
        "rows": len(known), "users": n_users, "items": n_items, "merged": merged,
        "density": len(known) / max(1, n_users * n_items),
        "quantiles": {"items of a user": _quantiles(of["user"][1]), "users of an item": _quantiles(of["item"][1])},
        "ratings": _ratings(known), "tables": told, "warnings": _warnings(known, n_users, n_items, told),
    }  # fmt: skip


def counted(number: int, name: str) -> str:
    """A number of things in words.

    Example:
        >>> counted(1, "user"), counted(1200, "item")
        ('1 user', '1,200 items')
    """
    return f"{number:,} {name}" if number == 1 else f"{number:,} {name}s"


def _quantiles(counts: np.ndarray) -> dict[str, int]:
    there = counts[counts > 0]
    return dict(zip(map(str, _QUANTILES), np.percentile(there, _QUANTILES).astype(int).tolist(), strict=True))


def _ratings(known: Interactions) -> dict[str, int]:
    """How often each rating was given, where there are few different ones."""
    values, counts = np.unique(known.values, return_counts=True) if known.rated else ((), ())
    told = {f"{round(float(value), 3):g}": int(count) for value, count in zip(values, counts, strict=True)}
    return told if len(told) <= 20 else {}


def _told(role: str, table: Table, ids: Ids, counts: np.ndarray) -> dict[str, Any]:
    """How far a table and the interactions speak of the same: orphans are rows of nobody's item.

    Raises:
        DataError: none of the table's names is one of the interactions', or too few of a column that was a guess.
    """
    places = ids.positions(table.ids.names)
    there = np.flatnonzero(counts)
    described = np.isin(there, places)
    if described.mean() < (_LEAST if table.guessed else 0) or not described.any():
        raise DataError(
            f"The table of {role}s does not tell of the {role}s of the interactions", where=table.records.name,
            got=f"{role}s such as {_some(table.ids.names)} in column {table.column}",
            accepted=f"{role}s such as {_some([ids[place] for place in there[:_SHOWN].tolist()])}",
            fix=f"Check --{role}s: its names stand in a column called {role}_id or the like, or in the first one.",
        )  # fmt: skip
    return {
        "name": table.records.name, "rows": len(table.records), "columns": table.records.columns,
        "column": table.column, "set_aside": len(table.problems),
        "without_interactions": int(np.sum((places < 0) | (counts[places] == 0))),
        "not_described": int(len(there) - described.sum()),
    }  # fmt: skip


def _some(names: Any) -> str:
    return ", ".join(map(str, names[:_SHOWN]))


def _warnings(known: Interactions, n_users: int, n_items: int, tables: Mapping[str, Mapping[str, Any]]) -> list[str]:
    warnings = []
    if known.rated and len(np.unique(known.values)) == 1:
        warnings.append("All ratings are equal: they tell nothing beside who had to do with what.")
    if len(known) < _FEW_OF_A_USER * n_users:
        warnings.append("Most users have fewer than five interactions: little can be told of each.")
    if n_users < _FEW_USERS:
        warnings.append(f"There {_are(n_users, 'user')} only: what others did can tell hardly anything.")
    if n_items < _FEW_ITEMS:
        warnings.append(f"There {_are(n_items, 'item')} only: any list of ten holds most of them.")
    for role, count in (("users", n_users), ("items", n_items)):
        lack = tables.get(role, {}).get("not_described", 0)
        if 2 * lack > count:
            warnings.append(f"The table of {role} describes {count - lack:,} of {count:,} {role} only.")
    return warnings


def _are(number: int, name: str) -> str:
    return f"{'is' if number == 1 else 'are'} {counted(number, name)}"
