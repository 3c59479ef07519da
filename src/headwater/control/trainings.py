"""Several trainings from one request, each with a seed of its own: what one differs from the next, and the best of all.

Training number k has the seed of the run plus k, and is what a run with that seed alone would learn. Each has a folder
of its own, so that one that came to its end is never repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from safetensors.numpy import load_file, save_file

from headwater.control.agent import Agent
from headwater.control.chance import Chance, seeds_of
from headwater.control.course import Plan, Standing, choosing
from headwater.control.episodes import Played, Policy, play
from headwater.control.world import World
from headwater.evaluation.control import iqm
from headwater.evaluation.trainings import Trainings
from headwater.run import Judge, Run, never

_SEEDS: Final = 2**32
FILE: Final = "trainings.safetensors"


@dataclass(frozen=True)
class Training:
    """One training that came to its end.

    Attributes:
        seed: of all its chances.
        standing: how it went.
        policy: the arrays of its best policy.
        returns: of the episodes by which one training is chosen of several; empty of a single one.
    """

    seed: int
    standing: Standing
    policy: Mapping[str, np.ndarray]
    returns: tuple[float, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """All but the policy."""
        return {"seed": self.seed, "standing": asdict(self.standing), "returns": list(self.returns)}

    @classmethod
    def from_json(cls, told: Mapping[str, Any], policy: Mapping[str, np.ndarray]) -> Self:
        """Takes back what `to_json` gave, with its policy."""
        return cls(told["seed"], Standing(**told["standing"]), policy, tuple(told["returns"]))


def turn(plan: Plan, run: Run, number: int) -> tuple[Plan, Run]:
    """How training number `number` of a run learns, and where: with its own seed, and its share of the budget left.

    Example:
        >>> from headwater.run import scratch
        >>> from headwater.settings import Settings
        >>> with scratch(Settings(trainings=3, budget="60s")) as run:
        ...     plan, own = turn(Plan(100, 1, 2, 0.1, 7), run, 1)
        >>> plan.seed, plan.name, own.folder.name, round(own.remaining())
        (8, 'training 2 of 3', 'seed-8', 30)
    """
    count = run.settings.trainings
    if count == 1:
        return plan, run.part("model")
    seed = (plan.seed + number) % _SEEDS
    own = run.part(f"seed-{seed}")
    if run.settings.budget is not None:
        share = max(0.0, run.remaining()) / (count - number)
        own = Run(replace(run.settings, budget=f"{share:.3f}s"), own.folder)
    own.judge = run.judge if run.judge is never else _shared(run.judge, number, count)
    return replace(plan, seed=seed, name=f"training {number + 1} of {count}"), own


def chosen(trainings: Sequence[Training], agent: Agent, world: World, seed: int) -> list[Training]:
    """The trainings, the best first, by episodes that are the same for all, and that none of them was chosen by.

    Args:
        trainings: that came to their end.
        agent: acts as each in turn, and at last as the best.
        world: to play in.
        seed: of the run.
    """
    found = list(trainings)
    if len(found) > 1:
        seeds = seeds_of(seed, Chance.CHOICE_OF_TRAINING, choosing(world))
        returns = [played.returns.tolist() for played in in_turn(found, agent, agent.act, world, seeds)]
        found = [replace(one, returns=tuple(own)) for one, own in zip(found, returns, strict=True)]
        found.sort(key=lambda one: -float(np.mean(one.returns)))
    agent.follow(found[0].policy)
    return found


def in_turn(
    trainings: Sequence[Training], agent: Agent, policy: Policy, world: World, seeds: Sequence[int]
) -> Iterator[Played]:
    """The episodes of the best policy of each training, by the same seeds; at last the agent has the first one again.

    Args:
        trainings: whose policies are played.
        agent: takes each of them.
        policy: how the agent acts by the policy that it has.
        world: to play in.
        seeds: one for each episode.
    """
    for one in trainings:
        agent.follow(one.policy)
        yield play(world, policy, seeds)
    agent.follow(trainings[0].policy)


def measured(trainings: Sequence[Training], played: Sequence[Played], seed: int) -> Trainings | None:
    """What the test episodes of several trainings tell of them; None of a single one.

    Args:
        trainings: the chosen one first.
        played: the same test episodes of each.
        seed: of the resampling.
    """
    if len(trainings) < 2:
        return None
    means = [float(np.mean(one.returns)) for one in trainings]
    returns = np.stack([one.returns for one in played])
    return Trainings([one.seed for one in trainings], returns, means, len(trainings[0].returns), seed)


def band(trainings: Sequence[Training], name: str) -> list[dict[str, Any]]:
    """The learning curve of all trainings: at each step the IQM over them, and the least and the most.

    A training that a budget stopped has no part in what follows. Of one training there is no band.

    Args:
        trainings: with a curve each.
        name: of what is told: `score` or `return`.
    """
    longest = max((one.standing.curve for one in trainings), key=len)
    rows = list[dict[str, Any]]()
    for place, row in enumerate(longest):
        at = [one.standing.curve[place][name] for one in trainings if place < len(one.standing.curve)]
        known = np.array([value for value in at if value is not None and np.isfinite(value)])
        middle = float(iqm(known)) if len(known) else float("nan")
        reach = {"low": float(known.min()), "high": float(known.max())} if len(known) > 1 else {}
        rows.append({"step": row["step"], "score": middle, **reach})
    return rows


def write(trainings: Sequence[Training], folder: Path) -> None:
    """Writes the policies of several trainings into one file."""
    save_file({f"{one.seed}/{name}": np.ascontiguousarray(values) for one in trainings
               for name, values in one.policy.items()}, folder / FILE)  # fmt: skip


def read(told: Sequence[Mapping[str, Any]], folder: Path) -> list[Training]:
    """Takes back what `write` wrote; `told` is what `Training.to_json` gave of each."""
    if not told:
        return []
    arrays = load_file(folder / FILE)
    return [Training.from_json(one, {name.partition("/")[2]: values for name, values in arrays.items()
                                     if name.startswith(f"{one['seed']}/")}) for one in told]  # fmt: skip


def _shared(judge: Judge, number: int, count: int) -> Judge:
    """A judge of one of several trainings, which are one training to it."""
    return lambda share, score: judge((number + share) / count, score)
