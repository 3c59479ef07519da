"""From rows that a test consists of to the question that is measured: for whom, what was right, what is left out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from headwater.data.records import Records
from headwater.errors import DataError
from headwater.recommendation import preparing
from headwater.recommendation.cleaning import ids_of
from headwater.recommendation.ids import Ids
from headwater.recommendation.interactions import Histories, Interactions
from headwater.recommendation.kept import Kept
from headwater.recommendation.measuring import Question
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
    codes = ids_of(records.table.column("user"))[0]
    names = Ids(codes.dictionary.to_pylist())
    rows = preparing.of_records(records, names, kept.item_ids)
    notes = []
    if unknown := int((rows.items < 0).sum()):
        notes.append(f"{unknown:,} rows of items that were not there to learn from are left out.")
    rows = rows.take(rows.items >= 0)
    if not len(rows):
        raise DataError(
            "No row is of an item that the application knows", where=records.name, got=f"{len(records)} rows",
            fix="Give rows with items that it was made from.",
        )  # fmt: skip
    rows = rows.take(preparing.latest_pairs(rows))
    rated = rows if rows.rated else None
    liked = (
        rows if settings.relevant_from is None or not rows.rated else rows.take(rows.values >= settings.relevant_from)
    )
    if not len(liked):
        raise DataError(
            "No rating is as high as what counts as liked", where="--relevant-from", got=settings.relevant_from,
            accepted=f"at most {rows.values.max():g}",
        )  # fmt: skip
    measured = np.unique(liked.users)
    if len(measured) > _MOST:
        notes.append(f"Of {len(measured):,} users {_MOST:,}, drawn at random, were measured.")
        measured = np.sort(np.random.default_rng(settings.seed).permutation(measured)[:_MOST])
    place = np.full(len(names), -1, dtype=np.int64)
    place[measured] = np.arange(len(measured))
    users = kept.user_ids.positions([names[user] for user in measured.tolist()])
    if strangers := int(((users < 0) | (kept.histories.lengths[np.maximum(users, 0)] == 0)).sum()):
        notes.append(f"{strangers:,} users have no history: they get what is popular.")
    relevant = _histories(liked, place, len(measured))
    asked = kept.asked(users)
    repeated = _learnt_again(asked.histories, relevant)
    if repeated.any():
        again = f"{int(repeated.sum()):,} of these rows are known already"
        notes.append(f"{again}: the scores are better than on new ones.")
    seen = _without_asked(asked.histories, relevant) if settings.exclude_seen else None
    allowed = None
    if rule.cold:
        learnt = kept.learnt_from()
        allowed = np.bincount(learnt.items, minlength=len(kept.item_ids)) == 0
        allowed[relevant.items] = True
    question = Question(asked, relevant, seen, allowed, settings.k)
    # Of a cold test the protocol itself says which items are ranked.
    protocol = rule.protocol if rule.cold else f"{rule.protocol}; every other item is ranked"
    return Tested(question, protocol, users, _ratings(rated, place), notes)


def _ratings(rated: Interactions | None, place: np.ndarray) -> Interactions | None:
    if rated is None:
        return None
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


def _learnt_again(histories: Histories, relevant: Histories) -> np.ndarray:
    """Whether each right item is in the history already."""
    return np.isin(_pairs(relevant), _pairs(histories))


def _without_asked(histories: Histories, relevant: Histories) -> Histories:
    """The histories without the items that are asked about."""
    kept = ~np.isin(_pairs(histories), _pairs(relevant))
    rows = np.repeat(np.arange(len(histories)), histories.lengths)[kept]
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(histories)))]).astype(np.int64)
    return Histories(starts, histories.items[kept], histories.values[kept], histories.n_items)
