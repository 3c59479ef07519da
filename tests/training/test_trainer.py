import json
import os
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tests.training.learners import ROWS, Small, run_in, weights
from torch import nn

from headwater.errors import ArtifactError, ResourceError, SettingError
from headwater.training.trainer import Trainer


def fitted(folder, learner=None, **settings):
    learner = learner or Small(dropout=settings.pop("dropout", 0.0))
    return learner, Trainer(run_in(folder, **settings)).fit(learner)


@pytest.fixture
def folders(tmp_path):
    made = [tmp_path / name for name in "abc"]
    for folder in made:
        folder.mkdir()
    return made


class Worsening(Small):
    """Scores fall from the second epoch on."""

    scores = (0.5, 0.9, 0.8, 0.7, 0.6, 0.5)

    def __init__(self):
        super().__init__()
        self.scored, self.seen = 0, []

    def score(self):
        self.scored += 1
        self.seen.append(weights(self))
        return self.scores[self.scored - 1]


def test_a_training_learns_and_tells_of_it(folders):
    learner, history = fitted(folders[0], epochs=20)
    assert history.best_score >= 0.9
    assert [epoch.step for epoch in history.epochs] == [5 * n for n in range(1, len(history.epochs) + 1)]
    assert history.epochs[-1].loss < history.epochs[0].loss
    assert not learner.network.training
    assert learner.score() == history.best_score


def test_small_passes_give_the_gradient_of_the_large_batch(folders):
    whole, _ = fitted(folders[0], token_budget=4096)
    cut, _ = fitted(folders[1], token_budget=16)
    torch.testing.assert_close(weights(whole), weights(cut), rtol=0, atol=1e-6)


def test_a_step_is_adamw_on_the_mean_loss(folders):
    learner, _ = fitted(folders[0], epochs=1, batch_size=ROWS, clip=0, warmup=0, weight_decay=0)
    expected = Small()
    expected.train_mode()
    optimiser = torch.optim.AdamW(expected.network.parameters(), lr=0.01, weight_decay=0)
    (expected.loss(np.arange(ROWS)) / ROWS).backward()
    optimiser.step()
    torch.testing.assert_close(weights(learner), weights(expected), rtol=0, atol=1e-6)


def test_the_gradient_is_clipped(folders):
    gradients = []

    class Clipped(Trainer):
        def _is_finite(self, loss, norm):
            gradients.append((norm, nn.utils.get_total_norm([p.grad for p in self._parameters]).item()))
            return super()._is_finite(loss, norm)

    Clipped(run_in(folders[0], clip=0.01)).fit(Small())
    assert all(before > 0.01 for before, _ in gradients)
    assert [after for _, after in gradients] == pytest.approx([0.01] * len(gradients), rel=1e-3)


def test_the_same_seed_gives_the_same_weights_and_another_does_not(folders):
    (a, _), (b, _), (c, _) = (
        fitted(folder, dropout=0.3, seed=seed) for folder, seed in zip(folders, (1, 1, 2), strict=True)
    )
    assert torch.equal(weights(a), weights(b))
    assert not torch.equal(weights(a), weights(c))


def test_the_random_numbers_of_the_caller_go_on(folders):
    learner = Small()
    before = torch.random.get_rng_state()
    fitted(folders[0], learner)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_patience_is_a_quarter_of_the_epochs_and_three_at_least(folders):
    for folder, epochs, stops in ((folders[0], 8, 2 + 3), (folders[1], 16, 2 + 4)):
        _, history = fitted(folder, Worsening(), epochs=epochs)
        assert len(history.epochs) == stops


def test_a_training_of_one_epoch_says_that_it_was_the_only_one(folders):
    assert fitted(folders[0], epochs=1)[1].stopped == "the only epoch is done"
    assert fitted(folders[1], epochs=2)[1].stopped == "all 2 epochs are done"


def test_patience_ends_a_training_and_the_best_weights_stay(folders):
    learner, history = fitted(folders[0], Worsening(), epochs=6, patience=2)
    assert history.stopped == "2 epochs brought no better score"
    assert (history.best_epoch, history.best_score, len(history.epochs)) == (2, 0.9, 4)
    assert torch.equal(weights(learner), learner.seen[1])


def test_the_budget_ends_a_training_within_an_epoch(folders):
    _, history = fitted(folders[0], budget="0s")
    assert history.stopped == "the budget of 0s leaves no time for another epoch"
    assert [epoch.step for epoch in history.epochs] == [1]


def test_the_budget_ends_a_training_before_an_epoch_that_would_overrun(folders):
    run = run_in(folders[0], budget="1000s")
    trainer = Trainer(run)

    class Slow(Small):
        def score(self):
            run.started -= 600
            trainer._clock -= 600
            return super().score()

    assert trainer.fit(Slow()).stopped == "the budget of 1000s leaves no time for another epoch"
    assert trainer.at.epoch == 1


def test_a_finished_training_is_not_done_again(folders):
    learner, history = fitted(folders[0])
    again, recalled = fitted(folders[0])
    assert recalled == history
    assert torch.equal(weights(again), weights(learner))


def test_ctrl_c_leaves_a_checkpoint_from_which_the_training_goes_on(folders):
    class Interrupted(Small):
        calls = 0

        def loss(self, rows):
            self.calls += 1
            if self.calls == 7:
                os.kill(os.getpid(), signal.SIGINT)
            return super().loss(rows)

    unbroken, history = fitted(folders[0], dropout=0.3)
    with pytest.raises(KeyboardInterrupt):
        fitted(folders[1], Interrupted(dropout=0.3))
    resumed = Small(dropout=0.3)
    trainer = Trainer(run_in(folders[1]))
    recalled = trainer.fit(resumed)
    assert torch.equal(weights(resumed), weights(unbroken))
    assert [epoch.loss for epoch in recalled.epochs] == [epoch.loss for epoch in history.epochs]


def test_ctrl_c_while_scoring_leaves_a_checkpoint_too(folders):
    class Interrupted(Small):
        def score(self):
            raise KeyboardInterrupt

    unbroken, _ = fitted(folders[0], dropout=0.3)
    with pytest.raises(KeyboardInterrupt):
        fitted(folders[1], Interrupted(dropout=0.3))
    resumed, _ = fitted(folders[1], dropout=0.3)
    assert torch.equal(weights(resumed), weights(unbroken))


def test_a_checkpoint_of_another_training_is_refused(folders):
    fitted(folders[0])
    with pytest.raises(ArtifactError, match=r"that of a training with other data, .* Remove this file"):
        fitted(folders[0], learning_rate=0.02)


def test_passes_that_do_not_fit_are_made_smaller(folders, caplog):
    class Large(Small):
        def loss(self, rows):
            if len(rows) > 3:
                torch.empty(2**60, dtype=torch.uint8)
            return super().loss(rows)

    expected, _ = fitted(folders[0], dropout=0.0)
    learner, _ = fitted(folders[1], Large())
    torch.testing.assert_close(weights(learner), weights(expected), rtol=0, atol=1e-6)
    assert "from here on a pass has at most" in caplog.text


def test_one_row_that_does_not_fit_is_told(folders):
    class Huge(Small):
        def loss(self, rows):
            torch.empty(2**60, dtype=torch.uint8)
            return super().loss(rows)

    with pytest.raises(ResourceError, match="One row alone does not fit into the memory"):
        fitted(folders[0], Huge())


def test_other_errors_of_a_model_are_not_swallowed(folders):
    class Broken(Small):
        def loss(self, rows):
            raise RuntimeError("shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        fitted(folders[0], Broken())


class NotFinite(Small):
    """The loss of a row that is not a number is not one either."""

    def __init__(self, rows):
        super().__init__()
        self.inputs[rows] = torch.nan

    def score(self):
        return 0.0


def test_a_step_that_is_not_finite_is_left_out(folders, caplog):
    learner, _ = fitted(folders[0], NotFinite([3]))
    assert torch.isfinite(weights(learner)).all()
    assert "is left out: its gradient is not finite" in caplog.text


def test_a_loss_that_is_never_finite_is_told(folders):
    with pytest.raises(SettingError, match=r"--learning-rate: The gradient is not finite in 10 steps .* Lower it"):
        fitted(folders[0], NotFinite(slice(None)))


def test_learning_curves_are_written_for_tensorboard(folders):
    _, history = fitted(folders[0])
    events = EventAccumulator(str(folders[0] / "logs")).Reload()
    assert len(events.Scalars("loss")) == 15
    assert [event.value for event in events.Scalars("score")] == pytest.approx([e.score for e in history.epochs])
    assert {"learning_rate", "tokens_per_second"} <= set(events.Tags()["scalars"])


def test_half_precision_learns_too(folders):
    _, history = fitted(folders[0], epochs=20, precision="bf16")
    assert history.best_score >= 0.85


def test_training_in_a_thread_works(folders):
    stopped = []
    thread = threading.Thread(target=lambda: stopped.append(fitted(folders[0])[1].stopped))
    thread.start()
    thread.join()
    assert stopped == ["all 3 epochs are done"]


def test_the_checkpoint_of_a_finished_training_holds_the_best_weights_only(folders):
    from safetensors import safe_open

    fitted(folders[0])
    with safe_open(folders[0] / "checkpoint.safetensors", framework="pt") as file:
        assert {name.split("/")[0] for name in file.keys()} == {"best"}  # noqa: SIM118 - not a dict
        assert json.loads(file.metadata()["state"])["position"]["history"]["stopped"]


def test_a_judge_stops_a_training_between_two_epochs(folders):
    told = []

    def judge(share, score):
        told.append((share, score))
        return "it lags behind" if len(told) == 3 else ""

    learner = Worsening()
    run = replace(run_in(folders[0], epochs=6, patience=6), judge=judge)
    history = Trainer(run).fit(learner)
    assert told == [(1 / 6, 0.5), (2 / 6, 0.9), (3 / 6, 0.8)]
    assert history.stopped == "it lags behind"
    assert torch.equal(weights(learner), learner.seen[1])


def test_a_learner_is_told_the_rows_of_this_step_and_the_next(folders):
    class Told(Small):
        def __init__(self):
            super().__init__()
            self.coming, self.learnt = [], []

        def ahead(self, rows):
            self.coming.append(rows.tolist())

        def loss(self, rows):
            assert set(rows.tolist()) <= {row for part in self.coming[-2:] for row in part}
            self.learnt.append(rows.tolist())
            return super().loss(rows)

    learner, _ = fitted(folders[0], Told(), epochs=1)
    assert sorted(row for part in learner.learnt for row in part) == list(range(ROWS))
    assert learner.coming[0::2] == [learner.coming[0], *learner.coming[1:-1:2]], (
        "each step is told once before its time"
    )
    assert len(learner.coming) == 2 * len(learner.learnt) - 1
