"""Which answers are believed, and as what they stand among the training rows."""

from __future__ import annotations

import numpy as np
import pytest

from headwater.language.classification.tfidf import _folds
from headwater.settings import Settings
from headwater.transfer.classifier import Examples
from headwater.transfer.selftraining import Believed, believed, joined
from headwater.transfer.virtual import virtual

HALF = np.array([0.5, 0.5])


def _chances(*of_the_first: float) -> np.ndarray:
    return np.array([[chance, 1 - chance] for chance in of_the_first])


def _found(rows: list[int], classes: list[int]) -> Believed:
    return Believed(np.array(rows, np.intp), np.array(classes, np.intp))


def test_answers_below_the_gate_are_left_alone():
    found = believed(_chances(0.95, 0.85, 0.9, 0.6, 0.1, 0.11), HALF, confidence=0.9)
    assert dict(zip(found.rows.tolist(), found.classes.tolist(), strict=True)) == {0: 0, 4: 1}


@pytest.mark.parametrize(("share", "most"), [(0.5, 2), (0.6, 3), (0.75, 6), (1.0, 8), (0.0, 0)])
def test_the_classes_have_their_shares_and_the_surest_of_each(share: float, most: int):
    sure = np.array([0.91, 0.99, 0.93, 0.97, 0.92, 0.98, 0.94, 0.96])
    found = believed(_chances(*sure, 0.01, 0.02), np.array([share, 1 - share]), confidence=0.9)
    assert found.rows[found.classes == 0].tolist() == np.argsort(-sure)[:most].tolist()


def test_one_class_does_not_swallow_the_others():
    assert len(believed(_chances(*[0.99] * 50), HALF, confidence=0.9)) == 0


def test_many_classes_do_not_wait_for_the_scarcest():
    chances = np.eye(20)[np.repeat(np.arange(19), 3)]
    found = believed(chances, np.full(20, 1 / 20), confidence=0.9)
    assert np.bincount(found.classes).tolist() == [3] * 19


def test_no_answer_may_pass():
    assert len(believed(_chances(0.6, 0.4), HALF, confidence=0.9)) == 0


def test_the_same_is_believed_whatever_the_order():
    found = _found([3, 1], [0, 1])
    assert found.same(_found([1, 3], [1, 0]))
    assert not found.same(_found([3, 1], [0, 0]))
    assert not found.same(_found([3], [0]))
    assert not found.same(None)


def test_believed_rows_stand_behind_the_others_with_their_answers():
    train = Examples(["one", "two"], np.array([0, 1]), 2)
    both = joined(train, ["three", "four", "five"], _found([2, 0], [1, 0]), weight=0.3)
    assert both.inputs == ["one", "two", "five", "three"]
    assert both.targets.tolist() == [0, 1, 1, 0]
    assert both.weights is not None
    np.testing.assert_allclose(both.weights, [1, 1, 0.3, 0.3])


def test_a_believed_row_counts_against_what_a_labelled_one_does():
    train = Examples(["one", "two"], np.array([0, 1]), 2, weights=np.array([0.1, 0.5]))
    both = joined(train, ["three"], _found([0], [1]), weight=0.5)
    assert both.weights is not None
    np.testing.assert_allclose(both.weights, [0.1, 0.5, 0.15])


def test_it_counts_against_a_row_of_the_target_with_its_copies():
    train = Examples(
        ["one", "two", "one!", "far"], np.array([0, 1, 0, 1]), 2, weights=np.array([0.5, 1, 0.5, 0.1]),
        parent=np.array([0, 1, 0, 2]), of_source=np.arange(4) == 3,
    )  # fmt: skip
    both = joined(train, ["three"], _found([0], [1]), weight=0.5)
    assert both.weights is not None
    assert both.weights[-1] == 0.5


def test_believed_rows_are_copies_of_nothing_and_of_no_source():
    train = Examples(
        ["one", "two", "one!"], np.array([0, 1, 0]), 2, parent=np.array([4, 7, 4]),
        altered=np.array([False, False, True]), of_source=np.array([False, True, False]),
    )  # fmt: skip
    both = joined(train, ["three", "four"], _found([0, 1], [1, 1]), weight=1.0)
    assert both.parents.tolist() == [4, 7, 4, 8, 9]
    assert both.copies.tolist() == [2]
    assert both.drawn.tolist() == [0, 1]
    assert both.elsewhere.tolist() == [False, True, False, False, False]


def test_a_head_learns_from_believed_rows_and_is_not_measured_on_them():
    parents, altered = np.array([0, 1, 0]), np.array([False, False, True])
    weights = np.array([0.5, 1, 0.5])
    train = Examples(["one", "two", "one!"], np.array([0, 1, 0]), 2, weights, parent=parents, altered=altered)
    both = joined(train, ["three", "four"], _found([1, 0], [1, 0]), weight=0.3)
    features, rows, made, _ = virtual(np.arange(5.0)[:, None], both, Settings())
    assert features.ravel().tolist() == [0, 1]
    assert rows.inputs == ["one", "two"]
    assert made.features.ravel().tolist() == [2, 3, 4]
    np.testing.assert_allclose(made.weights, [0.5, 0.3, 0.3])
    assert [made.touched_by(np.array([held])).tolist() for held in (0, 1)] == [[0], []]


def test_the_folds_of_a_linear_model_hold_out_labelled_rows_alone():
    train = Examples([f"text {row}" for row in range(6)], np.arange(6) % 2, 2)
    more = [f"another {row}" for row in range(60)]
    both = joined(train, more, _found(list(range(60)), [0] * 60), weight=1.0)
    folds = _folds(both, seed=0)
    assert sorted(np.concatenate([held for _, held in folds]).tolist()) == list(range(6))
    assert all(len(held) == 2 for _, held in folds)
    assert all(set(range(6, 66)) <= set(rows.tolist()) for rows, _ in folds)
