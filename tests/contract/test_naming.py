"""What every (task, model) that names classes must do, beside what all must."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.contract.entries import ROWS, Entry, entries, models_of, with_case
from tests.contract.kinds import Kind, Table

import headwater
from headwater import catalog
from headwater.errors import (
    DataError,
    SettingError,
)

Adapt = Callable[..., Any]
NAMING = entries(output="Category")
of_naming = pytest.mark.parametrize("entry", NAMING, ids=str, indirect=True)
of_unlearnt = pytest.mark.parametrize("unlearnt", models_of(NAMING), ids=str, indirect=True)


@of_naming
def test_labels_in_labels_out(adapt: Adapt, rows: Table, inputs: list[Any]) -> None:
    numbers = {**rows, "label": [7 if label == "good" else 3 for label in rows["label"]]}
    application = adapt(numbers)
    assert application.predict(inputs[:4]).classes == (3, 7)
    assert set(application.predict(inputs).labels) <= {3, 7}
    assert application.evaluate({**rows, "label": [str(label) for label in numbers["label"]]}).metrics["accuracy"]


@of_unlearnt
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


@of_naming
def test_probabilities_sum_to_one(fitted: Any, inputs: list[Any]) -> None:
    found = fitted.predict(inputs)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-6)
    assert found.probabilities.min() >= 0
    assert set(found.classes) == {"good", "bad"}


@of_naming
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


@of_naming
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


@of_unlearnt
def test_rows_without_labels_are_learnt_from_as_well(unlearnt: Entry, tmp_path: Path) -> None:
    kind = unlearnt.kind
    rows = kind.table(60)
    some = {name: cells[:40] for name, cells in rows.items()}
    more = kind.write({kind.inputs: rows[kind.inputs][40:]}, tmp_path / "more")
    basic = unlearnt.model in {model.name for model in catalog.models(unlearnt.task)}
    strategy = {} if basic else {"strategy": "probe"}
    given = {"model": unlearnt.model, **strategy, "epochs": 1, "unlabelled": str(more), **unlearnt.settings}
    report = headwater.adapt(unlearnt.task, some, **given, self_training_confidence=0.5, self_training_rounds=1).report
    assert report.unlabelled["rows"] == report.adaptation["rows"] == 20
    assert "points over doing nothing" in report.adaptation["sentence"] or not report.adaptation["kept"]
    assert report.adaptation["sentence"] in report.to_html()
    with pytest.raises(SettingError, match="DANN trains the encoder"):
        headwater.adapt(unlearnt.task, some, **given, unlabelled_method="dann")


@of_naming
def test_one_class_is_refused(adapt: Adapt, rows: Table) -> None:
    with pytest.raises(DataError, match="at least two classes"):
        adapt({**rows, "label": ["good"] * len(rows["label"])})


@of_naming
def test_unseen_labels_are_set_aside_and_told(fitted: Any, rows: Table) -> None:
    report = fitted.evaluate({**rows, "label": [*rows["label"][:-1], "ugly"]})
    assert report.quarantine["count"] == 1
    assert "'ugly' was not in training" in json.dumps(report.quarantine)
    with pytest.raises(DataError, match="was not in training"):
        fitted.evaluate({**rows, "label": ["ugly"] * len(rows["label"])})
