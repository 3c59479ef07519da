"""The application that names classes: the same for texts, images and sounds; a task says only what its inputs are."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from headwater import catalog
from headwater.application import Marks, Predictions, Stage, Trace
from headwater.data import fields as data_fields
from headwater.data import preparing, reading, splitting
from headwater.data.fields import Category, Label, Labels
from headwater.data.preparing import Prepared
from headwater.data.quarantine import Quarantine
from headwater.data.records import Records
from headwater.data.source import read_source
from headwater.data.traits import Traits
from headwater.data.unlabelled import read_unlabelled
from headwater.errors import DataError
from headwater.evaluation.baselines import MajorityBaseline
from headwater.evaluation.calibration import fit_temperature, probabilities
from headwater.evaluation.report import Report
from headwater.evaluation.sections import plain
from headwater.foundation.origin import Origin
from headwater.run import Run, scratch, write_whole
from headwater.settings import Settings
from headwater.transfer import augmenting, scores, unlabelled
from headwater.transfer.classifier import Classifier, Examples, Make
from headwater.transfer.measuring import measure
from headwater.transfer.plan import Plan, draw_up
from headwater.transfer.supervised import Supervised

log = logging.getLogger("headwater")
_SURE_OF_NOTHING = 50.0
"""The temperature from which on all classes are given as about equally likely."""
_BASELINE = "what the others have to beat"


class Classification(Supervised):
    """A classifier with its fields, its temperature and the baselines it is measured against."""

    alterations: ClassVar[tuple[str, ...]] = ()
    """How rows are altered where the plan `augment` is asked for and the settings do not say how; none where every step
    of a training alters what it sees."""

    def __init__(self, model: str | None = None, settings: Settings | None = None, **model_settings: Any) -> None:
        super().__init__(model, settings, **model_settings)
        self.target: Label = Category(())
        self.classifier: Classifier | None = None
        self.baseline: Classifier | None = None
        self.majority: MajorityBaseline | None = None
        self.temperature = 1.0
        self.plan: Plan | None = None
        self.learnt: unlabelled.Learnt | None = None

    @property
    def fitted(self) -> bool:
        return self.classifier is not None

    def find_target(self, records: Records, columns: tuple[str, ...]) -> Label:
        cells = records.take(records.usable[:1000]).column(columns[0])
        several = len(columns) > 1 or self.settings.label_separator or any(isinstance(cell, list) for cell in cells)
        return Labels(columns, separator=self.settings.label_separator) if several else Category(columns)

    def find_target_column(self, records: Records) -> str:
        return data_fields.find_target(records)

    def usual_targets(self, records: Records) -> list[str]:
        return data_fields.usual_targets(records)

    def learn(self, make: Make, records: Any, valid: Any, run: Run) -> None:
        train, held_out, source = self._rows(records, valid)
        for room in (augmenting, unlabelled):
            room.refuse(self.settings, self.strategy, several=self.target.several)
        balanced = augmenting.balanced(train, self.settings)
        self.plan = self._planned(balanced, source)
        rows, made = augmenting.augmented(self, balanced, self._altering(run))
        if self.plan and source:
            rows = self.plan.rows(rows, source)
        # Drawn again, rows have no majority: the trivial baseline answers what most rows are.
        self.majority = MajorityBaseline.fit(train.targets, train.n_classes)
        baselines = [self._majority_stage(held_out), *self._fit_linear(balanced, held_out, run)]
        for stage in baselines:
            log.info("%s", stage)
        classifier = self._learnt_from(make, rows, held_out, run)
        self.classifier, own = classifier, classifier.trace
        self.trace = Trace([*baselines, *own.stages], own.curve, made | own.augmentation, own.seen)
        logits, targets = classifier.held_out or (classifier.logits(held_out.inputs), held_out.targets)
        self.temperature = fit_temperature(logits, targets, several=self.target.several)
        if self.temperature > _SURE_OF_NOTHING:
            log.warning(
                "%d held-out rows are answered no better than by chance: every probability is near that of a guess. "
                "More of them (--valid-share, --valid) would tell how sure an answer is.", len(targets),
            )  # fmt: skip

    def story(self) -> dict[str, Any]:
        told = {"plan": self.plan, "adaptation": self.learnt}
        return {name: plain(part.section()) for name, part in told.items() if part}

    def view(self, values: Sequence[Any]) -> np.ndarray:
        with scratch(self.settings) as run:
            return self._unlearnt.view(values, run)

    def reading(self, values: Sequence[Any]) -> Traits:
        with scratch(self.settings) as run:
            return self._unlearnt.reading(values, run)

    def origin(self) -> Origin | None:
        with scratch(self.settings) as run:
            return self._unlearnt.origin(run)

    @cached_property
    def _unlearnt(self) -> Classifier:
        """The model before it has learnt; kept, so that its weights are read once."""
        return self.maker()()

    def evaluate(self, records: Any) -> Report:
        self.require_fitted("evaluate")
        return self.noted(measure(self, records), records)

    def marks(self, records: Records) -> Marks:
        self.require_fitted("marks")
        _, values, targets = self.labelled(records)
        return scores.marks(self.probabilities(values), targets)

    def probabilities(self, values: list[Any]) -> np.ndarray:
        """Calibrated probabilities of shape (rows, classes) for input values."""
        if self.classifier is None or not values:
            return np.zeros((len(values), len(self.target.classes)))
        return probabilities(self.classifier.logits(values), self.temperature, several=self.target.several)

    def baseline_predictions(self, values: list[Any]) -> dict[str, np.ndarray]:
        """What each baseline answers, encoded like the targets."""
        found = {"majority": self.majority.predict(len(values))} if self.majority else {}
        if self.baseline is not None:
            logits = self.baseline.logits(values)
            answers = (logits > 0).astype(np.float32) if self.target.several else logits.argmax(axis=1)
            found[self._linear_shown] = answers
        return found

    def labelled(self, records: Records) -> tuple[Records, list[Any], np.ndarray]:
        """The records with every unusable row marked, and the inputs and encoded targets of the usable ones."""
        records = self.field.named(records)
        values, reasons = self.field.values(records)
        targets, unlabelled = self.target.encode(self.target.cells(records))
        records = records.with_problems({**unlabelled, **reasons})
        usable = records.usable
        return records, [values[row] for row in usable.tolist()], targets[usable]

    def write(self, folder: Path) -> None:
        state = {
            "field": data_fields.to_json(self.field),
            "target": data_fields.to_json(self.target),
            "temperature": self.temperature,
            "majority": self.majority.to_json() if self.majority else None,
            "baseline": self._linear if self.baseline else None,
        }
        write_whole(folder / "classification.json", json.dumps(state, ensure_ascii=False, indent=1).encode())
        for name, model in (("classifier", self.classifier), ("baseline", self.baseline)):
            if model is not None:
                (folder / name).mkdir()
                model.save(folder / name)

    def read(self, folder: Path) -> None:
        state = json.loads((folder / "classification.json").read_text("utf-8"))
        self.field = data_fields.from_json(state["field"])
        self.target = data_fields.from_json(state["target"])
        self.temperature = state["temperature"]
        self.majority = MajorityBaseline.from_json(state["majority"]) if state["majority"] else None
        if state["baseline"]:
            self.baseline = catalog.model_class(self.task, state["baseline"]).load(folder / "baseline")
        self.classifier = catalog.model_class(self.task, str(self.model_name)).load(folder / "classifier")
        self.report = Report.found(folder.parent)

    @property
    def _linear(self) -> str:
        return str(catalog.task(self.task).linear_baseline)

    @property
    def _linear_shown(self) -> str:
        """What the linear baseline is called beside the model, which may be the same one on more rows."""
        return f"{self._linear} on your rows alone" if self.model_name == self._linear else self._linear

    def _rows(self, records: Any, valid: Any) -> tuple[Examples, Examples, Examples | None]:
        """Training, validation and source examples; settles the fields and learns the classes."""
        source = more = None
        if valid is None:
            prepared = records if isinstance(records, Prepared) else self.prepare(records, want_test=False)
            train, held_out, (self.field, self.target) = prepared.train, prepared.valid, prepared.fields
            source, more = prepared.source, prepared.unlabelled
        else:
            train = reading.read(records, self.settings, offline=self.settings.offline)
            held_out = reading.read(valid, self.settings, offline=self.settings.offline)
            fields = self.find_fields(train)
            train = preparing.mark(train, fields)
            usable = train.take(train.usable)
            self.field, target = data_fields.settled(fields[0], usable), fields[1]
            self.target, inputs = target.learn(target.cells(usable)), self.field.values(usable)[0]
            groups = np.full(len(train), -1)
            groups[train.usable] = splitting.together(usable, inputs, self.settings)
            train = replace(train, groups=groups)
            own = [*(value for value in self.field.values(held_out)[0] if value is not None), *inputs]
            if self.settings.source is not None:
                source = read_source(self.settings, (self.field, self.target), own)[0]
            if self.settings.unlabelled is not None:
                known = own if source is None else [*own, *self.field.values(source)[0]]
                more = read_unlabelled(self.settings, self.field, known)[0]
        if len(self.target.classes) < 2:
            raise DataError(
                "A classification needs at least two classes",
                where=train.name,
                got=list(self.target.classes),
                fix="Give rows of another class, or name another column with --target.",
            )
        valid_rows = self._examples(held_out, may_lack=isinstance(records, Prepared))
        unlabelled_rows = () if more is None else self.field.values(more)[0]
        train_rows = replace(self._examples(train), unlabelled=unlabelled_rows)
        return train_rows, valid_rows, None if source is None else self._examples(source)

    def _examples(self, records: Records, *, may_lack: bool = False) -> Examples:
        """The usable rows; there may be none only where `prepare` meant to hold none out."""
        records, values, targets = self.labelled(records)
        if not values and not (may_lack and not len(records)):
            raise DataError(
                "No row has both an input and a known label",
                where=records.name,
                got=f"{len(records)} rows",
                fix=f"Check --{self.input_setting} and --target, or give other rows.",
            )
        aside = Quarantine()
        aside.add(records)
        aside.refuse_over(self.settings.quarantine_share)
        group = None if records.groups is None else records.groups[records.usable]
        return Examples(values, targets, len(self.target.classes), group=group)

    def _planned(self, train: Examples, source: Examples | None) -> Plan | None:
        """What to do with the rows of a source, told to the user; None where there are none."""
        if source is None:
            return None
        plan = draw_up(self.view, train, source, self.settings)
        log.info("plan %s", plan)
        return plan

    def _learnt_from(self, make: Make, rows: Examples, held_out: Examples, run: Run) -> Classifier:
        """The fitted model; where there are unlabelled rows, without or with them, as `unlabelled.learn` decides."""
        self.learnt = None
        if not rows.unlabelled:
            return make().fit(rows, held_out, run.part("model"))
        classifier, self.learnt = unlabelled.learn(make, self.view, rows, held_out, run)
        log.info("%s", self.learnt)
        return classifier

    def _altering(self, run: Run) -> Run:
        """The run with the alterations of the plan, where the user asked for the plan and has not said which.

        A far source alone does not bring them: on few rows nothing was measured to gain by them.
        """
        asked = self.plan is not None and run.settings.plan == "augment" and run.settings.augment is None
        if not asked or not self.alterations:
            return run
        return replace(run, settings=replace(run.settings, augment=self.alterations))

    def _majority_stage(self, valid: Examples) -> Stage:
        answers = self.baseline_predictions(list(valid.inputs))["majority"]
        return scores.stage("majority", scores.agreeing(answers, valid.targets), 0.0, _BASELINE)

    def _fit_linear(self, train: Examples, valid: Examples, run: Run) -> list[Stage]:
        """Fits the linear baseline, and tells its stage; nothing where it is the model itself on the same rows."""
        more = self.settings.source or self.settings.unlabelled or self.settings.augment
        if self.model_name == self._linear and not more:
            return []
        self.baseline = catalog.model_class(self.task, self._linear)().fit(train, valid, run.part("baseline"))
        return [replace(stage, name=self._linear_shown, decision=_BASELINE) for stage in self.baseline.trace.stages]

    def answered(self, values: list[Any], reasons: Mapping[int, str]) -> Predictions:
        answered = [row for row in range(len(values)) if row not in reasons]
        found = self.probabilities([values[row] for row in answered])
        spread = np.full((len(values), len(self.target.classes)), np.nan)
        labels: list[Any] = [None] * len(values)
        spread[answered] = found
        for row, label in zip(answered, self.target.decode(found), strict=True):
            labels[row] = label
        return Predictions(labels, spread, self.target.classes, [reasons.get(row) for row in range(len(values))])
