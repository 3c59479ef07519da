"""What is drawn from the replay memory is what was lived through, over one step or several."""

from __future__ import annotations

import numpy as np
import pytest

from headwater.control.replay import Replay
from headwater.control.worlds import Step
from headwater.errors import ResourceError

KIND = (1, np.dtype(np.int64))


def lived(replay: Replay, ends: dict[int, bool], steps: int) -> None:
    """Observations count the steps, rewards are 1; `ends`: at which steps an episode ends, and whether it is over."""
    for number in range(steps):
        now = np.full((replay.count, 1), number, np.float32)
        over, ended = ends.get(number, False), number in ends
        step = Step(
            now + 1, np.ones(replay.count, np.float32), np.full(replay.count, over), np.full(replay.count, ended)
        )
        replay.add(now, np.zeros((replay.count, 1), np.int64), step)


def test_a_step_that_only_began_an_episode_is_never_drawn():
    replay = Replay(20, 2, 1, np.dtype(np.float32), KIND)
    lived(replay, {2: False}, 3)
    idle = np.array([False, True])
    far = Step(np.full((2, 1), 99, np.float32), np.zeros(2, np.float32), np.zeros(2, bool), np.zeros(2, bool), idle)
    replay.add(np.full((2, 1), 98, np.float32), np.zeros((2, 1), np.int64), far)
    drawn = replay.sample(np.random.default_rng(0), (200,), discount=0.5, steps=2)
    # Of the second place the last step before is drawn instead; of the first the same step was one like any other.
    assert (replay.now[3, :, 0].tolist(), replay.ended[3].tolist()) == ([98, 2], [False, True])
    assert set(drawn.after[drawn.now[:, 0] == 2, 0].tolist()) == {3.0}
    # Each of the three steps of that place is drawn as often as the others; the other place has four.
    drawn = replay.sample(np.random.default_rng(0), (24_000,), discount=0.5)
    assert np.bincount(drawn.now[:, 0].astype(int))[[0, 1, 2, 98]] == pytest.approx([7000, 7000, 7000, 3000], rel=0.05)


def test_several_steps_end_with_their_episode():
    replay = Replay(20, 2, 1, np.dtype(np.float32), KIND)
    lived(replay, {3: True, 6: False}, 9)
    drawn = replay.sample(np.random.default_rng(0), (400,), discount=0.5, steps=3)
    worth = {1: 1.0, 2: 1.5, 3: 1.75}
    # After the third step the episode is over; after the sixth it was cut; behind the eighth there is nothing yet.
    lengths = {0: 3, 1: 3, 2: 2, 3: 1, 4: 3, 5: 2, 6: 1, 7: 2, 8: 1}
    for now, after, reward, left in zip(
        drawn.now[:, 0], drawn.after[:, 0], drawn.rewards, drawn.discounts, strict=True
    ):
        steps = lengths[int(now)]
        assert after == now + steps
        assert reward == worth[steps]
        assert left == (0.0 if int(after) == 4 else 0.5**steps)
    assert set(drawn.now[:, 0].astype(int).tolist()) == set(lengths)


def test_the_oldest_give_way_and_all_comes_back():
    replay = Replay(8, 2, 1, np.dtype(np.float32), KIND)
    lived(replay, {}, 11)
    assert len(replay) == 8
    again = Replay(8, 2, 1, np.dtype(np.float32), KIND)
    again.restore({name: values.copy() for name, values in replay.arrays().items()})
    for one in (replay, again):
        drawn = one.sample(np.random.default_rng(1), (3, 50), discount=1.0, steps=2)
        assert set(drawn.now.reshape(-1).astype(int).tolist()) == {7, 8, 9, 10}
        assert drawn.after.max() == 11
    replay.cut()
    assert replay.ended[2].all()


def test_what_does_not_fit_into_memory_is_refused():
    with pytest.raises(ResourceError, match="The memory of what was lived through would be too large"):
        Replay(10**6, 1, 10**6, np.dtype(np.float32), KIND)
