"""Recommendation: which items does a user want next?"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import numpy as np
import pyarrow as pa

from headwater import catalog, options
from headwater.application import Application, Marks, Predictions, Stage, Trace
from headwater.data.gathering import Gathered
from headwater.data.quarantine import Quarantine
from headwater.data.records import Records
from headwater.data.traits import Traits
from headwater.errors import DataError, SettingError
from headwater.evaluation.report import Report
from headwater.foundation.origin import Origin
from headwater.recommendation import asking, baskets, choosing, measuring, preparing
from headwater.recommendation.asking import Wish
from headwater.recommendation.calling import Called
from headwater.recommendation.interactions import Interactions
from headwater.recommendation.kept import Kept
from headwater.recommendation.lists import best, blocks, wanted
from headwater.recommendation.preparing import Divided
from headwater.recommendation.protocols import GIVEN, TRAIN, VALID
from headwater.recommendation.reasons import reasons
from headwater.recommendation.recommender import Known, Recommender
from headwater.recommendation.tables import titles
from headwater.recommendation.tested import Rule, tested
from headwater.run import Run, never, scratch, write_whole
from headwater.transfer.scores import stage

log = logging.getLogger("headwater")
_PART: Final = 4096
_STATE, _MODEL = "recommendation.json", "recommender"


class Recommendation(Application):
    """Recommends items to users, known ones and new ones, from who had to do with what.

    An answer is a list of items with their scores, the best first.

    Attributes:
        recommender: the fitted model.
        kept: everyone's history, by name.
        items: what is told of items, a row for each in the order of `kept.item_ids`; None where nothing is.

    Example:
        >>> from headwater.settings import Settings
        >>> pairs = [(f"u{user}", f"i{item}") for user in range(12) for item in range(8) if (user + item) % 3]
        >>> app = Recommendation("ease", Settings(k=2)).fit(pairs)
        >>> [len(app.predict(["u1"])[0]), app.predict(["nobody"]).reasons]
        [2, ['the user nobody is not known, and no history was given']]
    """

    task: ClassVar[str] = "recommendation"
    input_setting: ClassVar[str] = "user"

    def __init__(self, model: str | None = None, settings: Any = None, **model_settings: Any) -> None:
        super().__init__(model or catalog.task(self.task).default_model, settings, **model_settings)
        self.recommender: Recommender | None = None
        self.kept: Kept | None = None
        self.items: Records | None = None
        self._rule = Rule()
        self._beside: dict[str, Recommender] | None = None
        self._called: Called | None = None

    @property
    def fitted(self) -> bool:
        return self.recommender is not None

    @property
    def input_columns(self) -> tuple[str, ...] | None:
        return None if self.settings.user is None else (self.settings.user,)

    def prepare(self, source: Any, *, want_test: bool = True) -> Divided:
        return preparing.prepare(source, self.settings, want_test=want_test)

    def fit(self, records: Any, valid: Any = None, *, run: Run | None = None) -> Self:
        if run is None:
            with scratch(self.settings) as temporary:
                return self.fit(records, valid, run=temporary)
        options.check_fields(options.check(self.settings), self.task, catalog.task(self.task).fields)
        preparing.refuse_idle(self.settings)
        self.report = self.config = self._beside = None
        if not isinstance(records, Divided):
            records = preparing.prepare(records, self.settings, want_test=False, valid=valid)
        self._learn(records, run)
        return self

    def predict(self, inputs: Any) -> Predictions:
        parts = [predictions for _, predictions in self.parts(inputs)]
        return Predictions.joined(parts) if parts else self._predictions([], [])

    def parts(self, inputs: Any) -> Iterator[tuple[Records, Predictions]]:
        self.require_fitted("predict")
        for records in asking.parts_of(inputs, self.settings, _PART):
            given = {row: problem.reason for row, problem in records.problems.items()}
            lists, reasons = self._answers(asking.wishes_of(records, self.settings), given=given)
            yield records, self._predictions(lists, reasons)

    def recommend(
        self,
        users: Sequence[Any] | None = None,
        *,
        histories: Sequence[Sequence[Any]] | None = None,
        k: int | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> list[list[dict[str, Any]] | None]:
        """The best items for each user, or for each history; None for one of whom nothing is known.

        Args:
            users: by name.
            histories: items by name or title, a list for each person; beside `users`, what is new of them. Items that
                are not known have no part.
            k: how many items; the setting `k` if not given.
            where: columns of the items' table and what they must hold, such as `{"genre": "Comedy"}`.

        Raises:
            NotFittedError: nothing was learnt yet.
            SettingError: neither users nor histories were given, or not as many of both; `k` cannot be.
            NotFoundError: there is no such column.
        """
        self.require_fitted("recommend")
        asking.refuse_bare(users, histories)
        users = None if users is None else list(users)  # a column of pandas counts by its labels
        histories = None if histories is None else list(histories)
        count = len(users if users is not None else histories or ())
        if not count or (users is not None and histories is not None and len(histories) != count):
            raise SettingError(
                "recommend needs users, histories, or as many of both", where="recommend",
                got={"users": users, "histories": histories}, fix="Give users=[...] or histories=[[...]].",
            )  # fmt: skip
        wishes = [
            Wish(None if users is None else users[row], () if histories is None else self.called.all(histories[row]))
            for row in range(count)
        ]
        k = self.settings.k if k is None else options.check(replace(self.settings, k=k)).k
        return self._answers(wishes, k=k, allowed=choosing.allowed(self.items, where, len(self._known.item_ids)))[0]

    def lists(
        self, wishes: Sequence[Wish], *, k: int | None = None, allowed: np.ndarray | None = None,
        given: Mapping[int, str] | None = None,
    ) -> tuple[list[Any], list[str | None]]:  # fmt: skip
        """What `recommend` gives, with the reason for each None.

        Args:
            wishes: the rows.
            k: how many items; the setting `k` if not given.
            allowed: a mask of the items that may be recommended.
            given: reasons that rows have already.
        """
        return self._answers(wishes, k=k, allowed=allowed, given=given)

    def predictions(self, lists: list[Any], reasons: list[str | None]) -> Predictions:
        """Lists as `predict` gives them."""
        return self._predictions(lists, reasons)

    def similar(
        self, item: Any, *, k: int | None = None, where: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:  # fmt: skip
        """The items that the model would recommend to someone who had to do with this one alone.

        Raises:
            NotFoundError: there is no item of this name or title.
        """
        self.require_fitted("similar")
        found = self.recommend(histories=[[self.called.one(item)]], k=k, where=where)[0]
        return found or []

    def why(self, item: Any, *, user: Any = None, history: Sequence[Any] = (), most: int = 3) -> list[dict[str, Any]]:
        """The items of a history that speak most for an item: by how much its score falls without each.

        A history of more than 200 items is looked at in its last 200.

        Raises:
            NotFoundError: the user or the item is not known.
            SettingError: the history is no list.
        """
        self.require_fitted("why")
        asking.refuse_bare(None, [history])
        place = int(self._known.item_ids.positions([self.called.one(item)])[0])
        found = asking.answerable([Wish(user, self.called.all(history))], self._known)
        if not len(found.rows):
            raise DataError(found.reasons[0], where="why", fix="Name a known user, or give items of a history.")
        parts = reasons(self._fitted, found.asked.histories.of(0), np.array([place]), most)[0]
        return [{"item": self._known.item_ids[one], "score": part} for one, part in parts]

    @property
    def called(self) -> Called:
        """The items by what people call them."""
        if self._called is None or self._called.ids is not self._known.item_ids:
            self._called = Called(self._known.item_ids, titles(self.items, self._known.item_ids))
        return self._called

    def titles(self) -> dict[str, str]:
        """What people call the items, by the text of their names; empty where nothing is told of them."""
        found = titles(self.items, self._known.item_ids)
        return {str(name): title for name, title in zip(self._known.item_ids.names, found, strict=True) if title}

    def evaluate(self, records: Any) -> Report:
        self.require_fitted("evaluate")
        rows, aside = self._rows(records)
        rule = self._rule if preparing.is_canonical(rows) else Rule()
        test = tested(rows, self._known, self.settings, rule)
        measured = choosing.measured(self._everyone(), test, self._known, self.settings, self.items, self.shown_model)
        return Report.of_recommendation(
            measured, task=self.task, model=self.shown_model, rows={"test": len(rows.usable)}, quarantine=aside
        )

    def marks(self, records: Records) -> Marks:
        self.require_fitted("marks")
        test = tested(self._rows(records)[0], self._known, self.settings, self._rule)
        if self._fitted.rates and test.ratings is not None:
            # What gives ratings is judged by them: how near it is, on a scale from 0 to 1.
            wrong = measuring.errors(self._fitted, test.question.asked, test.users, test.ratings)
            reach = max(float(np.ptp(self._known.histories.values)), 1e-9)
            near = np.clip(1 - wrong[:, 1] / np.maximum(wrong[:, 2], 1) / reach, 0, 1)
            return Marks(near, near, 1 / max(1, len(near)))
        right = measuring.rank(self._fitted, test.question).of_users
        area = np.nan_to_num(right["auc"], nan=0.5)
        return Marks(right["ndcg"], area, 1 / max(1, len(area)))

    def gather(self, source: Any) -> Gathered:
        records, columns = preparing.read_interactions(source, self.settings)
        aside = Quarantine()
        aside.add(records)
        aside.refuse_over(self.settings.quarantine_share)
        return baskets.gathered(records, columns, aside)

    def view(self, values: Sequence[Any]) -> np.ndarray:
        return baskets.view(values)

    def traits(self, values: Sequence[Any]) -> Traits:
        return baskets.traits(values)

    def reading(self, values: Sequence[Any]) -> Traits:
        return Traits()

    def origin(self) -> Origin | None:
        return None

    def augment(self, values: Sequence[Any], method: str, draw: int, run: Run) -> list[Any]:
        return [None] * len(values)

    def write(self, folder: Path) -> None:
        state = {"protocol": self._rule.protocol, "cold": self._rule.cold, "items": self.items is not None}
        write_whole(folder / _STATE, json.dumps(state, ensure_ascii=False, indent=1).encode())
        self._known.write(folder)
        if self.items is not None:
            choosing.write_items(self.items, folder)
        (folder / _MODEL).mkdir()
        self._fitted.save(folder / _MODEL)

    def read(self, folder: Path) -> None:
        state = json.loads((folder / _STATE).read_text("utf-8"))
        self._rule = Rule(state["protocol"], state["cold"])
        self.kept = Kept.read(folder)
        self.items = choosing.read_items(folder) if state["items"] else None
        self.recommender = catalog.model_class(self.task, str(self.model_name)).load(folder / _MODEL)
        self.report = Report.found(folder.parent)

    @property
    def _fitted(self) -> Recommender:
        self.require_fitted("this")
        return self.recommender  # type: ignore[return-value]

    @property
    def _known(self) -> Kept:
        self.require_fitted("this")
        return self.kept  # type: ignore[return-value]

    def _learn(self, prepared: Divided, run: Run) -> None:
        """Fits the model; interactions that choose nothing are learnt from as well, unless trials are compared."""
        model_class = catalog.model_class(self.task, str(self.model_name))
        own = options.build(model_class.Settings, self.model_settings, where=f"model {self.model_name}")
        choosing.refuse_lack(model_class, prepared, str(self.model_name))
        apart = model_class.chooses or run.judge is not never
        shown = (TRAIN,) if apart else (TRAIN, VALID)
        learnt, held_out = prepared.of(*shown), prepared.of(VALID)
        tables = [
            None if table is None else table.aligned(ids)
            for table, ids in ((prepared.items, learnt.item_ids), (prepared.users, learnt.user_ids))
        ]
        self.items = choosing.plain_items(tables[0])
        self._rule = Rule(prepared.protocol, prepared.cold)
        everything = prepared.of(TRAIN, VALID, GIVEN)
        parts = prepared.parts[np.isin(prepared.parts, (TRAIN, VALID, GIVEN))]
        self.kept = Kept.of(everything, np.isin(parts, shown))
        began = time.monotonic()
        self.recommender = model_class(own, foundation=self.model_name).fit(
            Known(learnt, *tables), held_out if apart and len(held_out) else None, run.part("model")
        )
        told = self._told(prepared, held_out, time.monotonic() - began) if apart and len(held_out) else None
        trace = self.recommender.trace
        self.trace = Trace([*([told] if told else []), *trace.stages], trace.curve)
        for one in self.trace.stages:
            log.info("%s", one)

    def _told(self, prepared: Divided, held_out: Interactions, seconds: float) -> Stage:
        marks = self.marks(preparing.to_records(held_out))
        return stage(str(self.model_name), marks.right, seconds, "kept", self.settings.seed)

    def _everyone(self) -> dict[str, Recommender]:
        """The model and its baselines by name, the model first."""
        if self._beside is None:
            self._beside = choosing.baselines(str(self.model_name), self._known, self.settings)
        return {self.shown_model: self._fitted, **self._beside}

    def _rows(self, records: Any) -> tuple[Records, dict[str, Any]]:
        """Canonical rows, and what was set aside of them."""
        if isinstance(records, Records) and preparing.is_canonical(records):
            return records, {}
        aside = Quarantine()
        rows, _ = preparing.read_interactions(records, self.settings)
        aside.add(rows)
        aside.refuse_over(self.settings.quarantine_share)
        return rows, aside.summary()

    def _answers(
        self, wishes: Sequence[Wish], *, k: int | None = None, allowed: np.ndarray | None = None,
        given: Mapping[int, str] | None = None,
    ) -> tuple[list[Any], list[str | None]]:  # fmt: skip
        """A list of items for each row, or None and why."""
        found = asking.answerable(wishes, self._known, given)
        lists: list[Any] = [None] * len(wishes)
        reasons = [found.reasons.get(row) for row in range(len(wishes))]
        names = self._known.item_ids
        for rows in blocks(len(found.asked), self._fitted.n_items):
            asked = found.asked.take(rows)
            seen = asked.histories if self.settings.exclude_seen else None
            chosen = best(wanted(self._fitted, asked, seen, allowed), k or self.settings.k)
            for row, items, scores in zip(
                found.rows[rows].tolist(), chosen.items.tolist(), chosen.scores.tolist(), strict=True
            ):
                told = [
                    {"item": names[item], "score": score}
                    for item, score in zip(items, scores, strict=True)
                    if item >= 0
                ]
                lists[row] = told or None
                reasons[row] = None if told else asking.NOTHING_LEFT
        return lists, reasons

    def _predictions(self, lists: list[Any], reasons: list[str | None]) -> Predictions:
        kind = pa.array(self._known.item_ids.names[:1]).type if len(self._known.item_ids) else pa.string()
        answer = pa.list_(pa.struct([("item", kind), ("score", pa.float64())]))
        return Predictions(lists, None, (), reasons, answer)
