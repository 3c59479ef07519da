"""How good recommended lists are: every item is ranked for each user, in blocks of users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy import sparse

from headwater.evaluation.recommendation import Ranked
from headwater.recommendation.biases import Biases
from headwater.recommendation.interactions import Histories, Interactions
from headwater.recommendation.lists import best, blocks, wanted
from headwater.recommendation.recommender import Asked, Recommender

_SAMPLE: Final = 200
"""Lists whose items are compared with one another."""
_HEAD: Final = 0.2
"""The share of items, the most popular first, that are called popular."""


@dataclass(frozen=True)
class Question:
    """For whom items are ranked, and which would have been right.

    Attributes:
        asked: the users.
        relevant: the right items of each.
        seen: what each had to do with before, and is not to get; None where everything is ranked.
        allowed: a mask of the items that are ranked; None where all are.
        k: how long the lists are.
    """

    asked: Asked
    relevant: Histories
    seen: Histories | None
    allowed: np.ndarray | None
    k: int


@dataclass(frozen=True)
class Told:
    """What one of those who recommend did.

    Attributes:
        of_users: by metric a number for each user.
        lists: positions of shape (users, k).
        found: whether each right item of `Question.relevant` came into its list, bool of shape (relevant,).
    """

    of_users: dict[str, np.ndarray]
    lists: np.ndarray
    found: np.ndarray


def rank(model: Recommender, question: Question) -> Told:
    """Ranks all items for every user of a question, in blocks whose scores fit into memory."""
    parts: list[dict[str, np.ndarray]] = []
    lists, hits = [], []
    for rows in blocks(len(question.asked), model.n_items):
        seen = None if question.seen is None else question.seen.take(rows)
        scores = wanted(model, question.asked.take(rows), seen, question.allowed)
        relevant = question.relevant.take(rows)
        chosen = best(scores, question.k).items
        right = np.zeros((len(rows), model.n_items + 1), dtype=bool)
        of = np.repeat(np.arange(len(rows)), relevant.lengths)
        right[of, relevant.items] = True
        hit = np.take_along_axis(right, chosen, axis=1)
        parts.append(of_lists(hit, relevant.lengths, question.k) | {"auc": areas(scores, relevant, seen, question)})
        chosen_mask = np.zeros_like(right)
        np.put_along_axis(chosen_mask, chosen, values=True, axis=1)
        lists.append(chosen)
        hits.append(chosen_mask[of, relevant.items])
    of_users = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Told(of_users, np.concatenate(lists), np.concatenate(hits))


def of_lists(hit: np.ndarray, relevant: np.ndarray, k: int) -> dict[str, np.ndarray]:
    """The metrics of lists.

    Args:
        hit: whether each place of each list is right, bool of shape (users, places), places <= k.
        relevant: how many items would have been right, shape (users,).
        k: the places that count.

    Returns:
        For each user: `ndcg` with gains of 0 and 1 (Järvelin and Kekäläinen 2002), `recall`, `precision`,
        `average_precision` (the mean over at most k right items of the precision there), `mrr` (one over the first
        right place), `hit`.

    Example:
        >>> found = of_lists(np.array([[True, False, True]]), np.array([2]), 3)
        >>> {name: round(float(values[0]), 3) for name, values in found.items()}
        {'ndcg': 0.92, 'recall': 1.0, 'precision': 0.667, 'average_precision': 0.833, 'mrr': 1.0, 'hit': 1.0}
    """
    places = np.arange(1, hit.shape[1] + 1)
    right = hit.sum(axis=1)
    most = np.minimum(relevant, k)
    ideal = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])[most]
    precise = (np.cumsum(hit, axis=1) / places * hit).sum(axis=1)
    first = np.where(right > 0, 1 / (hit.argmax(axis=1) + 1), 0.0)
    return {
        "ndcg": (hit / np.log2(places + 1)).sum(axis=1) / ideal, "recall": right / relevant,
        "precision": right / k, "average_precision": precise / most, "mrr": first,
        "hit": (right > 0).astype(np.float64),
    }  # fmt: skip


def areas(scores: np.ndarray, relevant: Histories, seen: Histories | None, question: Question) -> np.ndarray:
    """The chance that a right item is ranked above a wrong one, shape (users,); ties are half a chance."""
    n_items = scores.shape[1] if question.allowed is None else int(question.allowed.sum())
    lengths = np.zeros(len(scores), dtype=np.int64) if seen is None else seen.lengths
    if seen is not None and question.allowed is not None:
        lengths = np.bincount(
            np.repeat(np.arange(len(seen)), lengths), weights=question.allowed[seen.items], minlength=len(seen)
        ).astype(np.int64)
    ranked = np.sort(scores, axis=1)
    left_out = scores.shape[1] - n_items + lengths
    found = np.full(len(scores), np.nan)
    for row in range(len(scores)):
        own = np.sort(scores[row, relevant.of(row)])
        wrong = n_items - lengths[row] - len(own)
        if wrong > 0:
            # The items that are not ranked stand at -inf, below all others.
            candidates = ranked[row, left_out[row] :]
            found[row] = (_below(candidates, own) - _below(own, own)) / (len(own) * wrong)
    return found


def _below(ranked: np.ndarray, scores: np.ndarray) -> float:
    """How many of some ordered scores lie below each of others, added up; equal ones count a half."""
    return float(sum(np.searchsorted(ranked, scores, side).sum() for side in ("left", "right"))) / 2


def beyond(lists: np.ndarray, learnt: Interactions, seed: int) -> tuple[dict[str, np.ndarray], float]:
    """What lists are beside right or wrong.

    Args:
        lists: positions of shape (users, k), -1 where a list ends.
        learnt: what the model learnt from.
        seed: of the sample of lists that `diversity` is measured on.

    Returns:
        For each user `diversity` (one minus the mean cosine of two items of the list, by who had to do with them),
        `novelty` (the mean of -log2 of the share of users who know an item) and `popular_share` (the share of the list
        that is among the most popular fifth of the items); and the share of all items that came into any list.
    """
    counts = np.bincount(learnt.items, minlength=len(learnt.item_ids))
    users = max(1, len(np.unique(learnt.users)))
    surprise = -np.log2(np.maximum(counts, 1) / users)
    popular = np.zeros(len(counts), dtype=bool)
    popular[np.argsort(-counts, kind="stable")[: max(1, round(_HEAD * np.count_nonzero(counts)))]] = True
    there = lists >= 0
    length = np.maximum(there.sum(axis=1), 1)
    of_users = {
        "diversity": _diversity(lists, learnt, seed),
        "novelty": np.where(there, surprise[lists], 0).sum(axis=1) / length,
        "popular_share": np.where(there, popular[lists], 0).sum(axis=1) / length,
    }
    return of_users, len(np.unique(lists[there])) / max(1, len(counts))


def errors(model: Recommender | Biases, asked: Asked, users: np.ndarray, ratings: Interactions) -> np.ndarray:
    """Of each row of `asked` the squared and absolute errors of ratings and their number, shape (rows, 3).

    Args:
        model: who gives ratings, within the scale that it learnt: that of the true ones is not to be known.
        asked: the users of the question.
        users: the position of each in what was learnt from, -1 for one that was not there.
        ratings: the true ones; their `users` are rows of `asked`.
    """
    guessed = np.empty(len(ratings))
    for rows in blocks(len(ratings), len(ratings.item_ids) if isinstance(model, Recommender) else 1):
        of, items = ratings.users[rows], ratings.items[rows]
        if isinstance(model, Biases):
            guessed[rows] = model.ratings(users[of], items)
        else:
            guessed[rows] = model.ratings(asked.take(of), items)
    wrong = guessed - ratings.values
    sums = (wrong**2, np.abs(wrong), np.ones(len(wrong)))
    return np.stack([np.bincount(ratings.users, part, len(asked)) for part in sums], axis=1)


def summed(told: Mapping[str, Told], learnt: Interactions, seed: int) -> dict[str, Ranked]:
    """What was measured of each, with what lists are beside right or wrong."""
    found = {}
    for name, one in told.items():
        further, coverage = beyond(one.lists, learnt, seed)
        found[name] = Ranked({**one.of_users, **further}, coverage)
    return found


def by_activity(told: Mapping[str, Told], lengths: np.ndarray) -> list[dict[str, Any]]:
    """The NDCG of three groups of users of like size, by how long their history is."""
    edges = np.unique(np.quantile(lengths, (1 / 3, 2 / 3, 1)).astype(int))
    rows, low = [], int(lengths.min())
    for high in edges.tolist():
        mask = (lengths >= low) & (lengths <= high)
        if mask.any():
            scores = {name: float(one.of_users["ndcg"][mask].mean()) for name, one in told.items()}
            rows.append({"group": f"{low} to {high} items", "count": int(mask.sum()), "scores": scores})
        low = high + 1
    return rows


def by_popularity(told: Mapping[str, Told], relevant: Histories, learnt: Interactions) -> list[dict[str, Any]]:
    """The share of right items that came into a list, for three groups of items with like many interactions each."""
    counts = np.bincount(learnt.items, minlength=len(learnt.item_ids))
    order = np.argsort(-counts, kind="stable")
    third = np.searchsorted(np.cumsum(counts[order]), counts.sum() * np.array([1 / 3, 2 / 3]))
    group = np.empty(len(counts), dtype=np.int64)
    group[order] = np.searchsorted(third, np.arange(len(counts)), side="left")
    rows = []
    for place, name in enumerate(("the most popular third of interactions", "the middle third", "the rarest third")):
        mask = group[relevant.items] == place
        if mask.any():
            scores = {who: float(one.found[mask].mean()) for who, one in told.items()}
            items = int(np.sum((group == place) & (counts > 0)))
            rows.append({"group": f"{name}: {items:,} items", "count": int(mask.sum()), "scores": scores})
    return rows


def _diversity(lists: np.ndarray, learnt: Interactions, seed: int) -> np.ndarray:
    found = np.full(len(lists), np.nan)
    sample = np.sort(np.random.default_rng(seed).permutation(len(lists))[:_SAMPLE])
    sample = sample[(lists[sample] >= 0).sum(axis=1) > 1]
    if not len(sample):
        return found
    there, places = np.unique(lists[sample], return_inverse=True)
    places = places.reshape(lists[sample].shape)
    kept = np.isin(learnt.items, there)
    columns = np.searchsorted(there, learnt.items[kept])
    shape = len(learnt.user_ids), len(there)
    matrix = sparse.csr_matrix((np.ones(len(columns), np.float32), (learnt.users[kept], columns)), shape=shape)
    likeness = (matrix.T @ matrix).toarray()
    norms = np.sqrt(np.maximum(likeness.diagonal(), 1))
    likeness /= norms[:, None] * norms
    np.fill_diagonal(likeness, 0)
    likeness[there < 0] = likeness[:, there < 0] = 0  # where a list ends
    lengths = (lists[sample] >= 0).sum(axis=1)
    sums = likeness[places[:, :, None], places[:, None, :]].sum(axis=(1, 2))
    found[sample] = 1 - sums / (lengths * (lengths - 1))
    return found
