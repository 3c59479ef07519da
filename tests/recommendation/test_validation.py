import numpy as np
from tests.recommendation.tastes import known, made

from headwater.recommendation.validation import Validation, divided


def test_what_is_held_out_stays_as_it_is():
    learnt, unseen = made([0, 1], [0, 1]), made([0], [1])
    assert divided(learnt, unseen) == (learnt, unseen)


def test_the_last_items_of_some_users_are_held_out_where_nothing_is():
    all_of_them = known().interactions
    learnt, unseen = divided(all_of_them, None)
    assert unseen.users.tolist() == [0, 10, 20]
    assert unseen.times.tolist() == [5, 5, 5]
    assert len(learnt) == len(all_of_them) - 3
    assert [len(part) for part in divided(made([0, 0], [0, 1]), None)] == [2, 0]


def test_the_score_is_the_gain_of_the_ranks_among_what_was_not_had():
    learnt, unseen = made([0, 0, 1], [0, 1, 2], n_items=5), made([0, 1, 1], [3, 0, 1], n_users=2, n_items=5)
    validation = Validation.of(learnt, unseen)
    scores = np.array([[9, 8, 7, 6, 5], [5, 1, 9, 4, 3]], np.float32)
    assert validation.asked.users.tolist() == [0, 1]
    # User 0: item 3 is second behind 2. User 1: item 0 is first; item 1, in whose way 0 does not stand, is third.
    wanted = np.mean([1 / np.log2(3), np.mean([1, 1 / np.log2(4)])])
    assert np.isclose(validation.gains(lambda asked: scores[asked.users].copy()).mean(), wanted)


def test_items_that_cannot_be_recommended_bring_nothing():
    validation = Validation.of(made([0], [0], n_items=3), made([0], [1], n_items=3))
    assert validation.gains(lambda asked: np.array([[1, -np.inf, 2]], np.float32)).tolist() == [0]
    assert Validation.of(made([0], [0]), made([0], [0]).take(np.array([], int))).gains(
        lambda asked: asked
    ).tolist() == [0]


def test_where_nothing_can_be_recommended_chances_are_the_least():
    validation = Validation.of(made([0], [0], n_items=3), made([0], [1], n_items=3))
    least = validation.log_chances(lambda asked: np.array([[1, -np.inf, -np.inf]], np.float32))
    assert np.isfinite(least).all()
    assert least[0] < np.log(1e-6)


def test_chances_are_those_among_what_was_not_had():
    learnt, unseen = made([0, 0], [0, 1], n_items=5), made([0, 0], [3, 4], n_items=5)
    scores = np.array([[9, 8, 1, 2, -np.inf]], np.float32)
    chance = np.log(np.exp(2) / (np.exp(1) + np.exp(2)))
    found = Validation.of(learnt, unseen).log_chances(lambda asked: scores.copy())
    np.testing.assert_allclose(found, [(chance - 50) / 2])
