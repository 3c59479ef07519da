"""Why items were recommended: which items of a history speak for each, looked at for a whole list at once."""

from __future__ import annotations

from typing import Final

import numpy as np

from headwater.recommendation.interactions import Histories
from headwater.recommendation.lists import blocks
from headwater.recommendation.recommender import Asked, Recommender

LATEST: Final = 200
"""The items of a history that are looked at, unless somebody says otherwise."""


def falls(model: Recommender, history: np.ndarray, items: np.ndarray) -> np.ndarray:
    """By how much the scores of items fall without each item of a history.

    Args:
        model: a fitted one.
        history: positions of items, the latest last.
        items: positions of those that were recommended.

    Returns:
        Float64 of shape (history, items).
    """
    lists = [history.tolist(), *(np.delete(history, place).tolist() for place in range(len(history)))]
    asked = Asked.new(Histories.of_lists(lists, model.n_items))
    found = _scores(model, asked, items).astype(np.float64)
    # Without its only item a history is none, and the score what is popular: no measure of the item.
    return found[0] - (found[1:] if len(history) > 1 else np.zeros((len(history), 1)))


def _scores(model: Recommender, asked: Asked, items: np.ndarray) -> np.ndarray:
    """The scores of some items alone, float32 of shape (rows, items)."""
    factors = getattr(model, "factors", None)
    if factors is not None:
        vectors, all_items, biases = factors(asked)
        return vectors @ all_items[items].T + biases[items]
    return np.concatenate([model.scores(asked.take(rows))[:, items] for rows in blocks(len(asked), model.n_items)])


def reasons(
    model: Recommender, history: np.ndarray, items: np.ndarray, most: int, latest: int = LATEST
) -> list[list[tuple[int, float]]]:
    """For each recommended item the items of the history that speak most for it, and by how much.

    Args:
        model: a fitted one.
        history: positions of items, the latest last.
        items: positions of those that were recommended.
        most: how many reasons each gets.
        latest: how many items of a longer history are looked at.
    """
    near = history[-latest:]
    if not len(near) or not len(items):
        return [[] for _ in items]
    found = falls(model, near, items)
    order = np.argsort(-found, axis=0, kind="stable")[:most]
    return [
        [(int(near[place]), float(found[place, column])) for place in order[:, column] if found[place, column] > 0]
        for column in range(len(items))
    ]
