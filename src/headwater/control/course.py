"""A whole training, the same for every agent: lessons, scores between them, the best policy kept, checkpoints."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from threadpoolctl import threadpool_limits

from headwater.control.agent import Agent
from headwater.control.chance import Chance, generator, seeds_of
from headwater.control.cloning import clone
from headwater.control.curves import Curves
from headwater.control.demonstrations import Demonstrations
from headwater.control.episodes import Played, play
from headwater.control.lesson import Lesson
from headwater.control.rehearsing import Rehearsal
from headwater.control.stepping import together
from headwater.control.world import World
from headwater.control.worlds import Worlds
from headwater.errors import ArtifactError, DataError
from headwater.evaluation.intervals import normal
from headwater.options import counted
from headwater.progress import bar
from headwater.run import Run, never, write_whole

log = logging.getLogger("headwater")
FILE: Final = "training.safetensors"
_FEW, _MANY = 10, 40
"""How many episodes score each policy, and how many more the one that may be the best."""
_CHEAP: Final = 2
"""How many times as many where all are moved at once, which costs next to nothing."""
SPENT: Final = "the budget is used up"
_ANY: Final = (float("-inf"), float("inf"))
_CHEAP_WRITING: Final = 0.02
"""The share of its time that a training may always spend on checkpoints, however little time has passed."""


@dataclass(frozen=True)
class Plan:
    """How long, how wide and how fast an agent learns.

    Attributes:
        steps: of all environments together.
        envs: environments at once.
        lessons: parts of the training; after each the policy is scored.
        rate: the learning rate.
        seed: of every chance.
        name: which of several trainings it is of; empty of a single one.
    """

    steps: int
    envs: int
    lessons: int
    rate: float
    seed: int
    name: str = ""

    def end(self, lesson: int) -> int:
        """The steps that are done when a lesson is over: as many in each environment."""
        if not self.steps:
            return 0
        return max(1, round(self.steps * (lesson + 1) / self.lessons / self.envs)) * self.envs


@dataclass
class Standing:
    """Where a training stands between two lessons.

    Attributes:
        lesson: how many are over.
        done: how many steps.
        score: of the best policy, the mean return of its episodes.
        first: the same of the first of them, which every policy plays.
        low, high: the 95 % interval of `score`.
        bar: what a later policy has to reach to take its place: the highest score so far, less its standard error.
        at: after how many steps it was the best.
        seconds: how long it took so far.
        scoring: how many steps the episodes took that scored policies, which are none of `done`.
        curve: of every lesson the steps, the score, and the mean return and length while learning.
        stopped: why no more lessons followed; empty where all were.
        imitated: how the imitation of demonstrations went, if there were any, and what it was worth.
    """

    lesson: int = 0
    done: int = 0
    score: float = float("-inf")
    first: float = float("-inf")
    low: float = float("-inf")
    high: float = float("-inf")
    bar: float = float("-inf")
    at: int = 0
    seconds: float = 0.0
    scoring: int = 0
    curve: list[dict[str, Any]] = field(default_factory=list)
    stopped: str = ""
    imitated: dict[str, Any] = field(default_factory=dict)


def choosing(world: World) -> int:
    """By how many episodes the best policy is chosen."""
    return (_FEW + _MANY) * (_CHEAP if together(world) else 1)


class Course:
    """The training of one agent in one world.

    Attributes:
        standing: where it stands.
        best: the arrays of the best policy so far; empty before the first score.

    Args:
        agent: the one that learns.
        world: what it learns in.
        plan: how.
        run: where checkpoints and curves go, and how long it may take.
        shown: demonstrations that it imitates first.
    """

    def __init__(
        self, agent: Agent, world: World, plan: Plan, run: Run, shown: Demonstrations | None = None
    ) -> None:  # fmt: skip
        self.agent, self.world, self.plan, self.run, self.shown = agent, world, plan, run, shown
        self.standing, self.best = Standing(), dict[str, np.ndarray]()
        self._choosing = choosing(world)
        self._few = self._choosing * _FEW // (_FEW + _MANY)
        self._saved, self._writing, self._over, self._told = time.monotonic(), 0.0, False, False

    def train(self) -> Standing:
        """Learns through every lesson that is still to do, and leaves the agent with its best policy.

        Raises:
            DataError: the environment breaks down.
            ArtifactError: the checkpoint is damaged.
        """
        self.agent.begin(self.plan.envs)
        self._resume()
        curves = Curves(self.run.folder / "logs")
        longest = 0.0
        # The matrices of perceptrons are slower with several threads; those of torch are larger, and none of these.
        label = f"{self.plan.name}, steps" if self.plan.name else "steps"
        with threadpool_limits(1, user_api="blas"), bar(label, self.plan.end(self.plan.lessons - 1)) as shown:
            shown.advance(self.standing.done)
            if self.shown is not None:
                self.agent.rehearsal = Rehearsal(self.shown)
                if not self.standing.imitated:
                    self._imitate(self.shown)
            while self.standing.lesson < self.plan.lessons and not self._over and self._may_go_on(longest):
                began = time.monotonic()
                self._lesson(shown, curves)
                longest = max(longest, time.monotonic() - began)
                self.standing.seconds += time.monotonic() - began
                self._checkpoint()
            self._finish()
        curves.close()
        self.agent.follow(self.best)
        return self.standing

    def _finish(self) -> None:
        """Settles which policy is kept, and writes it down: a training that is over is never repeated."""
        if not self._over:
            self._settle()
            self._over = True
            self._checkpoint()

    def _imitate(self, shown: Demonstrations) -> None:
        """Learns from demonstrations, and scores what came of it, so that no later policy replaces a better one."""
        began = time.monotonic()
        cloned = clone(self.agent, shown, self.plan.rate, self.plan.seed, self.run.remaining)
        # Target networks begin as copies of what was learnt, and optimisers without its gradients.
        self.agent.begin(self.plan.envs)
        score, standing = self._score(), self.standing
        kept = appraised = 0
        if shown.lived is not None and self.plan.steps:
            kept = self.agent.relive(shown.lived)
            random = generator(self.plan.seed, Chance.APPRAISING)
            appraised = self.agent.appraise(shown.lived, self.plan.rate, random)
        standing.seconds += time.monotonic() - began
        standing.imitated = {
            **vars(cloned), "relived": kept, "appraised": appraised, "score": score, "low": standing.low,
            "high": standing.high, "seconds": time.monotonic() - began, "said": str(cloned),
        }  # fmt: skip
        log.info("%s, return %.4g", cloned, score)
        self._checkpoint()

    def _may_go_on(self, longest: float) -> bool:
        if self.standing.lesson and longest >= self.run.remaining():
            self.standing.stopped = SPENT
        elif self.standing.lesson and self.run.judge is not never:
            self.standing.stopped = self.run.judge(
                self.standing.lesson / self.plan.lessons, self.standing.curve[-1]["score"]
            )
        return not self.standing.stopped

    def _lesson(self, shown: Any, curves: Curves) -> None:
        number, standing = self.standing.lesson, self.standing
        before = standing.done
        worlds = Worlds(self.world, self.plan.envs, [self.plan.seed, Chance.TRAINING, number])
        random = generator(self.plan.seed, Chance.TRAINING, number, 1)
        lesson = Lesson(
            worlds, random, self.plan.rate, standing.done, self.plan.end(number),
            self.plan.end(self.plan.lessons - 1), shown,
        )  # fmt: skip
        self.agent.learn(lesson)
        worlds.close()
        self._refuse_diverged(lesson.done)
        shown.advance(lesson.done - shown.done)
        standing.lesson, standing.done = number + 1, lesson.done
        score = self._score()
        learning = {name: float(np.mean(values)) if values else float("nan")
                    for name, values in (("return", lesson.returns), ("length", lesson.lengths))}  # fmt: skip
        standing.curve.append({"step": lesson.done, "score": score, **learning})
        curves.write(lesson.done, score=score, **learning, **lesson.notes)
        log.info("%s", self._said(score, learning["return"]))
        if not lesson.lengths and not self._told:
            self._told = True
            log.warning(
                "No episode came to its end within a lesson of %s in each environment: what lies behind that is never "
                "learnt from. Give fewer --evaluations", counted((lesson.done - before) // self.plan.envs, "step"),
            )  # fmt: skip

    def _refuse_diverged(self, done: int) -> None:
        """Stops a training whose policy has become no numbers at all: nothing that follows could mend it.

        Raises:
            DataError: it has.
        """
        if all(np.isfinite(values).all() for values in self.agent.policy().values()):
            return
        raise DataError(
            "Learning has come to parameters that are not finite", where=self.world.name, got=f"after {done:,} steps",
            accepted="observations and rewards whose squares a float32 can hold",
            fix="Bring them near one with a wrapper, or give a lower --learning-rate.",
        )  # fmt: skip

    def _score(self) -> float:
        """The mean return of the present policy, which is kept where it is the best so far."""
        played = self._played(Chance.FIRST_SCORES, self._few)
        first = float(played.returns.mean())
        # So few episodes are too few to turn a good one down, unless they are clearly worse.
        if first >= self.standing.bar or first >= self.standing.first:
            both = played + self._played(Chance.MORE_SCORES, self._choosing - self._few)
            score, error = float(both.returns.mean()), float(both.returns.std() / self._choosing**0.5)
            # Of policies that chance alone may tell apart, the later one has learnt from more.
            if score >= self.standing.bar:
                self.standing.bar = max(self.standing.bar, score - error)
                self.standing.first, self.standing.at = first, self.standing.done
                self._note(both.returns)
                self.best = {name: values.copy() for name, values in self.agent.policy().items()}
            return score
        return first

    def _note(self, returns: np.ndarray) -> None:
        """Writes down what episodes say that the best policy is worth."""
        standing, mean = self.standing, float(returns.mean())
        found = normal(mean, float(returns.std() / len(returns) ** 0.5), rows=len(returns), bounds=_ANY)
        standing.score, standing.low, standing.high = mean, found.low, found.high

    def _settle(self) -> None:
        """Lets the last policy of a whole training play against the best, in episodes that chose neither.

        The best of many scores is one that chance was kind to: by it a policy that has learnt for longer, and is no
        worse, may never take the place of a lucky one.
        """
        standing, last = self.standing, {name: values.copy() for name, values in self.agent.policy().items()}
        if standing.stopped or standing.at == standing.done:
            return
        after = self._played(Chance.SETTLING, self._choosing).returns
        self.agent.follow(self.best)
        before = self._played(Chance.SETTLING, self._choosing).returns
        self.agent.follow(last)
        returns = before
        if after.mean() >= before.mean() - before.std() / self._choosing**0.5:
            returns, standing.at, self.best = after, standing.done, last
            log.info("The last policy is kept: in new episodes its return is %.4g, that of the best so far %.4g",
                     after.mean(), before.mean())  # fmt: skip
        # Of whoever stays these episodes tell the worth without favour: they did not choose it among many.
        self._note(returns)

    def _played(self, which: Chance, count: int) -> Played:
        played = play(self.world, self.agent.act, seeds_of(self.plan.seed, which, count))
        self.standing.scoring += int(played.lengths.sum())
        return played

    def _said(self, score: float, learning: float) -> str:
        best = "the best so far" if self.standing.at == self.standing.done else f"best {self.standing.score:.4g}"
        which = f"{self.plan.name}, " if self.plan.name else ""
        while_learning = f"{learning:.4g} while learning" if np.isfinite(learning) else "no episode ended in learning"
        return f"{which}{self.standing.done:,} steps: return {score:.4g} ({while_learning}), {best}"

    def _checkpoint(self) -> None:
        since, setting = time.monotonic() - self._saved, self.run.settings.checkpoint_seconds
        if not self._over and since < setting and self._writing > _CHEAP_WRITING * since:
            return
        began = time.monotonic()
        parts = {"best": self.best}
        if not self._over:
            parts |= {"policy": self.agent.policy(), "memory": self.agent.memory()}
        arrays = {f"{part}/{name}": np.ascontiguousarray(values)
                  for part, named in parts.items() for name, values in named.items()}  # fmt: skip
        write_whole(self.run.folder / FILE, save(arrays, {"standing": json.dumps(vars(self.standing))}))
        self._saved = time.monotonic()
        self._writing = self._saved - began

    def _resume(self) -> None:
        file = self.run.folder / FILE
        if not file.exists():
            return
        try:
            with safe_open(file, framework="np") as opened:
                told = json.loads((opened.metadata() or {}).get("standing", ""))
                arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - not a dict
        except (SafetensorError, ValueError) as error:
            raise ArtifactError(
                "The checkpoint of this training is damaged", where=str(file), got=str(error),
                fix="Remove this file to train from the beginning.",
            ) from error  # fmt: skip
        self.standing = Standing(**told)
        log.info("goes on after %s steps", f"{self.standing.done:,}")
        self.best, policy = _part(arrays, "best"), _part(arrays, "policy")
        # What learns has no part any more in a training that is over.
        self._over = not policy
        if policy:
            self.agent.follow(policy)
            self.agent.remember(_part(arrays, "memory"))


def _part(arrays: Mapping[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    return {key.removeprefix(f"{name}/"): values for key, values in arrays.items() if key.startswith(f"{name}/")}
