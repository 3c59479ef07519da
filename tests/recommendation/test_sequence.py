import numpy as np
import pytest
import torch
from tests.recommendation.tastes import known, made, run_in

from headwater.errors import SettingError
from headwater.recommendation.interactions import Histories
from headwater.recommendation.recommender import Asked, Known
from headwater.recommendation.sequence import Gru, Lstm, Rnn, Sasrec, _SequenceLearner
from headwater.recommendation.validation import Validation
from headwater.recommendation.windows import Windows, latest

RING = 8
SMALL = {"history": 6, "width": 16, "layers": 1, "dropout": 0.0}
QUICK = {"epochs": 40, "learning_rate": 0.01, "patience": 40}


def ring(users=40):
    """Each user goes round a ring of items, from where the number of the user says; one item is never met."""
    steps = 6
    flat = [(user, (user + step) % RING, step) for user in range(users) for step in range(steps)]
    people, items, times = zip(*flat, strict=True)
    return Known(made(people, items, times, n_items=RING + 1))


def small(kind, **settings):
    return kind(kind.Settings(**{**SMALL, **settings}))


def after(model, *histories):
    return model.scores(Asked.new(Histories.of_lists(histories, n_items=model.n_items)))


def new(scores, *had):
    """The best item of those that were not had."""
    return int(np.delete(np.arange(RING), had)[np.delete(scores[:RING], had).argmax()])


@pytest.mark.parametrize("kind", [Rnn, Lstm, Gru, Sasrec])
def test_the_next_item_is_told(kind, tmp_path):
    model = small(kind).fit(ring(), None, run_in(tmp_path / "run", **QUICK))
    scores = after(model, [2, 3, 4, 5, 6], [5, 6, 7, 0, 1], [])
    assert [new(scores[0], 2, 3, 4, 5, 6), new(scores[1], 5, 6, 7, 0, 1)] == [7, 2]
    assert np.isfinite(scores[:, :RING]).all()
    assert np.isneginf(scores[:, RING]).all()
    assert model.trace.stages[0].score > 0.5


@pytest.mark.parametrize("kind", [Gru, Sasrec])
def test_only_the_latest_items_count_and_rows_do_not_depend_on_others(kind, tmp_path):
    model = small(kind, history=4).fit(ring(8), None, run_in(tmp_path / "run", epochs=1))
    long, cut, other = [4, 4, 7, 0, 1, 2, 3], [0, 1, 2, 3], [6, 7]
    together = after(model, long, other, cut, [])
    np.testing.assert_allclose(together[0], together[2], atol=1e-6)
    alone = np.concatenate([after(model, row) for row in (long, other, cut, [])])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_sample_of_other_items_is_enough(tmp_path):
    model = small(Gru, negatives=4).fit(ring(), None, run_in(tmp_path / "run", **QUICK))
    assert model.network.items.sampled == 4
    assert new(after(model, [2, 3, 4, 5, 6])[0], 2, 3, 4, 5, 6) == 7


def test_what_is_held_out_chooses_the_epoch(tmp_path):
    world = ring()
    last = world.interactions.times == 5
    known_ones, held_out = world.interactions.take(~last), world.interactions.take(last)
    model = small(Gru).fit(Known(known_ones), held_out, run_in(tmp_path / "run", **QUICK))
    best = max(epoch["score"] for epoch in model.trace.curve)
    validation = Validation.of(known_ones, held_out)
    assert np.isclose(validation.log_chances(model.scores).mean(), best)
    assert model.trace.stages[0].score == validation.gains(model.scores).mean()


def test_a_killed_training_ends_as_an_unbroken_one(tmp_path):
    settings = {**QUICK, "epochs": 4}
    whole = small(Gru, dropout=0.3).fit(ring(), None, run_in(tmp_path / "whole", **settings))

    class Killed(Gru):
        def scores(self, asked):
            if list((tmp_path / "cut").glob("checkpoint*")) and not getattr(self, "told", False):
                self.told = True
                raise KeyboardInterrupt
            return super().scores(asked)

    with pytest.raises(KeyboardInterrupt):
        small(Killed, dropout=0.3).fit(ring(), None, run_in(tmp_path / "cut", **settings))
    resumed = small(Gru, dropout=0.3).fit(ring(), None, run_in(tmp_path / "cut", **settings))
    assert len(resumed.trace.curve) == len(whole.trace.curve)
    np.testing.assert_array_equal(after(resumed, [1, 2]), after(whole, [1, 2]))


def test_a_width_that_heads_do_not_divide_is_refused(tmp_path):
    with pytest.raises(SettingError, match=r"The width of an item's vector is no multiple of 3 heads.*Got 16"):
        small(Sasrec, heads=3).fit(ring(), None, run_in(tmp_path / "run", epochs=1))


def test_windows_hold_every_item_once():
    histories = Histories.of_users(known().interactions)
    windows = Windows.of(histories, longest=4)
    assert windows.lengths.tolist() == [2, 4] * len(histories)
    before, items = windows.padded(np.array([0, 1]))
    first = histories.of(0).tolist()
    assert before.tolist() == [[20, first[0], 0, 0], first[1:5]]
    assert items.tolist() == [[*first[:2], -1, -1], first[2:]]


def test_the_latest_items_are_read_and_short_histories_begin_with_their_beginning():
    inputs, lengths = latest(Histories.of_lists([[], [5], [1, 2, 3, 4], [6, 7, 0]], n_items=9), longest=3)
    assert lengths.tolist() == [1, 2, 3, 3]
    assert inputs.tolist() == [[9, 0, 0], [9, 5, 0], [2, 3, 4], [6, 7, 0]]
    assert latest(Histories.of_lists([[]], n_items=9), longest=3)[0].tolist() == [[9]]


def test_losses_do_not_depend_on_how_rows_are_cut(tmp_path):
    world, run = ring(), run_in(tmp_path / "run", epochs=1)
    model = small(Gru).fit(world, None, run)
    windows = Windows.of(Histories.of_users(world.interactions), 4)
    learner = _SequenceLearner(model, windows, Validation.of(world.interactions, world.interactions))
    whole, parts = learner.loss(np.arange(10)), [learner.loss(np.arange(start, start + 5)) for start in (0, 5)]
    torch.testing.assert_close(whole, sum(parts))
