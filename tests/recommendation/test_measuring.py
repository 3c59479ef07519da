"""Metrics equal what they are by their definition, user by user."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import ndcg_score, roc_auc_score
from tests.recommendation.shelves import interactions, random_pairs

from headwater.recommendation import lists, measuring
from headwater.recommendation.biases import Biases
from headwater.recommendation.interactions import Histories
from headwater.recommendation.measuring import Question, Told
from headwater.recommendation.popularity import Popularity
from headwater.recommendation.recommender import Asked

USERS, ITEMS, K = 12, 30, 5


class _Fixed(Popularity):
    """Gives each row scores that were drawn before, by its position among the users."""

    rates = True

    def __init__(self, table: np.ndarray) -> None:
        super().__init__()
        self.table, self.n_items = table, table.shape[1]

    def scores(self, asked: Asked) -> np.ndarray:
        return self.table[asked.users]


@pytest.fixture
def question() -> tuple[_Fixed, Question]:
    random = np.random.default_rng(0)
    model = _Fixed(random.random((USERS, ITEMS)).astype(np.float32))
    picked = [random.permutation(ITEMS) for _ in range(USERS)]
    seen = Histories.of_lists([row[:6].tolist() for row in picked], ITEMS)
    relevant = Histories.of_lists([row[6 : 8 + user % 7].tolist() for user, row in enumerate(picked)], ITEMS)
    asked = Asked(seen, np.arange(USERS, dtype=np.int32))
    return model, Question(asked, relevant, seen, None, K)


def test_metrics_equal_their_definitions(question: tuple[_Fixed, Question], monkeypatch: pytest.MonkeyPatch) -> None:
    model, asked = question
    monkeypatch.setattr(lists, "CELLS", 5 * ITEMS)
    found = measuring.rank(model, asked)
    for user in range(USERS):
        rest = np.setdiff1d(np.arange(ITEMS), asked.seen.of(user))
        right = np.isin(rest, asked.relevant.of(user))
        scores = model.table[user, rest]
        order = rest[np.argsort(-scores)][:K]
        hits = np.isin(order, asked.relevant.of(user))
        assert found.lists[user].tolist() == order.tolist()
        wanted = {
            "ndcg": ndcg_score([right.astype(float)], [scores], k=K),
            "auc": roc_auc_score(right, scores),
            "recall": hits.sum() / right.sum(),
            "precision": hits.mean(),
            "average_precision": np.mean([hits[: place + 1].mean() if hits[place] else 0 for place in range(K)])
            * K / min(K, right.sum()),
            "mrr": 1 / (1 + hits.argmax()) if hits.any() else 0,
            "hit": float(hits.any()),
        }  # fmt: skip
        assert {name: float(found.of_users[name][user]) for name in wanted} == pytest.approx(wanted)


def test_only_allowed_items_are_ranked(question: tuple[_Fixed, Question]) -> None:
    model, asked = question
    mask = np.zeros(ITEMS, dtype=bool)
    mask[asked.relevant.items] = True
    mask[:3] = True
    found = measuring.rank(model, Question(asked.asked, asked.relevant, asked.seen, mask, K))
    assert mask[found.lists[found.lists >= 0]].all()
    rest = np.setdiff1d(np.flatnonzero(mask), asked.seen.of(0))
    area = roc_auc_score(np.isin(rest, asked.relevant.of(0)), model.table[0, rest])
    assert found.of_users["auc"][0] == pytest.approx(area)


def test_equal_scores_are_half_a_chance() -> None:
    model = _Fixed(np.zeros((1, 10), np.float32))
    asked = Asked(Histories.of_lists([[0]], 10), np.zeros(1, np.int32))
    relevant = Histories.of_lists([[3, 7]], 10)
    assert measuring.rank(model, Question(asked, relevant, asked.histories, None, 3)).of_users["auc"].tolist() == [0.5]


def test_what_lists_are_beside_right() -> None:
    learnt = interactions([(0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (3, 2), (3, 0)], users=6, items=5)
    found, coverage = measuring.beyond(np.array([[0, 1], [0, 2], [3, -1]]), learnt, seed=0)
    cosine = {(0, 1): 2 / np.sqrt(6), (0, 2): 1 / np.sqrt(6)}
    np.testing.assert_allclose(found["diversity"], [1 - cosine[0, 1], 1 - cosine[0, 2], np.nan], rtol=1e-5)
    np.testing.assert_allclose(found["novelty"], [-(np.log2(3 / 4) + np.log2(2 / 4)) / 2] * 2 + [2.0])
    np.testing.assert_allclose(found["popular_share"], [0.5, 0.5, 0.0])
    assert coverage == 4 / 5


def test_errors_of_ratings_are_those_of_each_user() -> None:
    model = _Fixed(np.array([[1.0, 2.0], [4.0, 5.0]], np.float32))
    ratings = interactions([(0, 0), (0, 1), (1, 1)], ratings=[2, 2, 3])
    asked = Asked(Histories.of_lists([[], []], 2), np.arange(2, dtype=np.int32))
    found = measuring.errors(model, asked, np.arange(2), ratings)
    # The true ratings lie between 2 and 3, which no guess may draw on.
    assert found.tolist() == [[1.0, 1.0, 2.0], [4.0, 2.0, 1.0]]


def test_biases_keep_to_the_scale_that_they_learnt() -> None:
    known = interactions([(0, item) for item in range(8)] + [(1, 0)], ratings=[5] * 8 + [4])
    found = Biases.of(known)
    outside = replace(found, items=found.items + np.where(np.arange(8) < 4, 9, -9))
    assert outside.ratings(np.zeros(8, np.int32), np.arange(8)).tolist() == [5.0] * 4 + [4.0] * 4


def test_biases_solve_their_equations() -> None:
    pairs = random_pairs(20, 15, 0.6)
    random = np.random.default_rng(2)
    up, down = random.normal(size=20), random.normal(size=15)
    known = interactions(pairs, ratings=[3 + up[user] + down[item] for user, item in pairs])
    found = Biases.of(known)
    above = known.values - found.mean - found.items[known.items]
    sums, counts = np.bincount(known.users, above, 20), np.bincount(known.users, minlength=20)
    np.testing.assert_allclose(found.users, sums / (15 + counts), atol=1e-8)
    guessed = found.ratings(known.users, known.items)
    assert np.mean((guessed - known.values) ** 2) < 0.7 * known.values.var()
    assert found.ratings(np.array([-1]), np.array([0]))[0] == pytest.approx(found.mean + found.items[0])


def _told(found: list[bool], ndcg: list[float]) -> dict[str, Told]:
    return {"one": Told({"ndcg": np.array(ndcg)}, np.zeros((len(ndcg), 1), int), np.array(found))}


def test_items_are_grouped_by_a_third_of_the_interactions_each() -> None:
    # Items have 4, 3, 2, 2 and 1 of 12 interactions: thirds end after 4 and 8 of them.
    learnt = interactions([(user, item) for item, many in enumerate((4, 3, 2, 2, 1)) for user in range(many)])
    relevant = Histories.of_lists([[0, 1, 2], [3, 4]], 5)
    rows = measuring.by_popularity(_told([True, False, True, True, False], [0.0, 0.0]), relevant, learnt)
    assert [(row["group"].split(":")[1], row["count"], row["scores"]["one"]) for row in rows] == [
        (" 1 items", 1, 1.0), (" 2 items", 2, 0.5), (" 2 items", 2, 0.5),
    ]  # fmt: skip


def test_users_are_grouped_by_how_long_their_history_is() -> None:
    rows = measuring.by_activity(_told([], [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]), np.array([1, 1, 2, 3, 5, 9]))
    assert [(row["group"], row["count"]) for row in rows] == [
        ("1 to 1 items", 2),
        ("2 to 3 items", 2),
        ("4 to 9 items", 2),
    ]
    assert [row["scores"]["one"] for row in rows] == pytest.approx([0.1, 0.5, 0.9])
    alike = measuring.by_activity(_told([], [0.0, 1.0]), np.array([4, 4]))
    assert [(row["group"], row["count"]) for row in alike] == [("4 to 4 items", 2)]
