"""What all applications that learn from labelled rows share: how rows are read, divided, and answered in parts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Self

from headwater import catalog, options
from headwater.application import Application, Predictions
from headwater.data import preparing, reading
from headwater.data.gathering import Gathered, gather
from headwater.data.image_field import Image
from headwater.data.preparing import Prepared
from headwater.data.records import Records
from headwater.data.traits import Traits
from headwater.errors import SettingError
from headwater.evaluation.learnt import noted
from headwater.evaluation.report import Report
from headwater.foundation.origin import Origin
from headwater.run import Run, scratch
from headwater.settings import Settings

_PART = 8192
OF_SOME_MODELS = ("image_augment", "strategy", "last_layers", "lora_rank")
"""Settings that a model may have no use for: told, they would be ignored without a word."""


class Supervised(Application):
    """An application with an input field and a target field, each found in the columns or named by the settings.

    A task says what its fields are (`find_input`, `find_target`), and what is answered (`answered`).

    Attributes:
        field: the input field.
        target: the target field; its classes are known once rows were learnt from.
    """

    def __init__(self, model: str | None = None, settings: Any = None, **model_settings: Any) -> None:
        super().__init__(model or catalog.task(self.task).default_model, settings, **model_settings)
        self.field: Any = None
        self.target: Any = None

    @abstractmethod
    def find_input(self, records: Records, taken: tuple[str, ...]) -> Any:
        """The input field of these records; `taken` columns hold the target and the divisions."""

    @abstractmethod
    def find_target(self, records: Records, columns: tuple[str, ...]) -> Any:
        """The target field that these columns make."""

    @abstractmethod
    def find_target_column(self, records: Records) -> str:
        """The column of the target, where the settings name none.

        Raises:
            DataError: no column is, or several may be.
        """

    @abstractmethod
    def usual_targets(self, records: Records) -> list[str]:
        """The columns that have a name that targets usually have."""

    @abstractmethod
    def answered(self, values: list[Any], reasons: Mapping[int, str]) -> Predictions:
        """One answer for each input value; rows with a reason have none."""

    @abstractmethod
    def learn(self, make: Any, records: Any, valid: Any, run: Run) -> None:
        """Learns from rows as `fit` takes them; `make` gives a model that has learnt nothing."""

    def fit(self, records: Any, valid: Any = None, *, run: Run | None = None) -> Self:
        if run is None:
            with scratch(self.settings) as temporary:
                return self.fit(records, valid, run=temporary)
        options.check_fields(options.check(self.settings), self.task, catalog.task(self.task).fields)
        self.report = self.config = None  # what an earlier fit left tells nothing of this one
        self.learn(self.maker(), records, valid, run)
        return self

    def reading(self, values: Sequence[Any]) -> Traits:
        """How a model sees these inputs: nothing is told, unless a task knows more."""
        return Traits()

    def noted(self, measured: Report, source: Any) -> Report:
        """What was measured, with a note where the application was made from these very rows."""
        return noted(measured, source, self.report, offline=self.settings.offline)

    def origin(self) -> Origin | None:
        """Where the foundation comes from, if a task knows."""
        return None

    def find_fields(self, records: Records) -> tuple[Any, Any]:
        """The input and target fields that the settings name, or that the columns suggest."""
        target = self._target_of(records, self.settings.target or (self.find_target_column(records),))
        return self._input_of(records, target.columns), target

    def gather(self, source: Any) -> Gathered:
        """The usable rows of a source; a column that the settings name is looked for where the source lacks it."""
        records = reading.read(source, self.settings, offline=self.settings.offline)
        named = {self.input_setting: self.input_columns, "target": self.settings.target}
        here = set(records.columns)
        there: dict[str, Any] = {
            name: columns if set(columns or ()) <= here else None for name, columns in named.items()
        }
        fitting = type(self)(self.model_name, replace(self.settings, **there))
        usual = [name for name in self.usual_targets(records) if name not in (fitting.input_columns or ())]
        columns = fitting.settings.target or (tuple(usual) if len(usual) == 1 else ())
        field = fitting._input_of(records, columns or tuple(usual))
        if isinstance(self.field, Image):
            field = replace(field, white=self.field.white)
        labels = fitting._target_of(records, columns) if columns else None
        return gather(records, field, labels, self.settings.quarantine_share)

    def _target_of(self, records: Records, columns: tuple[str, ...]) -> Any:
        for column in columns:
            records.column(column)
        return self.find_target(records, columns)

    def _input_of(self, records: Records, columns: tuple[str, ...]) -> Any:
        named = (self.settings.split, self.settings.group, self.settings.time)
        taken = (*columns, *(name for name in named if name))
        field = self.find_input(records, taken)
        if both := [name for name in field.columns if name in taken]:
            raise SettingError(
                "A column that is the target, or divides the rows, cannot be the input",
                where=records.name, got=both, accepted=[name for name in records.columns if name not in taken],
                fix=f"Name another column with --{self.input_setting} or --target.",
            )  # fmt: skip
        return field

    def prepare(self, source: Any, *, want_test: bool = True) -> Prepared:
        """Training, validation and test rows of a source, bad rows set aside."""
        # Where every row counts none is held out, unless the user says which: folds of the training rows choose.
        want_valid = self.strategy != "few-shot" or self.settings.split is not None
        return preparing.prepare(source, self.settings, self.find_fields, want_test=want_test, want_valid=want_valid)

    @property
    def strategy(self) -> str | None:
        """How the foundation was adapted; None for a basic model."""
        basic = {entry.name for entry in catalog.models(self.task)}
        return None if self.model_name in basic else self.settings.strategy

    def predict(self, inputs: Any) -> Predictions:
        parts = [predictions for _, predictions in self.parts(inputs)] or [self.answered([], {})]
        return Predictions.joined(parts)

    def parts(self, inputs: Any) -> Iterator[tuple[Records, Predictions]]:
        self.require_fitted("predict")
        alone = isinstance(self.field, Image)  # an answer needs no label: neither one nor its lack is looked at
        for records in reading.read_parts(
            inputs, self.settings, rows=_PART, offline=self.settings.offline, alone=alone
        ):
            values, reasons = self.field.values(self.field.named(records))
            reasons |= {row: problem.reason for row, problem in records.problems.items()}
            for rows in self.portions(values):
                part = records if len(rows) == len(values) else records.take(rows)
                there = {row - rows.start: reasons[row] for row in rows if row in reasons}
                yield part, self.answered(values[rows.start : rows.stop], there)

    def portions(self, values: Sequence[Any]) -> Iterator[range]:
        """Rows that follow one another, whose answers are held at once: all, unless answers are large."""
        yield range(len(values))

    def maker(self) -> Any:
        """What makes an unfitted model.

        Raises:
            SettingError: the model has no such setting, or it cannot have this value; or the setting is one of every
                run, and this model has no use for it.
        """
        model_class = catalog.model_class(self.task, str(self.model_name))
        for name in OF_SOME_MODELS:
            option = next(option for option in options.options_of(Settings) if option.name == name)
            value = getattr(self.settings, name)
            if value != option.default and name not in model_class.reads:
                raise SettingError(
                    f"{name} has no part with this model", where=f"model {self.model_name}", got=value,
                    fix=f"Leave {option.flag} out.",
                )  # fmt: skip
        own = options.build(model_class.Settings, self.model_settings, where=f"model {self.model_name}")
        return partial(model_class, own, foundation=self.model_name)


def columns_named(records: Records, names: Sequence[str]) -> list[str]:
    """The columns of records that have one of these names, whatever their case."""
    return [column for column in records.columns if column.lower() in names]
