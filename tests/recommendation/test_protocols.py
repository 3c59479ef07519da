"""Which interactions are held out."""

from __future__ import annotations

import numpy as np
import pytest
from tests.recommendation.shelves import interactions, random_pairs

from headwater.errors import DataError
from headwater.recommendation.protocols import GIVEN, TEST, TRAIN, VALID, Wanted, divided, sentence
from headwater.settings import PROTOCOLS

PAIRS = random_pairs(30, 20, 0.5)
KNOWN = interactions(PAIRS, times=np.random.default_rng(1).permutation(len(PAIRS)))


def test_the_same_seed_divides_alike() -> None:
    for protocol in PROTOCOLS[1:]:
        parts = [divided(KNOWN, Wanted(protocol, 0.25, 0.1, seed)) for seed in (3, 3, 4)]
        np.testing.assert_array_equal(parts[0], parts[1])
        assert protocol in ("time", "leave-last-out") or (parts[0] != parts[2]).any()


@pytest.mark.parametrize(("protocol", "of"), [("random", "users"), ("stratified", "items")])
def test_each_has_its_share_held_out(protocol: str, of: str) -> None:
    parts = divided(KNOWN, Wanted(protocol, 0.25, 0.0))
    counts = np.bincount(getattr(KNOWN, of))
    held = np.bincount(getattr(KNOWN, of), weights=parts == TEST)
    assert (np.abs(held - 0.25 * counts) <= 0.5).all()


def test_a_lonely_interaction_is_learnt_from() -> None:
    lonely = interactions([(0, 0), (1, 0), (1, 1)])
    for protocol in ("random", "leave-last-out"):
        assert divided(lonely, Wanted(protocol, 0.5, 0.0))[0] == TRAIN


def test_the_newest_are_the_test() -> None:
    parts = divided(KNOWN, Wanted("time", 0.2, 0.1))
    times = KNOWN.times
    assert times is not None
    assert times[parts == TEST].min() > times[parts == VALID].max() > times[parts == TRAIN].max()


def test_the_last_of_each_user_is_the_test_and_the_one_before_chooses() -> None:
    parts, times = divided(KNOWN, Wanted("leave-last-out", 0.2, 0.1)), KNOWN.times
    assert times is not None
    for user in range(30):
        own = parts[KNOWN.users == user][np.argsort(times[KNOWN.users == user])]
        assert own[-2:].tolist() == [VALID, TEST]
        assert (own[:-2] == TRAIN).all()


def test_whole_items_or_users_are_held_out() -> None:
    parts = divided(KNOWN, Wanted("cold-items", 0.2, 0.0))
    cold = set(KNOWN.items[parts == TEST].tolist())
    assert len(cold) == 4
    assert not cold & set(KNOWN.items[parts == TRAIN].tolist())
    parts = divided(KNOWN, Wanted("cold-users", 0.2, 0.0))
    cold = set(KNOWN.users[parts == TEST].tolist())
    assert len(cold) == 6
    assert cold == set(KNOWN.users[parts == GIVEN].tolist())
    assert not cold & set(KNOWN.users[parts == TRAIN].tolist())


def test_without_times_none_is_the_newest() -> None:
    with pytest.raises(DataError, match="the data must say when they were"):
        divided(interactions(PAIRS), Wanted("time", 0.2, 0.0))


def test_every_protocol_is_told_in_words() -> None:
    assert all(sentence(protocol, 0.25) for protocol in PROTOCOLS[1:])
    assert sentence("split", 0.2, "part") == "column part says which interactions are the test"
