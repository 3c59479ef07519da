"""Control: what to do next, so that the sum of what comes of it is the largest?"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import numpy as np

from headwater import catalog, options
from headwater.application import Application, Marks, Predictions, Stage, Trace
from headwater.control import filming, making, observing, random_play, recording, trainings
from headwater.control.agent import Agent
from headwater.control.chance import Chance, generator, seeds_of
from headwater.control.cloning import agreement
from headwater.control.course import SPENT, Course, Plan, Standing, choosing
from headwater.control.episodes import Played, Policy, at_random, play
from headwater.control.observing import Observed
from headwater.control.preparing import Ground, Part, ground, refuse_chances
from headwater.control.presets import OF_RUN, preset
from headwater.control.spaces import Space, alike
from headwater.control.trainings import Training
from headwater.control.world import World, world_of
from headwater.data.gathering import Gathered
from headwater.data.records import Records
from headwater.data.traits import Traits
from headwater.errors import DataError, HeadwaterError
from headwater.evaluation.control import Agents
from headwater.evaluation.report import Report
from headwater.foundation.origin import Origin
from headwater.run import Run, scratch, write_whole

log = logging.getLogger("headwater")
BEST: Final = "best"
"""Where the best policy so far is saved, within the work of a run, when its environment breaks down."""
_PART: Final = 4096
_STATE, _AGENT = "control.json", "agent"


class Control(Application):
    """Acts in an environment so that the sum of its rewards is the largest, which it learns by doing.

    Attributes:
        agent: the one that acts.
        world: the environment that it learnt in.
        standing: how its training went.
        trainings: all that it is the best of, itself the first.

    Example:
        >>> from headwater.settings import Settings
        >>> app = Control("q-learning", Settings(steps=20_000, episodes=20), decay=0.5)
        >>> app.fit("CliffWalking-v1").predict([36]).labels
        [0]
    """

    task: ClassVar[str] = "control"
    input_setting: ClassVar[str] = "observation"

    def __init__(self, model: str | None = None, settings: Any = None, **model_settings: Any) -> None:
        super().__init__(model or catalog.task(self.task).default_model, settings, **model_settings)
        self.agent: Agent | None = None
        self.world: World | None = None
        self.standing = Standing()
        self.trainings: list[Training] = []
        self._run: Run | None = None
        self._told = dict[str, Any]()

    @property
    def fitted(self) -> bool:
        return self.agent is not None

    @property
    def input_columns(self) -> tuple[str, ...] | None:
        return (self.settings.observation or observing.COLUMN,)

    @property
    def observations(self) -> Space:
        """What it observes."""
        return self._fitted.observations

    def prepare(self, source: Any, *, want_test: bool = True) -> Ground:
        self._refuse_chances()
        world = world_of(source, self.settings.env, self.settings.episode_limit)
        shown = self.held.get("demonstrations", self.settings.demonstrations)
        return ground(world, self.settings, self._plan(world).steps, choosing(world), shown)

    def fit(self, records: Any, valid: Any = None, *, run: Run | None = None) -> Self:
        if run is None:
            with scratch(self.settings) as temporary:
                self.fit(records, valid, run=temporary)
            self._run = None
            return self
        options.check_fields(options.check(self.settings), self.task, catalog.task(self.task).fields)
        self.report = self.config = None
        self._learn(records if isinstance(records, Ground) else self.prepare(records), run)
        self._run = run
        return self

    def predict(self, inputs: Any) -> Predictions:
        return Predictions.joined([predictions for _, predictions in self.parts(inputs)])

    def parts(self, inputs: Any) -> Iterator[tuple[Records, Predictions]]:
        self.require_fitted("predict")
        for found in observing.parts_of(inputs, self.observations, self.settings, _PART):
            yield found.records, self._answers(found)

    def evaluate(self, records: Any = None) -> Report:
        """Plays whole episodes, and as many of somebody who does anything, by the same seeds.

        Args:
            records: an environment, as `fit` takes it; the one it learnt in if not given.

        Raises:
            DataError: the environment has other observations or actions, or breaks down.
        """
        self.require_fitted("evaluate")
        world, count = self._asked(records)
        seeds = seeds_of(self.settings.seed, Chance.TEST, count)
        each, played = self._played(world, seeds, of_run=isinstance(records, Part))
        limits = [f"{name} was cut off after {world.limit:,} steps" for name, one in played.items()
                  if not one.terminated.any()]  # fmt: skip
        measured = Agents(
            {name: one.returns for name, one in played.items()}, {name: one.lengths for name, one in played.items()},
            {name: 1 - float(one.terminated.mean()) for name, one in played.items()},
            deterministic=self.settings.deterministic, frames=filming.strip(world, self.policy(), seeds[0]),
            notes=[f"Every episode of {one}." for one in limits], seed=self.settings.seed,
            trainings=trainings.measured(self.trainings, each, self.settings.seed),
        )  # fmt: skip
        return Report.of_control(measured, task=self.task, model=self.shown_model, rows={"test": count})

    def _played(self, world: World, seeds: list[int], *, of_run: bool) -> tuple[list[Played], dict[str, Played]]:
        """The episodes of each training, and those of the agent and its baseline by name.

        Where the last episodes of a run break down, the agent is kept.
        """
        try:
            each = list(self._each(world, seeds))
            return each, {self.shown_model: each[0], "random": play(world, at_random(world, self.settings.seed), seeds)}
        except HeadwaterError:
            if of_run and self._run is not None:
                self._keep(self._run)
            raise

    def _each(self, world: World, seeds: list[int]) -> Iterator[Played]:
        """The same episodes by the policy of every training, the agent's own first."""
        if len(self.trainings) < 2:
            yield play(world, self.policy(), seeds)
        else:
            yield from trainings.in_turn(self.trainings, self._fitted, self.policy(), world, seeds)

    def policy(self) -> Policy:
        """Raw actions for raw observations: the best it knows, or drawn where `deterministic` is off.

        Raises:
            SettingError: they are to be drawn, and the model knows no chances.
        """
        agent = self._fitted
        if self.settings.deterministic:
            return agent.act
        self._refuse_chances()
        random = generator(self.settings.seed, Chance.DRAWN_ACTIONS)
        return lambda raw: agent.act(raw, random)

    def film(self, file: str | Path, *, seed: int = 0) -> int:
        """Writes a video of one episode, and tells how many frames it has.

        Args:
            file: an .mp4 file.
            seed: which episode.

        Raises:
            DataError: the environment shows nothing of itself, or is not known any more; the file is of another kind.
            ExtraError: the library that writes videos is not installed.
        """
        self.require_fitted("film")
        return filming.film(self.own_world(), self.policy(), seed, Path(file))

    def record(self, file: str | Path, episodes: int = 10, *, seed: int = 0) -> int:
        """Writes whole episodes as a table of transitions, and tells how many rows it has.

        Args:
            file: a .parquet file.
            episodes: how many.
            seed: which.

        Raises:
            DataError: the environment is not known any more, or breaks down; the file is of another kind.
        """
        self.require_fitted("record")
        seeds = seeds_of(seed, Chance.RECORDING, episodes)
        column = self.settings.observation or observing.COLUMN
        return recording.record(self.own_world(), self.policy(), seeds, Path(file), column)

    def marks(self, records: Any) -> Marks:
        """The returns of episodes, of several trainings their mean; of rows with an action whether it does the same."""
        self.require_fitted("marks")
        if isinstance(records, Records):
            return self._agreement(records)
        world, count = self._asked(records)
        measures = not isinstance(records, Part) or records.measures
        seeds = seeds_of(self.settings.seed, Chance.TEST if measures else Chance.VALIDATION, count)
        returns = [played.returns for played in self._each(world, seeds)]
        return Marks(np.mean(returns, axis=0), np.zeros(count), 0.0)

    def gather(self, source: Any) -> Gathered:
        return random_play.gathered(
            world_of(source, self.settings.env, self.settings.episode_limit), self.settings.seed
        )

    def view(self, values: Sequence[Any]) -> np.ndarray:
        return random_play.view(values)

    def traits(self, values: Sequence[Any]) -> Traits:
        return random_play.traits(values)

    def reading(self, values: Sequence[Any]) -> Traits:
        return Traits()

    def origin(self) -> Origin | None:
        return None

    def augment(self, values: Sequence[Any], method: str, draw: int, run: Run) -> list[Any]:
        return [None] * len(values)

    def write(self, folder: Path) -> None:
        world = self.world
        state: dict[str, Any] = {"standing": asdict(self.standing)}
        if world is not None:
            state["world"] = {
                "name": world.name, "options": world.options, "longest": world.longest,
                "by_name": isinstance(world.maker, type(None)) or ":" in world.name,
            }  # fmt: skip
        if len(self.trainings) > 1:
            state["trainings"] = [one.to_json() for one in self.trainings]
            trainings.write(self.trainings, folder)
        write_whole(folder / _STATE, json.dumps(state, indent=1, default=str).encode())
        (folder / _AGENT).mkdir()
        self._fitted.save(folder / _AGENT)

    def read(self, folder: Path) -> None:
        state = json.loads((folder / _STATE).read_text("utf-8"))
        self.standing = Standing(**state["standing"])
        self.agent = making.loaded(catalog.model_class(self.task, str(self.model_name)), folder / _AGENT)
        self.trainings = trainings.read(state.get("trainings", ()), folder)
        self._told = state.get("world") or {}
        self.report = Report.found(folder.parent)

    @property
    def _fitted(self) -> Agent:
        self.require_fitted("this")
        return self.agent  # type: ignore[return-value]

    def _refuse_chances(self) -> None:
        model = str(self.model_name)
        refuse_chances(self.settings, model, draws=catalog.model_class(self.task, model).draws)

    def _plan(self, world: World) -> Plan:
        """How long, how wide and how fast: as the user says, else what suits the world, else the model."""
        settings, known = self.settings, self._known(world)
        model = catalog.model_class(self.task, str(self.model_name))
        asked = {name: getattr(settings, name) for name in OF_RUN}
        found = {name: known.get(name, getattr(model, name)) if value is None else value
                 for name, value in asked.items()}  # fmt: skip
        # None of them may be without a step.
        lessons = min(settings.evaluations, max(1, found["steps"] // found["envs"])) if found["steps"] else 0
        return Plan(found["steps"], found["envs"], lessons, found["learning_rate"], settings.seed)

    def _known(self, world: World) -> dict[str, Any]:
        """What suits this model in this world, where something is known."""
        return preset(str(self.model_name), world.known_as, world.told_limit)

    def _learn(self, prepared: Ground, run: Run) -> None:
        world = prepared.world
        model = catalog.model_class(self.task, str(self.model_name))
        known = {name: value for name, value in self._known(world).items() if name not in OF_RUN}
        own = options.build(model.Settings, {**known, **self.model_settings}, where=f"model {self.model_name}")
        self.world, found = world, list[Training]()
        for number in range(self.settings.trainings):
            plan, part = trainings.turn(self._plan(world), run, number)
            agent = making.made(model, own, world, self.settings, plan.seed)
            course = Course(agent, world, plan, part, prepared.shown)
            try:
                found.append(Training(plan.seed, course.train(), course.best))
            except HeadwaterError:
                self._rescue(agent, [*found, Training(plan.seed, course.standing, course.best)], run)
                raise
            if course.standing.stopped not in ("", SPENT):  # a search has seen enough of these settings
                break
        self.trainings = trainings.chosen(found, agent, world, self.settings.seed)
        self.agent, self.standing = agent, self.trainings[0].standing
        self.trace = self._traced()

    def _rescue(self, agent: Agent, found: list[Training], run: Run) -> None:
        """Keeps the best policy of trainings, the last of which came to a bad end, perhaps before it had one."""
        known = [one for one in found if one.policy]
        if known:
            best = max(known, key=lambda one: one.standing.score)
            agent.follow(best.policy)
            self.agent, self.standing, self.trainings = agent, best.standing, [best]
            self._keep(run)

    def _keep(self, run: Run) -> None:
        """Saves the best policy of a run that came to a bad end, so that it is not lost with it."""
        best = run.folder / BEST
        self.save(best)
        log.warning("The best policy so far (return %.4g) is an application in %s", self.standing.score, best)

    def _traced(self) -> Trace:
        """Every stage of every training, and the learning curve; of several trainings their middle and their reach."""
        shown = {"score": "Return of the policy between lessons", "return": "Return while learning"}
        curve = [{"stage": said, **row} for name, said in shown.items() for row in trainings.band(self.trainings, name)]
        by_seed = sorted(self.trainings, key=lambda one: one.seed)
        return Trace([stage for one in by_seed for stage in self._stages(one)], curve)

    def _stages(self, one: Training) -> list[Stage]:
        standing, first = one.standing, one.standing.imitated
        which = f" (seed {one.seed})" if len(self.trainings) > 1 else ""
        why = f"; stopped: {standing.stopped}" if standing.stopped else ""
        decision = f"policy after {standing.at:,} of {standing.done:,} steps, chosen by {standing.scoring:,} more{why}"
        if which:
            here = ", chosen" if one is self.trainings[0] else ""
            decision += f"; return {np.mean(one.returns):.4g} in the episodes that choose between trainings{here}"
        own = Stage(
            f"{self.model_name}{which}", standing.score, standing.low, standing.high, standing.seconds, decision
        )
        stages = [Stage(f"demonstrations{which}", first["score"], first["low"], first["high"], first["seconds"],
                        first["said"])] if first else []  # fmt: skip
        return [*stages, own]

    def _asked(self, records: Any) -> tuple[World, int]:
        """The world to measure in, and by how many episodes.

        Raises:
            DataError: it is not known any more, or is of another kind than the one that was learnt in.
        """
        if isinstance(records, Part):
            return records.world, len(records)
        world = self.own_world() if records is None else world_of(records, None, self.settings.episode_limit)
        if records is not None and world.name == self._name:
            # What its making was told is of the environment that it learnt in, and of no other.
            world = world_of(records, self.settings.env, self.settings.episode_limit)
        agent = self._fitted
        if not alike(world.observations, agent.observations) or world.actions != agent.actions:
            raise DataError(
                "This environment has other observations or actions than the one that was learnt in", where=world.name,
                got=f"{world.observations}; {world.actions}", accepted=f"{agent.observations}; {agent.actions}",
                fix="Give the environment that it was adapted to.",
            )  # fmt: skip
        return world, self.settings.episodes

    @property
    def _name(self) -> str | None:
        """What the environment is called that it learnt in."""
        return self.world.name if self.world is not None else self._told.get("name")

    def own_world(self) -> World:
        """The environment that it learnt in, made anew from its name.

        Raises:
            DataError: it came from memory, and has no name to find it by.
        """
        if self.world is None:
            told = self._told
            if not told.get("by_name"):
                raise DataError(
                    "The environment was given in memory, and is gone with its process", where=told.get("name"),
                    fix="Give the environment again.",
                )  # fmt: skip
            self.world = world_of(
                told["name"], [f"{name}={json.dumps(value)}" for name, value in told["options"].items()],
                told["longest"],
            )  # fmt: skip
        return self.world

    def _answers(self, found: Observed) -> Predictions:
        agent, records = self._fitted, found.records
        labels: list[Any] = [None] * len(records)
        if len(found.raw):
            for row, action in zip(records.usable.tolist(), agent.act(found.raw), strict=True):
                labels[row] = agent.actions.plain(action)
        reasons = [records.problems[row].reason if row in records.problems else None for row in range(len(records))]
        return Predictions(labels, None, (), reasons, observing.type_of(agent.actions))

    def _agreement(self, records: Records) -> Marks:
        """Whether it would do what the rows of a table did; of numbers, how near it would come, from 0 to 1."""
        found = observing.of_records(records, self.observations, self.settings.observation)
        actions = self._fitted.actions
        done = np.stack([actions.read(cell) for cell in found.records.take(found.records.usable).column("action")])
        own = self._fitted.act(found.raw)
        same = agreement(actions, own, done)
        return Marks(same, same, 1 / max(1, len(same)))
