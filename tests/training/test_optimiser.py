import torch
from torch import nn

from headwater.settings import Settings
from headwater.training.optimiser import adamw, parameter_groups


def test_frozen_parameters_are_left_out_and_norms_do_not_decay():
    network = nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3), nn.Linear(3, 2))
    network[0].requires_grad_(requires_grad=False)
    decayed, plain = parameter_groups(network, Settings(weight_decay=0.5))
    assert [tuple(p.shape) for p in decayed["params"]] == [(2, 3)]
    assert [tuple(p.shape) for p in plain["params"]] == [(3,), (3,), (2,)]


def test_a_group_keeps_its_own_peak():
    first, second = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    made = adamw([{"params": [first]}, {"params": [second], "lr": 0.5}], learning_rate=0.1)
    assert [group["peak"] for group in made.param_groups] == [0.1, 0.5]


def test_the_fused_optimiser_does_what_the_plain_one_does():
    results = []
    for make in (lambda p: adamw([{"params": [p], "weight_decay": 0.1}], 0.01), lambda p: torch.optim.AdamW(
        [p], lr=0.01, weight_decay=0.1, foreach=False
    )):  # fmt: skip
        parameter = nn.Parameter(torch.linspace(-1, 1, 50))
        optimiser = make(parameter)
        for step in range(5):
            parameter.grad = torch.sin(parameter.detach() * (step + 1))
            optimiser.step()
        results.append(parameter.detach())
    torch.testing.assert_close(*results, rtol=1e-6, atol=1e-7)
