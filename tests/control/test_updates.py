"""One update of each agent, beside what torch's own differentiation makes of the loss in its paper."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from headwater.control.actor_critic import ActorCritic, ActorCriticSettings
from headwater.control.ddpg import Ddpg, DdpgSettings
from headwater.control.dqn import Dqn, DqnSettings
from headwater.control.policies import Gaussian
from headwater.control.replay import Batch
from headwater.control.spaces import Box, Choices, Discrete

SEEN = Box((3,), (-1.0,), (1.0,))
NUMBERS = Box((2,), (-2.0, 0.0), (2.0, 6.0))
MIDDLE, REACH = torch.tensor([0.0, 3.0]), torch.tensor([2.0, 3.0])
ROWS, RATE = 32, 1e-3


def torch_of(net):
    """The same network in torch."""
    layers = []
    for weights, biases in net._layers:
        layer = nn.Linear(*weights.shape)
        layer.weight.data, layer.bias.data = torch.tensor(weights.T.copy()), torch.tensor(biases.copy())
        layers += [layer, nn.Tanh() if net.tanh else nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def slopes(net):
    """The gradients of a network in torch, in the order of our parameters."""
    layers = [layer for layer in net if isinstance(layer, nn.Linear)]
    return np.concatenate([part.numpy().T.ravel() for one in layers for part in (one.weight.grad, one.bias.grad)])


def same(ours, theirs):
    assert np.abs(theirs).max() > 1e-3
    np.testing.assert_allclose(ours, theirs, atol=2e-6)


def moved(target, random, by=0.2):
    """Puts a target network some way off the one that it was copied from."""
    target.parameters += by * random.standard_normal(target.parameters.shape).astype(np.float32)


def batch_of(random, actions, size=1.0):
    """Transitions, of which some are the last of their episode."""
    now, after = (random.standard_normal((1, ROWS, SEEN.size)).astype(np.float32) for _ in range(2))
    rewards = (size * random.standard_normal((1, ROWS))).astype(np.float32)
    discounts = ((random.random((1, ROWS)) < 0.7) * 0.9).astype(np.float32)
    return Batch(now, after, actions.sample(random, ROWS)[None], rewards, discounts)


def lesson_of(random):
    return SimpleNamespace(rate=RATE, random=random, notes={}, progress=0.0)


def log_and_entropy(told, free, actions, kind):
    """The logarithm of the probability of actions, and the entropy of what they were drawn from."""
    if isinstance(kind, Choices):
        parts = [torch.distributions.Categorical(logits=part) for part in told.split(kind.counts, 1)]
        logs = [part.log_prob(torch.tensor(actions[:, place])) for place, part in enumerate(parts)]
        return sum(logs), sum(part.entropy() for part in parts)
    normal = torch.distributions.Normal(told, free.exp().expand_as(told))
    return normal.log_prob(torch.tensor(actions)).sum(1), normal.entropy().sum(1)


@pytest.mark.parametrize("kind", [Choices((3, 2)), NUMBERS])
@pytest.mark.parametrize("clip", [0.1, 0.0])
def test_an_actor_moves_along_the_clipped_surrogate(kind, clip):
    random = np.random.default_rng(0)
    own = ActorCriticSettings(hidden=(8,), entropy=0.03, clip_range=clip, passes=1)
    agent = ActorCritic(own, SEEN, kind)
    agent.actor.last[:] *= 100
    agent.free[:] = 0.3 * random.standard_normal(agent.free.shape)
    now = random.standard_normal((ROWS, SEEN.size)).astype(np.float32)
    outputs = agent._outputs(agent.actor(now))
    actions = agent.chances.draw(outputs, random)
    # As if the policy had moved since: some probabilities are farther from what they were than they may be.
    before = agent.chances.log(outputs, actions) + 0.2 * random.standard_normal(ROWS)
    gained = 3 + 5 * random.standard_normal(ROWS)
    agent._toward_gain(now, actions, gained, before)

    net, free = torch_of(agent.actor), torch.tensor(agent.free, requires_grad=True)
    logs, entropy = log_and_entropy(net(torch.tensor(now)), free, actions, kind)
    better = torch.tensor((gained - gained.mean()) / gained.std())
    ratio = (logs - torch.tensor(before)).exp()
    held = ratio.clamp(1 - clip, 1 + clip) if clip else ratio
    (-torch.min(ratio * better, held * better).mean() - 0.03 * entropy.mean()).backward()
    same(agent.actor.gradient, slopes(net))
    if agent.chances.free:
        same(agent._by_free, free.grad.numpy())


def test_a_critic_moves_toward_its_aims():
    random = np.random.default_rng(0)
    agent = ActorCritic(ActorCriticSettings(hidden=(8,)), SEEN, Discrete(2))
    agent.begin(1)
    now, aims = random.standard_normal((ROWS, SEEN.size)).astype(np.float32), random.standard_normal(ROWS)
    net = torch_of(agent.critic)
    nn.functional.mse_loss(net(torch.tensor(now))[:, 0], torch.tensor(aims, dtype=torch.float32)).backward()
    nn.utils.clip_grad_norm_(net.parameters(), 0.5)
    agent._toward_worth(now, aims, RATE)
    same(agent.critic.gradient, slopes(net))


@pytest.mark.parametrize("kind", [Choices((3, 2)), NUMBERS])
def test_an_actor_is_pulled_to_what_was_shown(kind):
    random = np.random.default_rng(0)
    agent = ActorCritic(ActorCriticSettings(hidden=(8,)), SEEN, kind)
    now, actions = random.standard_normal((ROWS, SEEN.size)).astype(np.float32), kind.sample(random, ROWS)
    net = torch_of(agent.actor)
    told = net(torch.tensor(now))
    if kind is NUMBERS:
        loss = (told - (torch.tensor(actions) - MIDDLE) / REACH).square().sum(1).mean()
    else:
        loss = -log_and_entropy(told, None, actions, kind)[0].mean()
    loss.backward()
    agent._pull(now, actions)
    same(agent.actor.gradient, slopes(net))


def test_chances_have_no_spread_beyond_its_ends():
    chances, action = Gaussian(SEEN), np.ones((1, 3))
    ends = {end: chances.log(np.array([[0.0] * 3 + [float(end)] * 3]), action) for end in (-9, -5, 1, 2, 9)}
    assert ends[9] == ends[2] != ends[1]
    assert ends[-9] == ends[-5]


def test_what_an_agent_makes_of_raw_numbers_is_undone():
    chances = Gaussian(NUMBERS)
    raw = NUMBERS.sample(np.random.default_rng(0), ROWS)
    np.testing.assert_allclose(chances.raw(chances.own(raw)), raw, atol=1e-6)
    assert chances.own(np.array([[-2.0, 6.0], [0.0, 3.0]])).tolist() == [[-1, 1], [0, 0]]


def worths(net, raw, *, dueling):
    outputs = net(torch.tensor(raw))
    return outputs[:, :1] + outputs[:, 1:] - outputs[:, 1:].mean(1, keepdim=True) if dueling else outputs


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("dueling", [False, True])
@pytest.mark.parametrize("tau", [0.0, 0.25])
def test_dqn_moves_along_the_huber_loss_of_its_aims(double, dueling, tau):
    random = np.random.default_rng(0)
    own = DqnSettings(hidden=(8,), batch=ROWS, double=double, dueling=dueling, tau=tau)
    agent = Dqn(own, SEEN, Discrete(3))
    agent.begin(1)
    moved(agent.target, random)
    drawn = batch_of(random, Discrete(3), size=2)
    agent.replay = SimpleNamespace(sample=lambda *_, **__: drawn)
    learner, target, was = torch_of(agent.learner), torch_of(agent.target), agent.target.parameters.copy()
    agent._update(lesson_of(random), 1)

    rows = torch.arange(ROWS)
    with torch.no_grad():
        follows = worths(target, drawn.after[0], dueling=dueling)
        best = (worths(learner, drawn.after[0], dueling=dueling) if double else follows).argmax(1)
        aims = torch.tensor(drawn.rewards[0]) + torch.tensor(drawn.discounts[0]) * follows[rows, best]
    held = worths(learner, drawn.now[0], dueling=dueling)[rows, torch.tensor(drawn.actions[0, :, 0])]
    # Near and far from the aims, where the loss is a square and where it is a line.
    assert 0.2 < ((held - aims).abs() > 1).float().mean() < 0.8
    nn.functional.smooth_l1_loss(held, aims).backward()
    same(agent.learner.gradient, slopes(learner))
    np.testing.assert_allclose(agent.target.parameters, was + tau * (agent.learner.parameters - was), atol=1e-6)


def ddpg_of(random, **own):
    agent = Ddpg(DdpgSettings(hidden=(8,), batch=ROWS, tau=0.25, **own), SEEN, NUMBERS)
    agent.actor.last[:] *= 3
    agent.begin(1)
    for target in agent.targets:
        moved(target, random, 0.3)
    return agent


def within(made, *, inverting):
    return made.clamp(-1, 1) if inverting else torch.tanh(made)


@pytest.mark.parametrize("own", [{}, {"inverting": True}, {"twin": True}])
def test_the_critics_of_ddpg_move_toward_what_their_targets_say(own):
    random = np.random.default_rng(0)
    agent, drawn = ddpg_of(random, **own), batch_of(random, NUMBERS)
    nets, (actor, *targets) = list(map(torch_of, agent.critics)), map(torch_of, agent.targets)
    now, after, actions = (torch.tensor(rows[0]) for rows in (drawn.now, drawn.after, drawn.actions))
    with torch.no_grad():
        best = within(actor(after), inverting="inverting" in own)
        if "twin" in own:
            blur = torch.tensor(np.random.default_rng(7).standard_normal((ROWS, 2)), dtype=torch.float32)
            best = (best + (0.2 * blur).clamp(-0.5, 0.5)).clamp(-1, 1)
        follows = torch.cat([target(torch.cat([after, best], 1)) for target in targets], 1).amin(1)
        aims = torch.tensor(drawn.rewards[0]) + torch.tensor(drawn.discounts[0]) * follows
    agent._judge(drawn, 0, RATE, np.random.default_rng(7))
    for critic, net in zip(agent.critics, nets, strict=True):
        nn.functional.mse_loss(net(torch.cat([now, (actions - MIDDLE) / REACH], 1))[:, 0], aims).backward()
        same(critic.gradient, slopes(net))


@pytest.mark.parametrize("inverting", [False, True])
def test_the_actor_of_ddpg_climbs_its_critic(inverting):
    random = np.random.default_rng(0)
    agent = ddpg_of(random, inverting=inverting)
    if inverting:
        agent.actor.last[:] *= 100
    raw = random.standard_normal((ROWS, SEEN.size)).astype(np.float32)
    net, critic, now = torch_of(agent.actor), torch_of(agent.critics[0]), torch.tensor(raw)
    made = net(now)
    chosen = within(made, inverting=inverting)
    loss = -critic(torch.cat([now, chosen], 1)).mean()
    if inverting:
        # The critic's own slope, by the room that is left on the side to which it leads.
        leaf = chosen.detach().requires_grad_()
        slope = torch.autograd.grad(-critic(torch.cat([now, leaf], 1)).mean(), leaf)[0]
        loss = (made * slope * torch.where(slope < 0, 1 - made, 1 + made).detach() / 2).sum()
    loss.backward()
    agent._climb(raw, lesson_of(random))
    same(agent.actor.gradient, slopes(net))


@pytest.mark.parametrize("inverting", [False, True])
def test_the_actor_of_ddpg_is_pulled_to_what_was_shown(inverting):
    random = np.random.default_rng(0)
    agent = ddpg_of(random, inverting=inverting)
    raw, actions = random.standard_normal((ROWS, SEEN.size)).astype(np.float32), NUMBERS.sample(random, ROWS)
    net = torch_of(agent.actor)
    made = net(torch.tensor(raw))
    chosen = made if inverting else torch.tanh(made)
    (chosen - (torch.tensor(actions) - MIDDLE) / REACH).square().sum(1).mean().backward()
    agent._pull(raw, actions)
    same(agent.actor.gradient, slopes(net))


@pytest.mark.parametrize("twin", [False, True])
def test_with_two_critics_actor_and_targets_move_every_second_time(twin):
    random = np.random.default_rng(0)
    agent, drawn = ddpg_of(random, twin=twin), batch_of(random, NUMBERS)
    for turn in range(1, 5):
        actor, was = agent.actor.parameters.copy(), [target.parameters.copy() for target in agent.targets]
        agent._update(drawn, 0, lesson_of(random))
        moves = not twin or turn % 2 == 0
        assert (agent.actor.parameters != actor).any() == moves
        for target, old, net in zip(agent.targets, was, agent._nets, strict=True):
            np.testing.assert_allclose(target.parameters, old + 0.25 * moves * (net.parameters - old), atol=1e-6)
