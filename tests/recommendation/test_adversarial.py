import numpy as np
import torch
from tests.recommendation.tastes import COLD, known, run_in

from headwater.recommendation.adversarial import Gan, GanSettings, MakerAndJudge
from headwater.recommendation.interactions import Histories
from headwater.recommendation.recommender import Asked, Known

HAD = Histories.of_lists([[0, 2, 8], [1, 3, 9], []], n_items=20)


def test_what_is_made_up_follows_the_history(tmp_path):
    run = run_in(tmp_path / "run", epochs=60, learning_rate=0.01, patience=60)
    world = known().interactions
    last = world.times == 5
    model = Gan(GanSettings(width=16)).fit(Known(world.take(~last)), world.take(last), run)
    scores = model.scores(Asked.new(HAD))
    warm, grim = [item for item in range(0, 20, 2) if item not in COLD], [1, 3, 7, 9, 11, 13]
    assert scores[0, warm].mean() > scores[0, grim].mean()
    assert scores[1, warm].mean() < scores[1, grim].mean()
    assert np.isneginf(scores[:, list(COLD)]).all()
    assert np.isfinite(np.delete(scores, list(COLD), axis=1)).all()


def test_maker_and_judge_pull_apart():
    torch.manual_seed(0)
    pair = MakerAndJudge(6, GanSettings(width=8, zeros=0.0, adversary=1.0, dropout=0.0, negatives=0.0))
    had = torch.tensor([[1.0, 0, 0, 1, 0, 0]])
    pair.loss(had).backward()
    made = torch.sigmoid(pair["maker"](had)) * had
    fooled = torch.nn.functional.softplus(-pair["judge"](torch.cat([made, had], dim=1))).sum()
    caught = torch.nn.functional.softplus(pair["judge"](torch.cat([made.detach(), had], dim=1))).sum()
    real = torch.nn.functional.softplus(-pair["judge"](torch.cat([had, had], dim=1))).sum()
    wanted = torch.autograd.grad(fooled, list(pair["maker"].parameters()), retain_graph=True)
    for weight, gradient in zip(pair["maker"].parameters(), wanted, strict=True):
        torch.testing.assert_close(weight.grad, gradient)
    wanted = torch.autograd.grad(caught + real, list(pair["judge"].parameters()))
    for weight, gradient in zip(pair["judge"].parameters(), wanted, strict=True):
        torch.testing.assert_close(weight.grad, gradient)


def test_zeros_are_told_where_a_user_had_nothing():
    torch.manual_seed(0)
    quiet = GanSettings(width=8, zeros=1.0, adversary=0.0, dropout=0.0, negatives=1.0)
    pair = MakerAndJudge(4, quiet)
    had = torch.tensor([[1.0, 0, 0, 0]])
    pair.loss(had).backward()
    made = torch.sigmoid(pair["maker"](had))
    wanted = torch.autograd.grad((made[0, 1:] ** 2).sum(), list(pair["maker"].parameters()))
    for weight, gradient in zip(pair["maker"].parameters(), wanted, strict=True):
        torch.testing.assert_close(weight.grad, gradient)


def test_the_maker_is_shown_a_part_of_a_history_alone():
    torch.manual_seed(0)
    shy = MakerAndJudge(6, GanSettings(width=8, zeros=1.0, adversary=1.0, dropout=0.5, negatives=1.0))
    seen = []
    shy["maker"].register_forward_hook(lambda _, given, __: seen.append(given[0]))
    shy.loss(torch.ones(200, 6))
    assert set(seen[0].unique().tolist()) == {0.0, 2.0}
    assert 0.4 < float((seen[0] > 0).float().mean()) < 0.6
