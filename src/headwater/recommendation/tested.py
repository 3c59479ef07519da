"""From rows that a test consists of to the question that is measured: for whom, what was right, what is left out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from headwater.data.records import Records
from headwater.errors import DataError
from headwater.recommendation import preparing
from headwater.recommendation.cleaning import ids_of
from headwater.recommendation.ids import Ids
from headwater.recommendation.interactions import Histories, Interactions
from headwater.recommendation.kept import Kept
from headwater.recommendation.measuring import Question
from headwater.recommendation.recommender import Asked
from headwater.settings import Settings

_MOST: int = 20_000
"""Users that are measured; of more, a random sample."""


@dataclass(frozen=True)
class Rule:
    """How an application was tested: its protocol in words, and whether unlearnt items alone were ranked."""

    protocol: str = "the rows that were given"
    cold: bool = False


@dataclass(frozen=True)
class Tested:
    """Rows of a test, ready to be measured.

    Attributes:
        question: for whom items are ranked.
        protocol: what the test was, in words.
        users: the position of each user of the question, -1 for one that is not known.
        ratings: the ratings of the test, whose `users` are rows of the question; None where there are none.
        notes: what a reader must know.
    """

    question: Question
    protocol: str
    users: np.ndarray
    ratings: Interactions | None
    notes: list[str] = field(default_factory=list)


def tested(records: Records, kept: Kept, settings: Settings, rule: Rule) -> Tested:
    """The question that some canonical rows ask.

    An item that is asked about is ranked, whether or not the user had to do with it before.

    Raises:
        DataError: no row is of a known item.
    """
    names = Ids(ids_of(records.table.column("user"))[0].dictionary.to_pylist())
    notes: list[str] = []
    rows = _known(records, names, kept, notes)
    liked = _liked(rows, settings)
    measured = _drawn(np.unique(liked.users), settings.seed, notes)
    place = np.full(len(names), -1, dtype=np.int64)
    place[measured] = np.arange(len(measured))
    users = kept.user_ids.positions([names[user] for user in measured.tolist()])
    relevant = _histories(liked, place, len(measured))
    asked = _before(kept, users, _histories(rows, place, len(measured)))
    notes += _cautions(kept, users, asked, relevant)
    seen = asked.histories.only(~_stands_in(asked.histories, relevant)) if settings.exclude_seen else None
    allowed = _cold(kept, relevant) if rule.cold else None
    question = Question(asked, relevant, seen, allowed, settings.k)
    # Of a cold test the protocol itself says which items are ranked.
    protocol = rule.protocol if rule.cold else f"{rule.protocol}; every other item is ranked"
    return Tested(question, protocol, users, _ratings(rows, place) if rows.rated else None, notes)


def _known(records: Records, names: Ids, kept: Kept, notes: list[str]) -> Interactions:
    """The rows of known items, each pair once, with a note of those left out."""
    rows = preparing.of_records(records, names, kept.item_ids)
    if unknown := int((rows.items < 0).sum()):
        notes.append(f"{unknown:,} rows of items that were not there to learn from are left out.")
    rows = rows.take(rows.items >= 0)
    if not len(rows):
        raise DataError(
            "No row is of an item that the application knows", where=records.name, got=f"{len(records)} rows",
            fix="Give rows with items that it was made from.",
        )  # fmt: skip
    return rows.take(preparing.latest_pairs(rows))


def _liked(rows: Interactions, settings: Settings) -> Interactions:
    """The rows that count as right: all, or those rated as high as the settings say."""
    if settings.relevant_from is None or not rows.rated:
        return rows
    liked = rows.take(rows.values >= settings.relevant_from)
    if not len(liked):
        raise DataError(
            "No rating is as high as what counts as liked", where="--relevant-from", got=settings.relevant_from,
            accepted=f"at most {rows.values.max():g}",
        )  # fmt: skip
    return liked


def _drawn(users: np.ndarray, seed: int, notes: list[str]) -> np.ndarray:
    """The users that are measured: all, or a sample with a note of it."""
    if len(users) <= _MOST:
        return users
    notes.append(f"Of {len(users):,} users {_MOST:,}, drawn at random, were measured.")
    return np.sort(np.random.default_rng(seed).permutation(users)[:_MOST])


def _cautions(kept: Kept, users: np.ndarray, asked: Asked, relevant: Histories) -> list[str]:
    """What makes scores worse or better than those of users and items as they come."""
    notes = []
    if strangers := int(((users < 0) | (kept.histories.lengths[np.maximum(users, 0)] == 0)).sum()):
        notes.append(f"{strangers:,} users have no history: they get what is popular.")
    if repeated := int(_stands_in(relevant, asked.histories).sum()):
        notes.append(f"{repeated:,} of these rows are known already: the scores are better than on new ones.")
    return notes


def _cold(kept: Kept, relevant: Histories) -> np.ndarray:
    """A mask of the items that nothing was learnt of, and of those that are asked about."""
    learnt = kept.learnt_from()
    mask = np.bincount(learnt.items, minlength=len(kept.item_ids)) == 0
    mask[relevant.items] = True
    return mask


def _before(kept: Kept, users: np.ndarray, rows: Histories) -> Asked:
    """The question about users as it was before these rows of theirs.

    What was held out of the fit to compare models on is kept with all else, for those who ask later: a model that was
    shown it would be told what it is asked.
    """
    asked, apart = kept.asked(users), kept.unlearnt(users)
    held_out = apart.only(_stands_in(apart, rows))
    return replace(asked, histories=asked.histories.only(~_stands_in(asked.histories, held_out)))


def _ratings(rated: Interactions, place: np.ndarray) -> Interactions:
    """The ratings of the users that are measured, by their rows."""
    kept = rated.take(place[rated.users] >= 0)
    return Interactions(
        place[kept.users].astype(np.int32), kept.items, kept.values, None, kept.user_ids, kept.item_ids, rated=True
    )


def _histories(liked: Interactions, place: np.ndarray, rows: int) -> Histories:
    known = liked.take(place[liked.users] >= 0)
    of = place[known.users]
    order = np.argsort(of, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(of, minlength=rows))]).astype(np.int64)
    return Histories(starts, known.items[order], known.values[order], len(known.item_ids))


def _pairs(histories: Histories) -> np.ndarray:
    rows = np.repeat(np.arange(len(histories), dtype=np.int64), histories.lengths)
    return rows * histories.n_items + histories.items


def _stands_in(histories: Histories, others: Histories) -> np.ndarray:
    """Whether each item of some histories is in the same row of others, shape (interactions,)."""
    return np.isin(_pairs(histories), _pairs(others))
