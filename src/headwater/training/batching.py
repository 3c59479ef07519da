"""Rows into batches of like length, so that little of a batch is padding."""

from __future__ import annotations

import numpy as np

_STEPS_SORTED_TOGETHER = 50


def by_length(lengths: np.ndarray, token_budget: int, max_rows: int = 1024) -> list[np.ndarray]:
    """Cuts rows into batches, longest first, whose padded size stays within a budget.

    Longest first, so that a batch too large for the memory shows at once and the buffers of later batches fit into
    those of the first.

    Args:
        lengths: the tokens of each row, shape (rows,).
        token_budget: the most tokens in a batch, padding included; a longer row is a batch of its own.
        max_rows: the most rows in a batch.

    Returns:
        Positions of rows, one array a batch; every row is in exactly one.

    Example:
        >>> [batch.tolist() for batch in by_length(np.array([2, 9, 3, 4]), token_budget=9)]
        [[1], [3, 2], [0]]
    """
    order = np.argsort(-lengths, kind="stable")
    batches, start = [], 0
    while start < len(order):
        rows = int(token_budget // max(1, lengths[order[start]]))
        stop = start + min(max(1, rows), max_rows)
        batches.append(order[start:stop])
        start = stop
    return batches


def epoch_batches(lengths: np.ndarray, batch_size: int, generator: np.random.Generator) -> list[np.ndarray]:
    """Cuts a shuffled epoch into steps of rows of like length.

    Rows are sorted only among the fifty steps they were shuffled into, and the steps are shuffled again: the steps of
    two epochs differ, and neither long nor short rows come first.

    Args:
        lengths: the tokens of each row, shape (rows,).
        batch_size: the rows of a step; one step holds the remainder.
        generator: where the order comes from.

    Returns:
        Positions of rows, one array a step; every row is in exactly one.
    """
    order = generator.permutation(len(lengths))
    steps: list[np.ndarray] = []
    size = batch_size * _STEPS_SORTED_TOGETHER
    for pool in (order[start : start + size] for start in range(0, len(order), size)):
        alike = pool[np.argsort(-lengths[pool], kind="stable")]
        steps.extend(alike[start : start + batch_size] for start in range(0, len(alike), batch_size))
    return [steps[position] for position in generator.permutation(len(steps))]


def micro_batches(rows: np.ndarray, lengths: np.ndarray, token_budget: int) -> list[np.ndarray]:
    """Cuts the rows of one step into passes within a budget of padded tokens, longest first.

    Args:
        rows: positions of the step's rows.
        lengths: the tokens of every training row, shape (all rows,).
        token_budget: the most tokens in a pass, padding included.
    """
    return [rows[batch] for batch in by_length(lengths[rows], token_budget)]
