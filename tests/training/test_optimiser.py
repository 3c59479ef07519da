import subprocess
import sys

import torch
from torch import nn

from headwater.settings import Settings
from headwater.training.optimiser import AdamW, parameter_groups


def test_frozen_parameters_are_left_out_and_norms_do_not_decay():
    network = nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3), nn.Linear(3, 2))
    network[0].requires_grad_(requires_grad=False)
    decayed, plain = parameter_groups(network, Settings(weight_decay=0.5))
    assert [tuple(p.shape) for p in decayed["params"]] == [(2, 3)]
    assert [tuple(p.shape) for p in plain["params"]] == [(3,), (3,), (2,)]


def test_a_group_keeps_its_own_peak():
    first, second = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    made = AdamW([{"params": [first]}, {"params": [second], "lr": 0.5}], learning_rate=0.1)
    assert [group["peak"] for group in made.param_groups] == [0.1, 0.5]


def trained(make, steps, parameter=None, state=None):
    parameter = nn.Parameter(torch.linspace(-1, 1, 50)) if parameter is None else parameter
    optimiser = make(parameter)
    if state:
        optimiser.restore(state)
    for step in steps:
        parameter.grad = torch.sin(parameter.detach() * (step + 1))
        optimiser.step()
    return parameter, optimiser


def ours(parameter):
    return AdamW([{"params": [parameter], "weight_decay": 0.1}], 0.01)


def test_the_steps_are_those_of_torch():
    theirs, _ = trained(lambda p: torch.optim.AdamW([p], lr=0.01, weight_decay=0.1, foreach=False), range(5))
    torch.testing.assert_close(trained(ours, range(5))[0], theirs, rtol=1e-6, atol=1e-7)


def test_a_restored_optimiser_goes_on_where_it_was():
    unbroken, _ = trained(ours, range(6))
    half, optimiser = trained(ours, range(3))
    state = {name: moment.clone() for name, moment in optimiser.state().items()}
    assert torch.equal(trained(ours, range(3, 6), half, state)[0], unbroken)


def test_a_parameter_without_a_gradient_stays():
    parameter = nn.Parameter(torch.ones(2))
    optimiser = ours(parameter)
    optimiser.step()
    assert parameter.tolist() == [1, 1]
    assert optimiser.state() == {}


def test_training_does_not_import_the_compiler():
    code = """
import sys, torch
from headwater.training.optimiser import AdamW
p = torch.nn.Parameter(torch.ones(2))
p.sum().backward()
AdamW([{"params": [p]}], 0.1).step()
raise SystemExit("torch._dynamo" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_moments_come_back_in_the_order_of_their_parameter_in_memory():
    def start():
        torch.manual_seed(0)
        return nn.Parameter(torch.randn(4, 3, 3, 3).contiguous(memory_format=torch.channels_last))

    unbroken, _ = trained(ours, range(6), start())
    half, optimiser = trained(ours, range(3), start())
    state = {name: moment.clone(memory_format=torch.contiguous_format) for name, moment in optimiser.state().items()}
    assert torch.equal(trained(ours, range(3, 6), half, state)[0], unbroken)
