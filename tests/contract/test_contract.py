"""What every (task, model) of the catalog must do. Adding a model adds no line here."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.contract.entries import ROWS, Entry
from tests.contract.kinds import Kind, Table, assert_same, numbers_of, rows_of
from tests.tuning.searches import Fixed

import headwater
from headwater import catalog, options
from headwater.application import Predictions
from headwater.data import reading
from headwater.errors import (
    ArtifactError,
    DataError,
    HeadwaterError,
    NotFittedError,
    NotFoundError,
    ResourceError,
    SettingError,
)
from headwater.options import Between, OneOf, options_of
from headwater.settings import Settings
from headwater.tuning.asked import Asked
from headwater.tuning.space import Space

Adapt = Callable[..., Any]


def test_learns_what_is_there(adapt: Adapt, entry: Entry, rows: Table) -> None:
    given = entry.kind.learnt if entry.is_basic else entry.kind.adapted
    if given is None:
        pytest.skip("a tiny foundation of this kind learns nothing in seconds")
    application = adapt(**given)
    assert entry.kind.right(application, rows) >= entry.kind.enough


def test_inputs_are_left_as_they_were(fitted: Any, rows: Table, entry: Entry) -> None:
    frame = pd.DataFrame(rows)
    before, kept = frame.copy(deep=True), copy.deepcopy(rows)
    fitted.predict(frame)
    fitted.evaluate(entry.kind.data(rows, entry.model))
    pd.testing.assert_frame_equal(frame, before)
    assert rows == kept


def test_predicts_after_load_as_before_save(fitted: Any, folder: Path, rows: Table) -> None:
    loaded = headwater.load(folder)
    assert_same(loaded.predict(rows), fitted.predict(rows))
    assert numbers_of(loaded.report) == numbers_of(fitted.report)


def test_an_application_saved_twice_is_the_same(folder: Path, tmp_path: Path, rows: Table) -> None:
    loaded = headwater.load(folder)
    loaded.save(tmp_path / "again")
    again = headwater.load(tmp_path / "again")
    assert_same(again.predict(rows), loaded.predict(rows))


def test_two_loads_at_once_agree(fitted: Any, folder: Path, rows: Table) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: headwater.load(folder).predict(rows), range(2)))
    for found in both:
        assert_same(found, fitted.predict(rows), atol=1e-6)


def test_sees_inputs_before_it_has_learnt(entry: Entry, fitted: Any, inputs: list[Any]) -> None:
    application = type(fitted)(fitted.model_name, Settings(offline=True, **entry.kind.seen))
    values = list(map(entry.kind.value, inputs))
    seen = application.view(values)
    assert seen.shape[0] == len(inputs)
    assert seen.shape[1] > 1
    assert np.isfinite(seen).all()
    np.testing.assert_array_equal(application.view(values), seen)
    assert np.ptp(seen, axis=0).max() > 0, f"{entry} sees all inputs alike"


def test_tells_traits_of_every_input(fitted: Any, kind: Kind, inputs: list[Any]) -> None:
    traits = fitted.traits(list(map(kind.value, inputs)))
    measured = [*traits.numbers.values(), *(share for kinds in traits.shares.values() for share in kinds.values())]
    assert measured
    assert all(values.shape == (len(inputs),) for values in measured)
    assert len(traits.words) in (0, len(inputs))


def test_compares_its_data_with_itself_and_with_other(unlearnt: Entry) -> None:
    kind = unlearnt.kind
    tables = kind.table(ROWS), kind.strangers(60) if kind.strangers else {kind.inputs: kind.other(60)}
    rows, other = (kind.data(table, unlearnt.model) for table in tables)
    asked = {"model": unlearnt.model, "task": unlearnt.task, "offline": True, **unlearnt.settings}
    assert headwater.compare(rows, rows, **asked).differs is False
    found = headwater.compare(rows, other, **asked)
    assert found.differs is True
    assert found.proxy is not None
    assert found.proxy.value > 1
    assert headwater.compare(rows, **asked).differs is None


def test_one_row_out_for_every_row_in(fitted: Any, kind: Kind, inputs: list[Any]) -> None:
    bad = kind.bad()
    mixed = [one for pair in zip(inputs, bad, strict=False) for one in pair] + [inputs[len(bad)]]
    found, alone = fitted.predict(mixed), fitted.predict(mixed[::2])
    assert [label is None for label in found.labels] == [row % 2 == 1 for row in range(len(mixed))]
    assert [bool(reason) for reason in found.reasons] == [row % 2 == 1 for row in range(len(mixed))]
    assert_same(rows_of(found, slice(0, None, 2)), alone, atol=1e-5)
    assert found.probabilities is None or np.isnan(found.probabilities[1::2]).all()


def test_a_row_does_not_depend_on_its_neighbours(fitted: Any, inputs: list[Any]) -> None:
    together = fitted.predict(inputs)
    single = Predictions.joined([fitted.predict([one]) for one in inputs[:5]])
    assert_same(single, rows_of(together, slice(5)), atol=1e-5)
    assert_same(fitted.predict(inputs[::-1]), rows_of(together, slice(None, None, -1)), atol=1e-5)


def test_no_rows_give_no_predictions(fitted: Any) -> None:
    assert len(fitted.predict([])) == 0


def test_strange_inputs_get_an_answer(fitted: Any, kind: Kind) -> None:
    answers = {name: fitted.predict([make()]) for name, make in kind.strange.items()}
    assert {name: found.reasons for name, found in answers.items()} == {name: [None] for name in kind.strange}
    assert None not in [found.labels[0] for found in answers.values()]
    assert all(found.probabilities is None or np.isfinite(found.probabilities).all() for found in answers.values())


def test_the_report_has_intervals_and_baselines(fitted: Any, entry: Entry) -> None:
    report = fitted.report
    assert 0 <= report.score.low <= report.score.value <= report.score.high <= 1
    linear = catalog.task(entry.task).linear_baseline
    assert (linear in report.baselines) == (linear not in (None, entry.model))
    assert len(report.baselines) > bool(linear in report.baselines)
    assert report.gain


def test_marks_every_labelled_row(fitted: Any, rows: Table) -> None:
    marks = fitted.marks(reading.read(rows, fitted.settings))
    assert marks.right.shape == marks.truth.shape == (ROWS,)
    assert 0 <= marks.right.min() <= marks.right.max() <= 1
    assert 0 <= marks.score - marks.right.mean() < 1 / ROWS


def test_every_end_of_a_search_is_a_setting_of_the_model(unlearnt: Entry) -> None:
    space = _space(unlearnt.task, unlearnt.model)
    for share in (0.0, 0.5, 1.0) if space else ():
        request = space.request(space.draw(Fixed(share), ROWS))
        options.check(request.settings)
        options.build(catalog.model_class(unlearnt.task, unlearnt.model).Settings, request.model_settings)


def test_a_search_gives_an_application_that_predicts(entry: Entry, rows: Table) -> None:
    names = (model.name for model in catalog.models(entry.task))
    if entry.model != next(name for name in names if _space(entry.task, name)):
        pytest.skip("one model of each task stands for all: what differs are the settings it may vary")
    found = headwater.tune(
        entry.task, entry.kind.data(rows, entry.model), model=entry.model, trials=2, **entry.settings
    )
    assert len(found.predict(rows)) == ROWS
    assert found.report is not None
    assert found.report.search["trials"] == 2


def _space(task: str, model: str) -> Space | None:
    """What a search may vary of a model; None where it is always the same."""
    with contextlib.suppress(SettingError):  # there is nothing to search
        return Asked.of(task, "rows.csv", model, {}).space
    return None


# What must be refused, and how


def test_an_unfitted_application_says_so(entry: Entry) -> None:
    path = catalog.task(entry.task).path
    with pytest.raises(NotFittedError, match="predict needs a fitted application"):
        catalog.load(path, extra=None)(entry.model).predict(["x"])


def test_an_unknown_column_is_named(adapt: Adapt, kind: Kind, rows: Table) -> None:
    with pytest.raises(
        NotFoundError, match=rf"no column of this name\. Got '{kind.target}x'.*Did you mean {kind.target}\?"
    ):
        adapt(rows, **{kind.target_setting: f"{kind.target}x"})


def test_predict_without_the_input_column_is_refused(fitted: Any) -> None:
    with pytest.raises(NotFoundError, match="no column of this name"):
        fitted.predict({"other": ["x"]})


def test_empty_data_is_refused(adapt: Adapt, kind: Kind) -> None:
    with pytest.raises(DataError, match="There are column names but no rows"):
        adapt({kind.inputs: [], kind.target: []})


def test_missing_targets_are_refused_where_one_is_wanted(adapt: Adapt, kind: Kind, rows: Table) -> None:
    if not kind.needs_target:
        assert adapt({kind.inputs: rows[kind.inputs]}).report.score.value >= 0
        return
    with pytest.raises(DataError, match="missing"):
        adapt({**rows, kind.target: [None] * ROWS})


def test_an_unwritable_folder_is_told_before_the_work(adapt: Adapt, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises((ResourceError, ArtifactError), match="run folder"):
        adapt(to=tmp_path / "file" / "run")


def _wrong_values() -> list[tuple[str, Any]]:
    wrong: list[tuple[str, Any]] = []
    for option in options_of(Settings):
        if isinstance(option.limit, Between) and option.limit.low is not None:
            wrong.append((option.name, option.limit.low - 1))
        elif isinstance(option.limit, OneOf) or option.limit is not None:
            wrong.append((option.name, "no such value"))
        elif option.kind is bool:
            wrong.append((option.name, "perhaps"))
    return wrong


def test_every_wrong_setting_gets_its_sentence(adapt: Adapt) -> None:
    wrong = _wrong_values()
    assert len(wrong) >= 20
    for name, value in wrong:
        with pytest.raises(HeadwaterError, match=f"{name} cannot have this value. Got .* Accepted: "):
            adapt(**{name: value})


def test_every_wrong_setting_of_the_model_gets_its_sentence(adapt: Adapt, entry: Entry) -> None:
    for option in options_of(catalog.model_class(entry.task, entry.model).Settings):
        with pytest.raises(HeadwaterError, match=f"{option.name} cannot have this value"):
            adapt(**{option.name: object() if option.limit is None else -1})


def _of_other_inputs(entry: Entry) -> dict[str, Any]:
    """Every setting that is of other inputs than those of the entry, with a value that it could have.

    One whose name the model has for a setting of its own is the model's.
    """
    fields = catalog.task(entry.task).fields
    own = {option.name for option in options_of(catalog.model_class(entry.task, entry.model).Settings)}
    others = [o for o in options_of(Settings) if not o.fits(fields) and not o.needs and o.name not in own]
    values: dict[str, Any] = {}
    for option in others:
        if isinstance(option.limit, Between):
            values[option.name] = option.limit.high
        elif option.kind is bool:
            values[option.name] = not option.default
        elif option.kind is float:
            values[option.name] = 1.0
        elif isinstance(option.limit, OneOf):
            values[option.name] = next(name for name in option.limit.choices if name != option.default)
        else:
            values[option.name] = "x"
    return values


def test_a_setting_of_other_inputs_is_refused(adapt: Adapt, entry: Entry) -> None:
    others = _of_other_inputs(entry)
    assert len(others) >= 3
    for name, value in others.items():
        with pytest.raises(SettingError, match=f"{name} has a part only with tasks of the field .*; {entry.task} is"):
            adapt(**{name: value})


def test_an_unknown_setting_is_refused(adapt: Adapt) -> None:
    with pytest.raises(HeadwaterError, match="Did you mean epochs"):
        adapt(epoch=3)
