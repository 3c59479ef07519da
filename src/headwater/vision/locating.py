"""The application that says what is where in images: the same for boxes and for the classes of pixels."""

from __future__ import annotations

import json
import logging
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from headwater import catalog
from headwater.application import Marks, Predictions, Stage, Trace
from headwater.data import fields as data_fields
from headwater.data import preparing, reading
from headwater.data.layouts import SPLIT
from headwater.data.pictures import Glance, Picture, glance
from headwater.data.preparing import Prepared
from headwater.data.quarantine import Quarantine
from headwater.data.records import Records
from headwater.errors import DataError, SettingError
from headwater.evaluation.report import Report
from headwater.run import Run, write_whole
from headwater.transfer.scores import stage
from headwater.transfer.supervised import Supervised, columns_named
from headwater.vision.locator import Locator, Scenes
from headwater.vision.plain import principal
from headwater.vision.reading import ReadsImages
from headwater.vision.sheet import named

log = logging.getLogger("headwater")
_AT_ONCE = 32
"""The pictures that are answered before their answers are counted."""
_BYTES = 1 << 27
"""The bytes of answers that are held at once: class maps of many, or of large, pictures would fill the memory."""
_BASELINE = "what the others have to beat"


class Measurement(Protocol):
    """What a task counts of answers beside what is known; memory may grow with the pictures, not with their pixels."""

    @property
    def rows(self) -> int:
        """How many pictures were counted."""
        ...

    def update(self, scenes: Scenes, found: Mapping[str, Sequence[Any]], places: Sequence[str]) -> None:
        """Counts some pictures: the answers by the name of who gave them, the model first, and where each stands."""

    def scores(self) -> np.ndarray:
        """How right the model is on each picture, from 0 to 1, shape (rows,)."""

    def report(self, *, seed: int, **sections: Any) -> Report:
        """The report of all that was counted; `sections` are further fields, task and model among them."""


class Locating(ReadsImages, Supervised):
    """A model that finds things in images, with its fields and the baseline it is measured against.

    A task gives `find_target`, `usual`, `baseline_of`, `measurement` and `decoded`.

    Attributes:
        locator: the fitted model.
        baseline: answers without looking at the image, from what the training rows have in common.
    """

    usual: tuple[str, ...]
    """The names that the target column usually has."""
    sought: ClassVar[str]
    """What is told of images in files, in the singular."""
    layout: ClassVar[str]
    """How it lies beside them."""
    baseline_class: type[Locator]
    """What answers without looking; its settings are empty."""

    def __init__(self, model: str | None = None, settings: Any = None, **model_settings: Any) -> None:
        super().__init__(model, settings, **model_settings)
        self.locator: Locator | None = None
        self.baseline: Locator | None = None

    @property
    def fitted(self) -> bool:
        return self.locator is not None

    @abstractmethod
    def measurement(self) -> Measurement:
        """What counts the answers, with nothing counted yet."""

    @abstractmethod
    def decoded(self, answer: Any) -> Any:
        """An answer as users read it: with the names of classes, out of what JSON and Arrow have."""

    def baseline_answers(self, inputs: Sequence[Picture]) -> dict[str, list[Any]]:
        """What the baselines answer, by name."""
        return {"baseline": self._answers(self.baseline, inputs)}

    def usual_targets(self, records: Records) -> list[str]:
        return columns_named(records, self.usual)

    def find_target_column(self, records: Records) -> str:
        found = self.usual_targets(records)
        if _are_files(records):
            raise DataError(
                f"No {self.sought} was found", where=records.name,
                got="images in folders" if "label" in records.columns else "images alone", accepted=self.layout,
                fix=f"See the page of {self.task}, or name the column of a table with --target.",
            )  # fmt: skip
        if len(found) == 1:
            return found[0]
        raise DataError(
            "The target column is not clear" if found else "There is no target column",
            where=records.name, got=found or records.columns, accepted=f"a column named {' or '.join(self.usual)}",
            fix="Name it with --target.",
        )  # fmt: skip

    def learn(self, make: Callable[[], Locator], records: Any, valid: Any, run: Run) -> None:
        train, held_out = self._rows(records, valid)
        began = time.monotonic()
        self.baseline = self.baseline_class().fit(train, held_out, run.part("baseline"))
        told = self._stage(self.baseline, held_out, "baseline", time.monotonic() - began)
        log.info("%s", told)
        self.locator = make().fit(train, held_out, run.part("model"))
        own = self.locator.trace
        self.trace = Trace([told, *own.stages], own.curve, own.augmentation, own.seen)
        self.settle(held_out)

    def story(self) -> dict[str, Any]:
        return {"seen": named(self.trace.seen, self.target.classes)}

    def settle(self, held_out: Scenes) -> None:
        """What the fitted application still has to learn from the validation pictures; nothing for most tasks."""

    def evaluate(self, records: Any) -> Report:
        self.require_fitted("evaluate")
        counted, aside = self.measurement(), Quarantine()
        for part in reading.read_parts(records, self.settings, offline=self.settings.offline):
            marked, scenes = self.labelled(part)
            aside.add(marked)
            aside.add_flaws(data_fields.flaws_of(self.target, marked))
            places = [self._place(marked, row) for row in marked.usable.tolist()]
            self.count(counted, scenes, places)
        aside.refuse_over(self.settings.quarantine_share)
        aside.refuse_flaws_over(self.settings.quarantine_share)
        if not counted.rows:
            raise DataError("There is no row to measure on", where=aside.name, fix="Give images with their targets.")
        measured = counted.report(
            seed=self.settings.seed, task=self.task, model=self.shown_model, strategy=self.strategy,
            rows={"test": counted.rows}, quarantine=aside.summary(),
        )  # fmt: skip
        return self.noted(measured, records)

    def marks(self, records: Records) -> Marks:
        self.require_fitted("marks")
        counted = self.measurement()
        self.count(counted, self.labelled(records)[1])
        right = counted.scores()
        return Marks(right, right, 1 / max(1, len(right)))

    def labelled(self, records: Records) -> tuple[Records, Scenes]:
        """The records with every unusable row marked, and the pictures of the usable ones with what is known."""
        records = self.field.named(records)
        values, reasons = self.field.values(records)
        known, lacking = self.target.answers(records)
        records = records.with_problems({**lacking, **reasons})
        usable = records.usable.tolist()
        classes = tuple(self.target.classes)
        return records, Scenes([values[row] for row in usable], [known[row] for row in usable], len(classes), classes)

    def weight(self, seen: Glance) -> int:
        """The bytes of the answer for a picture; what is small however large the picture is, counts as nothing."""
        return 0

    def portions(self, values: Sequence[Picture | None], most: int | None = None) -> Iterator[range]:
        """Rows that follow one another, so many that their answers fit easily into the memory."""
        start, held = 0, 0
        for row, picture in enumerate(values):
            more = 0 if picture is None else self.weight(glance(picture))
            if row > start and (row - start == most or held + more > _BYTES):
                yield range(start, row)
                start, held = row, 0
            held += more
        yield range(start, len(values))

    def answered(self, values: list[Any], reasons: Mapping[int, str]) -> Predictions:
        rows = [row for row in range(len(values)) if row not in reasons]
        labels: list[Any] = [None] * len(values)
        for places in self.portions([values[row] for row in rows], _AT_ONCE):
            some = [rows[place] for place in places]
            for row, answer in zip(some, self._answers(self.locator, [values[row] for row in some]), strict=True):
                labels[row] = self.decoded(answer)
        told = [reasons.get(row) for row in range(len(values))]
        return Predictions(labels, None, tuple(self.target.classes), told, self.answer_type)

    @property
    def answer_type(self) -> Any:
        """The Arrow type of an answer, where some answers do not show it."""
        return None

    def view(self, values: Sequence[Any]) -> np.ndarray:
        return principal(values)

    def write(self, folder: Path) -> None:
        state = {"field": data_fields.to_json(self.field), "target": data_fields.to_json(self.target)}
        write_whole(folder / "locating.json", json.dumps(state, ensure_ascii=False, indent=1).encode())
        for name, model in (("locator", self.locator), ("baseline", self.baseline)):
            if model is not None:
                (folder / name).mkdir()
                model.save(folder / name)

    def read(self, folder: Path) -> None:
        state = json.loads((folder / "locating.json").read_text("utf-8"))
        self.field, self.target = (data_fields.from_json(state[name]) for name in ("field", "target"))
        self.baseline = self.baseline_class.load(folder / "baseline")
        self.locator = catalog.model_class(self.task, str(self.model_name)).load(folder / "locator")
        self.report = Report.found(folder.parent)

    def _rows(self, records: Any, valid: Any) -> tuple[Scenes, Scenes]:
        """Training and validation pictures; settles the fields and learns the classes."""
        if valid is None:
            prepared = records if isinstance(records, Prepared) else self.prepare(records, want_test=False)
            train, held_out, (self.field, self.target) = prepared.train, prepared.valid, prepared.fields
        else:
            train, held_out = (
                reading.read(source, self.settings, offline=self.settings.offline) for source in (records, valid)
            )
            fields = self.find_fields(train)
            train = preparing.mark(train, fields)
            train_rows = train.take(train.usable)
            self.field, target = (data_fields.settled(one, train_rows) for one in fields)
            self.target = target.learn(target.cells(train_rows))
        return self._scenes(train), self._scenes(held_out)

    def _scenes(self, records: Records) -> Scenes:
        records, scenes = self.labelled(records)
        if not len(scenes):
            raise DataError(
                "No row has both an image and a known target", where=records.name, got=f"{len(records)} rows",
                fix="Check --image and --target, or give other rows.",
            )  # fmt: skip
        aside = Quarantine()
        aside.add(records)
        aside.refuse_over(self.settings.quarantine_share)
        return scenes

    def _stage(self, model: Locator, scenes: Scenes, name: str, seconds: float) -> Stage:
        counted = self.measurement()
        for some in self.portions(scenes.inputs, _AT_ONCE):
            part = _taken(scenes, some)
            counted.update(part, {name: self._answers(model, part.inputs)}, [""] * len(part))
        return stage(name, counted.scores(), seconds, _BASELINE)

    def count(self, counted: Measurement, scenes: Scenes, places: Sequence[str] | None = None) -> None:
        """Counts the answers of the model and of the baseline for some pictures."""
        for some in self.portions(scenes.inputs, _AT_ONCE):
            part = _taken(scenes, some)
            found = {self.shown_model: self._answers(self.locator, part.inputs)}
            found.update(self.baseline_answers(part.inputs))
            counted.update(part, found, [places[row] if places else "" for row in some])

    def _answers(self, model: Locator | None, inputs: Sequence[Picture]) -> list[Any]:
        return model.answers(inputs) if model is not None and len(inputs) else []

    def _place(self, records: Records, row: int) -> str:
        return records.problem(row, "").place


def refuse_strategy(given: str, able: Sequence[str], model: str) -> None:
    """Says which strategies a foundation of this kind can be adapted by.

    Raises:
        SettingError: it is none of these.
    """
    if given not in able:
        raise SettingError(
            "This foundation is not adapted so", where=f"model {model}", got=given, accepted=list(able),
            fix="Give one of these with --strategy.",
        )  # fmt: skip


def _taken(scenes: Scenes, rows: Sequence[int]) -> Scenes:
    inputs, answers = ([values[row] for row in rows] for values in (scenes.inputs, scenes.answers))
    return replace(scenes, inputs=inputs, answers=answers)


def _are_files(records: Records) -> bool:
    """Whether the rows are files of images, of which nothing is told but what the names of folders tell."""
    if not set(records.columns) <= {"image", "label", SPLIT} or not len(records.usable):
        return False
    first = int(records.usable[0])
    return records.file(first) == records.take([first]).column("image")[0]
