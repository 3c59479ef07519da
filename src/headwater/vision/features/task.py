"""Image features: what does an image show, in numbers that other models can learn from?"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from headwater import catalog
from headwater.application import Marks, Predictions, Stage, Trace
from headwater.data import fields as data_fields
from headwater.data import preparing, reading
from headwater.data.fields import Category
from headwater.data.no_target import NoTarget
from headwater.data.pictures import Picture
from headwater.data.preparing import Prepared
from headwater.data.quarantine import Quarantine
from headwater.data.records import Records
from headwater.errors import DataError
from headwater.evaluation.report import Report
from headwater.evaluation.views import found_again
from headwater.run import Run, write_whole
from headwater.transfer.scores import stage
from headwater.transfer.supervised import Supervised
from headwater.vision.features.measuring import MOST, FeatureTally, known_again, seen
from headwater.vision.features.pretrainer import Pretrainer
from headwater.vision.plain import principal
from headwater.vision.reading import ReadsImages

log = logging.getLogger("headwater")
_BASELINE = "what the others have to beat"


class ImageFeatures(ReadsImages, Supervised):
    """Learns to see from images without labels: of a folder, an archive, a manifest, or in memory.

    An answer is the list of an image's features. A column of labels is never learnt from; where there is one, the
    report tells how well the features know the labels.

    Attributes:
        pretrainer: the fitted model.

    Example:
        >>> from headwater.settings import Settings
        >>> shades = np.random.default_rng(0).integers(0, 256, (24, 16, 16, 3), dtype=np.uint8)
        >>> app = ImageFeatures("simsiam", Settings(epochs=1, image_size=16), width=4, projection=8).fit(shades)
        >>> [None if answer is None else len(answer) for answer in app.predict([shades[0], None]).labels]
        [32, None]
    """

    task: ClassVar[str] = "image-features"

    def __init__(self, model: str | None = None, settings: Any = None, **model_settings: Any) -> None:
        super().__init__(model, settings, **model_settings)
        self.target = NoTarget()
        self.pretrainer: Pretrainer | None = None

    @property
    def fitted(self) -> bool:
        return self.pretrainer is not None

    def find_fields(self, records: Records) -> tuple[Any, Any]:
        """The images, and no target: labels are not learnt from."""
        return self._input_of(records, self._labels_in(records)), NoTarget()

    def find_target(self, records: Records, columns: tuple[str, ...]) -> Category:
        return Category(columns)

    def find_target_column(self, records: Records) -> str:
        return data_fields.find_target(records)

    def usual_targets(self, records: Records) -> list[str]:
        return data_fields.usual_targets(records)

    def learn(self, make: Callable[[], Pretrainer], records: Any, valid: Any, run: Run) -> None:
        train, held_out = self._rows(records, valid)
        pretrainer = make().fit(train, held_out, run.part("model"))
        self.pretrainer, own = pretrainer, pretrainer.trace
        self.trace = Trace(self._stages(pretrainer, held_out), own.curve, own.augmentation)
        for told in self.trace.stages:
            log.info("%s", told)

    def evaluate(self, records: Any) -> Report:
        self.require_fitted("evaluate")
        tally, aside = FeatureTally(self._fitted, self.shown_model), Quarantine()
        for part in reading.read_parts(records, self.settings, offline=self.settings.offline):
            marked, values = self._readable(part)
            aside.add(marked)
            labels = self._labels_of(marked)
            tally.update(values, [labels[row] for row in marked.usable.tolist()])
        aside.refuse_over(self.settings.quarantine_share)
        if tally.rows < 2:
            raise DataError(
                "Features are measured among two images or more", where=aside.name, got=tally.rows,
                fix="Give more images.",
            )  # fmt: skip
        measured = Report.of_features(
            tally.measured(), seed=self.settings.seed, task=self.task, model=self.shown_model, strategy=self.strategy,
            rows={"test": tally.rows}, quarantine=aside.summary(),
        )  # fmt: skip
        return self.noted(measured, records)

    def marks(self, records: Records) -> Marks:
        self.require_fitted("marks")
        found = known_again(self._fitted, self._readable(records)[1])
        return Marks(found, found, 1 / max(1, len(found)))

    def answered(self, values: list[Any], reasons: Mapping[int, str]) -> Predictions:
        import pyarrow as pa

        rows = [row for row in range(len(values)) if row not in reasons]
        labels: list[Any] = [None] * len(values)
        if rows:
            found = self._fitted.features([values[row] for row in rows])
            for row, features in zip(rows, found.tolist(), strict=True):
                labels[row] = features
        told = [reasons.get(row) for row in range(len(values))]
        return Predictions(labels, None, (), told, pa.list_(pa.float32()))

    def view(self, values: Sequence[Any]) -> np.ndarray:
        return principal(values)

    def write(self, folder: Path) -> None:
        state = {"field": data_fields.to_json(self.field)}
        write_whole(folder / "features.json", json.dumps(state, ensure_ascii=False, indent=1).encode())
        (folder / "features").mkdir()
        self._fitted.save(folder / "features")

    def read(self, folder: Path) -> None:
        self.field = data_fields.from_json(json.loads((folder / "features.json").read_text("utf-8"))["field"])
        self.pretrainer = catalog.model_class(self.task, str(self.model_name)).load(folder / "features")
        self.report = Report.found(folder.parent)

    @property
    def _fitted(self) -> Pretrainer:
        self.require_fitted("this")
        return self.pretrainer  # type: ignore[return-value]

    def _rows(self, records: Any, valid: Any) -> tuple[list[Picture], list[Picture]]:
        """Training and validation pictures; settles the field."""
        if valid is None:
            prepared = records if isinstance(records, Prepared) else self.prepare(records, want_test=False)
            train, held_out, (self.field, _) = prepared.train, prepared.valid, prepared.fields
        else:
            train, held_out = (
                reading.read(source, self.settings, offline=self.settings.offline) for source in (records, valid)
            )
            fields = self.find_fields(train)
            train = preparing.mark(train, fields)
            self.field = data_fields.settled(fields[0], train)
        return self._pictures(train), self._pictures(held_out)

    def _pictures(self, records: Records) -> list[Picture]:
        marked, values = self._readable(records)
        aside = Quarantine()
        aside.add(marked)
        aside.refuse_over(self.settings.quarantine_share)
        if len(values) < 2:
            raise DataError(
                "There are too few images to learn from and to choose by", where=records.name, got=len(values),
                accepted="2 images or more", fix="Check --image, or give other rows.",
            )  # fmt: skip
        return values

    def _readable(self, records: Records) -> tuple[Records, list[Picture]]:
        """The records with every unreadable row marked, and the pictures of the others."""
        records = self.field.named(records)
        values, reasons = self.field.values(records)
        records = records.with_problems(reasons)
        return records, [values[row] for row in records.usable.tolist()]

    def _labels_in(self, records: Records) -> tuple[str, ...]:
        """The columns of labels that the settings name, or that carry a usual name."""
        for column in self.settings.target or ():
            records.column(column)
        return self.settings.target or tuple(self.usual_targets(records))

    def _labels_of(self, records: Records) -> list[Any]:
        """The label of each row, None where there is none; all None where it is not clear which column has them."""
        columns = self.settings.target or tuple(self.usual_targets(records))
        here = len(columns) == 1 and columns[0] in records.columns
        return Category(columns).cells(records) if here else [None] * len(records)

    def _stages(self, pretrainer: Pretrainer, held_out: Sequence[Picture]) -> list[Stage]:
        """The fit after those that it has to beat, all by the same views of the same validation images."""
        began, name = time.monotonic(), self.shown_model
        _, first, second = seen(pretrainer, name, held_out[:MOST])
        found = {who: found_again(first[who], second[who]) for who in first}
        spent, own = time.monotonic() - began, pretrainer.trace.stages[-1]
        fit = stage(own.name, found.pop(name), own.seconds, own.decision)
        return [*(stage(who, known, spent, _BASELINE) for who, known in found.items()), fit]
