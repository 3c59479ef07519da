"""Around a fitted model: its baselines, what it is measured by, and which items may come."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from headwater.data.records import Records
from headwater.errors import SettingError
from headwater.evaluation.recommendation import Measured, Ranked
from headwater.recommendation import measuring
from headwater.recommendation.autoencoder import Ease
from headwater.recommendation.biases import Biases
from headwater.recommendation.kept import Kept
from headwater.recommendation.popularity import Popularity
from headwater.recommendation.recommender import Known, Recommender
from headwater.recommendation.tables import titles
from headwater.recommendation.tested import Tested
from headwater.run import scratch, write_whole
from headwater.settings import Settings

if TYPE_CHECKING:
    from headwater.recommendation.preparing import Divided

MOST_ITEMS: Final = 5_000
"""Items up to which the baseline `ease` is solved: its time grows with the cube of their number."""
_SHOWN: Final = 6
_ITEMS: Final = "items.json"
_NEEDS: Final = {
    "ratings": "a column of ratings: name it with --rating",
    "times": "a column of points in time: name it with --time",
    "item text": "a table of items with a column of text: give it with --items",
    "item image": "a table of items with a column of images: give it with --items",
}


def baselines(model: str, kept: Kept, settings: Settings) -> dict[str, Recommender]:
    """Those whom every model has to beat, fitted on what the model has learnt from."""
    known = Known(kept.learnt_from())
    few = len(np.unique(known.interactions.items)) <= MOST_ITEMS
    makers = {"popularity": Popularity, **({"ease": Ease} if few else {})}
    with scratch(settings) as run:
        return {name: make().fit(known, None, run) for name, make in makers.items() if name != model}


def measured(
    everyone: Mapping[str, Recommender], test: Tested, kept: Kept, settings: Settings, items: Records | None, model: str
) -> Measured:  # fmt: skip
    """What a model and its baselines did in a test."""
    learnt = kept.learnt_from()
    told = {name: measuring.rank(one, test.question) for name, one in everyone.items()}
    ranked: dict[str, Ranked] = measuring.summed(told, learnt, settings.seed)
    if test.ratings is not None and everyone[model].rates:
        both: dict[str, Recommender | Biases] = {model: everyone[model], "biases": Biases.of(learnt)}
        wrong = {
            name: measuring.errors(one, test.question.asked, test.users, test.ratings) for name, one in both.items()
        }
        ranked[model] = Ranked(ranked[model].of_users, ranked[model].coverage, wrong[model])
        ranked["biases"] = Ranked({}, 0.0, wrong["biases"])
    notes = list(test.notes)
    if test.question.allowed is not None and not everyone[model].cold:
        notes.append(f"{model} cannot tell new items apart: a model of content, such as hybrid or tfidf, can.")
    if "ease" not in everyone:
        notes.append(f"The baseline ease is left out: it takes long where there are more than {MOST_ITEMS:,} items.")
    sections = {
        "activity": measuring.by_activity(told, test.question.asked.histories.lengths),
        "popularity": measuring.by_popularity(told, test.question.relevant, learnt),
        "lists": _sample(told[model].lists, test, kept, items, settings.seed),
        "names": list(everyone),
    }
    return Measured(ranked, test.protocol, settings.k, notes, sections, settings.seed)


def allowed(items: Records | None, where: Mapping[str, Any] | None, n_items: int) -> np.ndarray | None:
    """A mask of the items whose columns hold what is asked; None where nothing is.

    A cell holds a value if it is that value, or a list, or text with bars, commas or spaces, that has it as a part.

    Raises:
        SettingError: nothing is told of the items.
        NotFoundError: there is no such column.
    """
    if not where:
        return None
    if items is None:
        raise SettingError(
            "Nothing is told of the items, so none can be chosen by a column", where="--where", got=dict(where),
            fix="Make the application with --items FILE.",
        )  # fmt: skip
    mask = np.ones(n_items, dtype=bool)
    for column, value in where.items():
        mask &= [holds(cell, value) for cell in items.column(column)]
    return mask


def holds(cell: Any, value: Any) -> bool:
    """Whether a cell is a value, or has it among its parts.

    Example:
        >>> holds("Action|Comedy", "comedy"), holds(1995, "1995"), holds("Comedy club", "club"), holds(None, "x")
        (True, True, True, False)
    """
    if cell is None:
        return False
    if isinstance(cell, list | tuple):
        return any(holds(one, value) for one in cell)
    text, sought = str(cell).strip().lower(), str(value).strip().lower()
    parts = [text, *(part.strip() for mark in "|,; " for part in text.split(mark))]
    return sought in parts


def refuse_lack(model: type[Recommender], prepared: Divided, name: str) -> None:
    """Refuses a model that needs what the data does not have.

    Raises:
        SettingError: says what it needs.
    """
    known = prepared.interactions
    there = {"ratings": known.rated, "times": known.times is not None}
    there |= dict.fromkeys(("item text", "item image"), prepared.items is not None)
    for need in model.needs:
        if not there[need]:
            raise SettingError(f"{name} needs {_NEEDS[need]}", where=f"model {name}", fix="Or take another model.")


def plain_items(table: Records | None) -> Records | None:
    """The columns of the items' table that can be written as JSON; images stay with those who learn from them."""
    if table is None:
        return None
    names = [name for name in table.columns if not pa.types.is_large_binary(table.table.schema.field(name).type)]
    return Records(table.table.select(names), name=table.name)


def write_items(items: Records, folder: Path) -> None:
    """Writes the items' table as JSON."""
    columns = {name: items.column(name) for name in items.columns}
    write_whole(folder / _ITEMS, json.dumps(columns, ensure_ascii=False, default=str).encode())


def read_items(folder: Path) -> Records:
    """Takes back what `write_items` wrote."""
    return Records(pa.table(json.loads((folder / _ITEMS).read_text("utf-8"))), name="items")


def _sample(lists: np.ndarray, test: Tested, kept: Kept, items: Records | None, seed: int) -> list[dict[str, Any]]:
    """The lists of some users drawn at random: the end of their history, what was recommended, what was right."""
    names = titles(items, kept.item_ids)
    shown = [name or str(kept.item_ids[place]) for place, name in enumerate(names)]
    rows = np.sort(np.random.default_rng(seed).permutation(len(lists))[:_SHOWN])
    found = []
    for row in rows.tolist():
        right = set(test.question.relevant.of(row).tolist())
        history = test.question.asked.histories.of(row)[-_SHOWN:][::-1].tolist()
        user = test.users[row]
        found.append({
            "user": str(kept.user_ids[user]) if user >= 0 else "a new user",
            "history": [shown[item] for item in history],
            "list": [{"item": shown[item], "right": item in right} for item in lists[row].tolist() if item >= 0],
            "right": len(right),
        })  # fmt: skip
    return found
