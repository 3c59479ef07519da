"""What every (task, model) of the catalog must do. Adding a model adds no line here."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.contract.entries import ROWS, Entry, with_case
from tests.contract.kinds import Kind, Table

import headwater
from headwater import catalog
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

Adapt = Callable[..., Any]


def test_learns_what_is_there(adapt: Adapt, entry: Entry, rows: Table) -> None:
    application = adapt(**(entry.kind.learnt if entry.is_basic else entry.kind.adapted))
    right = [a == b for a, b in zip(application.predict(rows).labels, rows["label"], strict=True)]
    assert np.mean(right) >= 0.9


def test_the_same_seed_gives_the_same_application(adapt: Adapt, fitted: Any, rows: Table) -> None:
    again = adapt()
    np.testing.assert_array_equal(again.predict(rows).probabilities, fitted.predict(rows).probabilities)


def test_inputs_are_left_as_they_were(fitted: Any, rows: Table) -> None:
    frame = pd.DataFrame(rows)
    before, kept = frame.copy(deep=True), copy.deepcopy(rows)
    fitted.predict(frame)
    fitted.evaluate(rows)
    pd.testing.assert_frame_equal(frame, before)
    assert rows == kept


def test_predicts_after_load_as_before_save(fitted: Any, folder: Path, rows: Table) -> None:
    loaded = headwater.load(folder)
    np.testing.assert_array_equal(loaded.predict(rows).probabilities, fitted.predict(rows).probabilities)
    assert loaded.report.metrics == fitted.report.metrics


def test_an_application_saved_twice_is_the_same(folder: Path, tmp_path: Path, rows: Table) -> None:
    loaded = headwater.load(folder)
    loaded.save(tmp_path / "again")
    again = headwater.load(tmp_path / "again")
    np.testing.assert_array_equal(again.predict(rows).probabilities, loaded.predict(rows).probabilities)


def test_two_loads_at_once_agree(fitted: Any, folder: Path, rows: Table) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: headwater.load(folder).predict(rows).probabilities, range(2)))
    for found in both:
        np.testing.assert_allclose(found, fitted.predict(rows).probabilities, atol=1e-6)


def test_labels_in_labels_out(adapt: Adapt, rows: Table, inputs: list[Any]) -> None:
    numbers = {**rows, "label": [7 if label == "good" else 3 for label in rows["label"]]}
    application = adapt(numbers)
    assert application.predict(inputs[:4]).classes == (3, 7)
    assert set(application.predict(inputs).labels) <= {3, 7}
    assert application.evaluate({**rows, "label": [str(label) for label in numbers["label"]]}).metrics["accuracy"]


def test_sees_inputs_before_it_has_learnt(entry: Entry, fitted: Any, inputs: list[Any]) -> None:
    application = type(fitted)(fitted.model_name, Settings(offline=True, **entry.kind.seen))
    values = list(map(entry.kind.value, inputs))
    seen = application.view(values)
    assert seen.shape[0] == len(inputs)
    assert seen.shape[1] > 1
    assert np.isfinite(seen).all()
    np.testing.assert_array_equal(application.view(values), seen)
    assert np.ptp(seen, axis=0).max() > 0, f"{entry} sees all inputs alike"


def test_can_be_ranked_before_it_has_learnt(unlearnt: Entry) -> None:
    rows, model, task = unlearnt.kind.table(30), unlearnt.model, unlearnt.task
    asked = {"models": [model], "task": task, "offline": True, **unlearnt.settings}
    first, again = (headwater.rank(rows, **asked) for _ in range(2))
    assert {one.model for one in first.measured} == {model, catalog.task(task).linear_baseline, "majority"}
    assert not first.refused
    assert all(0 <= one.score.low <= one.score.value <= one.score.high <= 1 for one in first.measured)
    ranks = [
        [(one.model, one.rank, one.score, one.logme, one.h_score) for one in found.measured] for found in (first, again)
    ]
    assert ranks[0] == ranks[1]


def test_tells_traits_of_every_input(fitted: Any, kind: Kind, inputs: list[Any]) -> None:
    traits = fitted.traits(list(map(kind.value, inputs)))
    measured = [*traits.numbers.values(), *(share for kinds in traits.shares.values() for share in kinds.values())]
    assert measured
    assert all(values.shape == (len(inputs),) for values in measured)
    assert len(traits.words) in (0, len(inputs))


def test_compares_its_data_with_itself_and_with_other(unlearnt: Entry) -> None:
    kind = unlearnt.kind
    rows, other = kind.table(ROWS), {kind.inputs: kind.other(60)}
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
    assert found.labels[::2] == alone.labels
    np.testing.assert_allclose(found.probabilities[::2], alone.probabilities, atol=1e-5)
    assert np.isnan(found.probabilities[1::2]).all()


def test_a_row_does_not_depend_on_its_neighbours(fitted: Any, inputs: list[Any]) -> None:
    together = fitted.predict(inputs).probabilities
    single = np.concatenate([fitted.predict([one]).probabilities for one in inputs[:5]])
    np.testing.assert_allclose(single, together[:5], atol=1e-5)
    np.testing.assert_allclose(fitted.predict(inputs[::-1]).probabilities, together[::-1], atol=1e-5)


def test_probabilities_sum_to_one(fitted: Any, inputs: list[Any]) -> None:
    found = fitted.predict(inputs)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-6)
    assert found.probabilities.min() >= 0
    assert set(found.classes) == {"good", "bad"}


def test_no_rows_give_no_predictions(fitted: Any) -> None:
    assert len(fitted.predict([])) == 0


def test_strange_inputs_get_an_answer(fitted: Any, kind: Kind) -> None:
    answers = {name: fitted.predict([make()]) for name, make in kind.strange.items()}
    assert {name: found.reasons for name, found in answers.items()} == {name: [None] for name in kind.strange}
    assert {found.labels[0] for found in answers.values()} <= {"good", "bad"}
    assert all(np.isfinite(found.probabilities).all() for found in answers.values())


def test_the_report_has_intervals_and_baselines(fitted: Any, entry: Entry) -> None:
    report = fitted.report
    accuracy = report.metrics["accuracy"]
    assert 0 <= accuracy.low <= accuracy.value <= accuracy.high <= 1
    assert "majority" in report.baselines
    linear = catalog.task(entry.task).linear_baseline
    assert (linear in report.baselines) == (entry.model != linear)
    assert report.gain


def test_several_labels_a_row(adapt: Adapt, kind: Kind, rows: Table) -> None:
    tags = [["good"] if label == "good" else ["bad", "long"] for label in rows["label"]]
    application = adapt({**rows, "label": tags})
    found = application.predict(rows[kind.inputs][:6])
    assert all(isinstance(labels, list) for labels in found.labels)
    assert application.report.metrics


@with_case("three-classes")
def test_three_classes_and_columns_in_another_script(adapt: Adapt, kind: Kind) -> None:
    table, columns = kind.cases["three-classes"]()
    inputs, labels = table.values()
    name, target = table
    application = adapt(table, **columns)
    found = application.predict({name: [*inputs[:6], None]})
    assert columns["target"] == target
    assert set(found.labels) <= {*labels, None}
    assert found.classes == tuple(sorted(set(labels)))
    assert len(found.classes) == 3
    np.testing.assert_allclose(found.probabilities[:6].sum(axis=1), 1, atol=1e-6)
    assert found.labels[6] is None
    assert [row["class"] for row in application.report.per_class] == list(found.classes)


@with_case("pairs")
def test_pairs_of_inputs(adapt: Adapt, kind: Kind) -> None:
    data, columns = kind.cases["pairs"]()
    application = adapt(data, **columns)
    found = application.predict([(data["left"][0], data["right"][0]), (data["left"][1], None)])
    assert found.labels[0] in ("good", "bad")
    assert found.labels[1] is None


@with_case("altered-copies")
def test_altered_copies_are_learnt_from_and_originals_stay(
    adapt: Adapt, entry: Entry, kind: Kind, inputs: list[Any]
) -> None:
    rows, asked = kind.cases["altered-copies"]()
    if entry.settings.get("strategy") == "few-shot":
        with pytest.raises(SettingError, match="Few-shot learns from the labelled rows as they are"):
            adapt(rows, **asked)
        return
    kept = copy.deepcopy(rows)
    application = adapt(rows, **asked)
    assert rows == kept
    told = application.report.augmentation
    assert set(told["copies"]) == set(asked["augment"].split(","))
    assert {example["before"] for example in told["examples"]} <= set(inputs)
    assert not {example["after"] for example in told["examples"]} & set(inputs)
    assert set(application.predict(rows).labels) <= {"good", "bad"}
    assert "Its altered copy" in application.report.to_html()
    again = adapt(rows, **asked)
    np.testing.assert_array_equal(again.predict(rows).probabilities, application.predict(rows).probabilities)


def test_marks_every_labelled_row(fitted: Any, rows: Table) -> None:
    marks = fitted.marks(reading.read(rows, fitted.settings))
    assert marks.right.shape == marks.truth.shape == (len(rows["label"]),)
    np.testing.assert_allclose(marks.right.mean(), fitted.evaluate(rows).metrics["accuracy"].value)
    assert 0 <= marks.score - marks.right.mean() < 1 / len(rows["label"])


def test_a_search_gives_an_application_that_predicts(entry: Entry, rows: Table) -> None:
    try:
        found = headwater.tune(entry.task, rows, model=entry.model, trials=2, **entry.settings)
    except SettingError as nothing:
        if "There is nothing to search" in str(nothing):
            return
        raise
    assert len(found.predict(rows)) == len(rows["label"])
    assert found.report is not None
    assert found.report.search["trials"] == 2


def test_a_source_is_learnt_from_as_well(adapt: Adapt, rows: Table, tmp_path: Path, entry: Entry) -> None:
    more = entry.kind.table(2 * ROWS)
    source = str(entry.kind.write({name: cells[ROWS:] for name, cells in more.items()}, tmp_path / "source"))
    if entry.settings.get("strategy") == "few-shot":
        with pytest.raises(SettingError, match="Few-shot learns from the labelled rows as they are"):
            adapt(rows, source=source)
        return
    report = adapt(rows, source=source, plan="joint").report
    assert report.plan["name"] == "joint"
    assert report.source["rows"] > 0
    linear = catalog.task(entry.task).linear_baseline
    assert any(name.startswith(linear) for name in report.baselines), "nothing learnt from the target alone"
    assert "what a source row counts" in report.to_html().lower()


def test_rows_without_labels_are_learnt_from_as_well(unlearnt: Entry, tmp_path: Path) -> None:
    kind = unlearnt.kind
    rows = kind.table(60)
    some = {name: cells[:40] for name, cells in rows.items()}
    more = kind.write({kind.inputs: rows[kind.inputs][40:]}, tmp_path / "more")
    given = {"model": unlearnt.model, "strategy": "probe", "epochs": 1, "unlabelled": str(more), **unlearnt.settings}
    report = headwater.adapt(unlearnt.task, some, **given, self_training_confidence=0.5, self_training_rounds=1).report
    assert report.unlabelled["rows"] == report.adaptation["rows"] == 20
    assert "points over doing nothing" in report.adaptation["sentence"] or not report.adaptation["kept"]
    assert report.adaptation["sentence"] in report.to_html()
    with pytest.raises(SettingError, match="DANN trains the encoder"):
        headwater.adapt(unlearnt.task, some, **given, unlabelled_method="dann")


# What must be refused, and how


def test_an_unfitted_application_says_so(entry: Entry) -> None:
    path = catalog.task(entry.task).path
    with pytest.raises(NotFittedError, match="predict needs a fitted application"):
        catalog.load(path, extra=None)(entry.model).predict(["x"])


def test_an_unknown_column_is_named(adapt: Adapt, rows: Table) -> None:
    with pytest.raises(NotFoundError, match=r"no column of this name\. Got 'labell'.*Did you mean label\?"):
        adapt(rows, target="labell")


def test_predict_without_the_input_column_is_refused(fitted: Any) -> None:
    with pytest.raises(NotFoundError, match="no column of this name"):
        fitted.predict({"other": ["x"]})


def test_empty_data_is_refused(adapt: Adapt, kind: Kind) -> None:
    with pytest.raises(DataError, match="There are column names but no rows"):
        adapt({kind.inputs: [], "label": []})


def test_one_class_is_refused(adapt: Adapt, rows: Table) -> None:
    with pytest.raises(DataError, match="at least two classes"):
        adapt({**rows, "label": ["good"] * len(rows["label"])})


def test_missing_targets_are_refused(adapt: Adapt, rows: Table) -> None:
    with pytest.raises(DataError, match="label is missing"):
        adapt({**rows, "label": [None] * len(rows["label"])})


def test_unseen_labels_are_set_aside_and_told(fitted: Any, rows: Table) -> None:
    report = fitted.evaluate({**rows, "label": [*rows["label"][:-1], "ugly"]})
    assert report.quarantine["count"] == 1
    assert "'ugly' was not in training" in json.dumps(report.quarantine)
    with pytest.raises(DataError, match="was not in training"):
        fitted.evaluate({**rows, "label": ["ugly"] * len(rows["label"])})


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
    """Every setting that is of other inputs than those of the entry, with a value that it could have."""
    others = [option for option in options_of(Settings) if not option.fits(catalog.task(entry.task).fields)]
    values: dict[str, Any] = {}
    for option in others:
        if isinstance(option.limit, Between):
            values[option.name] = option.limit.high
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
