"""Who had to do with what, under the contract: a user a row, with the list of their items."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from tests.contract.kinds import Kind, Table
from tests.contract.pictures import png
from tests.tiny import WORDS, make_vit

_SHELF = 14
"""Items that one half of the users likes, and as many for the other half."""
_EACH = 7


def baskets(rows: int = 60) -> Table:
    """Users with items of a shelf each, every other one of the first; items of even numbers are rated higher."""
    random = np.random.default_rng(0)
    table: Table = {"user": [], "item": [], "rating": []}
    for row in range(rows):
        picked = random.permutation(_SHELF)[:_EACH].tolist()
        table["user"].append(f"u{row}")
        table["item"].append([f"{'ab'[row % 2]}{item}" for item in picked])
        table["rating"].append([2.0 if item % 2 else 5.0 for item in picked])
    return table


def shelves(model: str, folder: Path) -> dict[str, Any]:
    """The table of items: words and pictures that tell the shelves apart; an encoder of them where one is needed."""
    random = np.random.default_rng(1)
    lines = ["item,title,genre,cover"]
    for shelf, words, shade in (("a", "good film", 220), ("b", "dull story", 30)):
        for item in range(_SHELF):
            (folder / f"{shelf}{item}.png").write_bytes(png(random.normal(shade, 8, (16, 16))))
            lines.append(f"{shelf}{item},{words} {WORDS[item]},{words.split()[1]},{shelf}{item}.png")
    (folder / "items.csv").write_text("\n".join(lines), "utf-8")
    encoder = {"encoder": str(make_vit(folder / "encoder"))} if model == "image-embedding" else {}
    return {"items": str(folder / "items.csv"), **encoder}


def write(table: Table, folder: Path) -> Path:
    """Lines of JSON."""
    folder.mkdir(parents=True)
    rows = (dict(zip(table, cells, strict=True)) for cells in zip(*table.values(), strict=True))
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return folder / "rows.jsonl"


def sought(application: Any, rows: Table) -> float:
    """The share of recommended items that are right: of the user's own shelf, or what the most have that it has not.

    Of the popular items half are of the other shelf, so that nobody is right without looking at the user. What gives
    ratings recommends what is rated high, and half of the items are.
    """
    lists = application.recommend(rows["user"], k=5)
    if application.recommender.rates:
        return float(np.mean([int(one["item"][1:]) % 2 == 0 for found in lists for one in found]))
    if application.model_name == "popularity":
        counts = Counter(item for items in rows["item"] for item in items)
        rest = [[counts[item] for item in counts if item not in items] for items in rows["item"]]
        pairs = zip(lists, rest, strict=True)
        return float(
            np.mean([sum(counts[one["item"]] for one in found) / sum(sorted(left)[-5:]) for found, left in pairs])
        )
    own = [str(items[0])[0] for items in rows["item"]]
    return float(np.mean([one["item"][0] == shelf for found, shelf in zip(lists, own, strict=True) for one in found]))


def strangers(rows: int) -> Table:
    """Users with items that nobody of the table has."""
    table = baskets(rows)
    items = [[f"z{name}" for name in row] for row in table["item"]]
    return {"user": [f"v{name}" for name in table["user"]], "item": items, "rating": table["rating"]}


def _items_of(user: str) -> list[str]:
    table = baskets()
    return table["item"][table["user"].index(user)]


KIND = Kind(
    inputs="user",
    target="item",
    target_setting="item",
    table=baskets,
    other=lambda rows: strangers(rows)["user"],
    strangers=strangers,
    write=write,
    right=sought,
    enough=0.7,  # what looks at no user has 0.5; `gan` is slow to learn, the others come near 1
    strange={
        "a history": lambda: ["a1", "a2"],
        "one item": lambda: ["b3"],
        "items nobody knows beside one": lambda: ["nothing", "a4", ""],
        "a name with blanks": lambda: " u3 ",
    },
    bad=lambda: [None, "nobody", ["nothing"]],
    fast={"k": 5, "epochs": 2},
    learnt={"k": 5, "epochs": None},
    adapted=None,
    value=lambda user: ", ".join(_items_of(user)),
    strategies=(),
    beside=shelves,
)
