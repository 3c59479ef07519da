"""Recommenders beside implicit, Cornac and Surprise: the CPU seconds of one fit, and of lists out of 50,000 items.

Both sides read the same pairs from a file into the form that their library wants, and fit a model of the same size with
the same number of passes; the reading does not count. A fit is timed after one that is not, which compiles or warms
up, and repeated until it has taken a second of CPU: the mean counts. Quality is measured by the same lines for both.
`movielens`: a random quarter of each item's ratings is held out (NDCG@10 over all other items; ratings: RMSE of these).
`generated`: two million pairs of 63,245 users and 15,811 items by power laws, which have no taste to measure.

The peers' settings are those that the recommenders project's comparison and the libraries' own pages take; headwater's
are its own, but for size and passes. The row `as it comes` is headwater's default model beside the same fit of the
peer. Lists: the best ten of 50,000 items for 10,000 users, the 50 items of each user's history left out, 64 factors.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

import peers
from harness import WORK, Bench, Measured, main
from interactions import generated, movielens
from recommender_sides import LIST_ITEMS, LIST_K, LIST_USERS, SIDES
from results import Spread, Table, publish

PAIRS, USERS, ITEMS = 2_000_000, 63_245, 15_811


@dataclass(frozen=True)
class Duel:
    """One model of ours beside one of a peer.

    Attributes:
        peer: the side of the peer.
        told: what the peer is told.
        model: ours, by its name in the catalog.
        own: the settings of our model.
        run: the settings of our run.
        data: `movielens` or `generated`.
        bar: the least ratio of the peer's CPU seconds to ours.
    """

    peer: str
    told: dict[str, Any]
    model: str
    own: dict[str, Any]
    run: dict[str, Any] = field(default_factory=dict)
    data: str = "movielens"
    bar: str = ""


_ALS = {"factors": 32, "iterations": 15, "regularization": 10.0, "alpha": 5.0}
_BPR = {"k": 200, "max_iter": 200, "learning_rate": 0.01, "lambda_reg": 0.001}
_SVD, _SVDPP = {"n_factors": 100, "n_epochs": 20}, {"n_factors": 20, "n_epochs": 20}
DUELS = {
    "als": Duel("implicit_als", _ALS, "als", {"factors": 32}, {"epochs": 15}, bar="2"),
    "als, as it comes": Duel("implicit_als", _ALS, "als", {}),
    "als, 64 factors": Duel("implicit_als", {**_ALS, "factors": 64}, "als", {"factors": 64}, {"epochs": 15}, bar="2"),
    "als, generated": Duel(
        "implicit_als", {**_ALS, "factors": 64, "iterations": 5}, "als", {"factors": 64}, {"epochs": 5},
        data="generated", bar="2",
    ),
    "bpr": Duel(
        "cornac_bpr", _BPR, "bpr", {"factors": 200, "candidates": 1, "regularisation": 0.001},
        {"epochs": 200, "learning_rate": 0.01}, bar="1.1",
    ),
    "bpr, as it comes": Duel("cornac_bpr", _BPR, "bpr", {}),
    "svd": Duel("surprise_svd", _SVD, "svd", {"factors": 100}, {"epochs": 20}, bar="10"),
    "svd, as it comes": Duel("surprise_svd", _SVD, "svd", {}),
    "svdpp": Duel("surprise_svdpp", _SVDPP, "svdpp", {"factors": 20}, {"epochs": 20}, bar="10"),
    "svdpp, as it comes": Duel("surprise_svdpp", _SVDPP, "svdpp", {}),
    "item-knn": Duel("implicit_knn", {"K": 100}, "item-knn", {"neighbours": 100}, bar="1"),
    "item-knn, as it comes": Duel("implicit_knn", {"K": 100}, "item-knn", {}),
    "item-knn, generated": Duel("implicit_knn", {"K": 100}, "item-knn", {"neighbours": 100}, data="generated", bar="1"),
}  # fmt: skip


def compare(bench: Bench) -> None:
    """A duel a row, then the lists."""
    chosen = bench.options.only or (["als"] if bench.options.quick else [*DUELS, "lists"])
    rows = [_row(name, DUELS[name], _fits(bench, DUELS[name])) for name in chosen if name in DUELS]
    tables = [Table(_CAPTION, ("fit", "peer", "quality, peer", "ours", "CPU s, peer", "ours", "ratio", "bar"), rows)]
    if "lists" in chosen:
        tables.append(_lists(bench))
    publish(bench, tables)


_CAPTION = (
    "Fits: CPU seconds of one fit as median (range) over the seeds, and the peer's over ours pair by pair; quality as "
    "mean: NDCG@10 (the more the better), of svd and svdpp RMSE (the less)."
)


def _fits(bench: Bench, duel: Duel) -> list[tuple[Measured, Measured]]:
    pairs = []
    for seed in bench.seeds:
        train, test = movielens(bench.options.data, seed) if duel.data == "movielens" else (_generated(seed), "")
        theirs = bench.measure(duel.peer, python=peers.python(), train=train, test=test, seed=seed, **duel.told)
        ours = {"model": duel.model, "own": duel.own, "run": duel.run}
        pairs.append((theirs, bench.measure("headwater_fit", train=train, test=test, seed=seed, **ours)))
    return pairs


def _generated(seed: int) -> str:
    file = WORK / f"generated-{PAIRS}-{seed}.npz"
    return str(file) if file.exists() else generated(PAIRS, USERS, ITEMS, seed).write(file)


def _row(name: str, duel: Duel, pairs: list[tuple[Measured, Measured]]) -> tuple[Any, ...]:
    quality = "rmse" if "rmse" in pairs[0][0].values else "ndcg"
    good = [
        f"{mean(run.values[quality] for run in side):.4f}" if duel.data == "movielens" else ""
        for side in zip(*pairs, strict=True)
    ]
    bar = f"at least {duel.bar}" if duel.bar else ""
    return name, duel.peer.replace("_", " "), *good, *_costs(pairs), bar


def _costs(pairs: list[tuple[Measured, Measured]]) -> tuple[Spread, Spread, Spread]:
    peer, ours = (Spread.of(run.values["seconds"] for run in side) for side in zip(*pairs, strict=True))
    return peer, ours, Spread.of(theirs.values["seconds"] / own.values["seconds"] for theirs, own in pairs)


def _lists(bench: Bench) -> Table:
    pairs = [
        (
            bench.measure("implicit_lists", python=peers.python(), seed=seed),
            bench.measure("headwater_lists", seed=seed),
        )
        for seed in bench.seeds
    ]
    right = [min(run.values["right"] for run in side) for side in zip(*pairs, strict=True)]
    caption = (
        f"Lists: the best {LIST_K} of {LIST_ITEMS:,} items for {LIST_USERS:,} users; right: the least share of places "
        "that a whole sort has too (ours takes scores for equal that agree in five digits)."
    )
    columns = ("peer", "right, peer", "ours", "CPU s, peer", "ours", "ratio", "bar")
    return Table(caption, columns, [("implicit", *right, *_costs(pairs), "at least 1")])


FLAGS: dict[str, dict[str, Any]] = {
    "--only": {"nargs": "+", "choices": (*DUELS, "lists"), "help": "these rows"},
}

if __name__ == "__main__":
    main(Path(__file__), SIDES, compare, flags=FLAGS)
