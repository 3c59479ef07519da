"""Copies are made of training rows alone, weigh what their row has weighed, and are refused where they mean nothing."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.contract.texts import texts
from tests.tiny import make_bert, make_masked

import headwater
from headwater.errors import SettingError
from headwater.language.classification.task import TextClassification
from headwater.options import build
from headwater.run import Run
from headwater.settings import Settings
from headwater.transfer import augmenting
from headwater.transfer.classifier import Examples
from headwater.transfer.virtual import virtual

BOTH = ("word-dropout", "word-swap")


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADWATER_CACHE", str(tmp_path / "cache"))


def _train(rows: int = 40) -> Examples:
    table = texts(rows)
    return Examples(table["text"], np.arange(rows) % 2, 2)


def _augmented(train: Examples, tmp_path: Path, **given: Any) -> tuple[Examples, dict[str, Any]]:
    settings = Settings(**{"augment": BOTH, **given})
    balanced = augmenting.balanced(train, settings)
    return augmenting.augmented(TextClassification("tfidf-logistic"), balanced, Run(settings, tmp_path))


def test_without_a_method_nothing_is_made(tmp_path: Path):
    train = _train()
    found, findings = _augmented(train, tmp_path, augment=None)
    assert (list(found.inputs), found.altered, found.weights, findings) == (train.inputs, None, None, {})
    assert found.drawn.tolist() == list(range(40))


@pytest.mark.parametrize(("copies", "weight"), [(1, 1.0), (3, 1.0), (2, 0.5)])
def test_a_row_and_its_copies_weigh_what_the_row_has_weighed(copies: int, weight: float, tmp_path: Path):
    train = _train()
    found, _ = _augmented(train, tmp_path, augment_copies=copies, augment_weight=weight, imbalance="weights")
    assert len(found) == 40 * (1 + copies)
    assert found.inputs[:40] == train.inputs
    np.testing.assert_allclose(np.bincount(found.parent, found.weights), 1)
    np.testing.assert_allclose(np.bincount(found.parent, found.weights * found.altered), weight / (1 + weight))
    np.testing.assert_array_equal(found.targets, train.targets[found.parent])
    assert found.drawn.tolist() == list(range(40))


def test_a_row_that_cannot_be_altered_keeps_its_weight(tmp_path: Path):
    train = Examples(["good", "bad film", "fine"], np.array([0, 1, 0]), 2)
    found, findings = _augmented(train, tmp_path)
    assert found.inputs[:3] == ["good", "bad film", "fine"]
    assert found.parent.tolist() == [0, 1, 2, 1]
    assert found.weights.tolist() == [1.0, 0.5, 1.0, 0.5]
    assert findings["unaltered"] == 2
    assert sum(findings["copies"].values()) == 1


def test_methods_take_turns_whatever_the_order_of_the_classes(tmp_path: Path):
    train = _train(200)
    found, findings = _augmented(train, tmp_path)
    assert set(findings["copies"].values()) == {100}
    fewer = np.array([len(text.split()) < 6 for text in found.inputs[200:]])
    by_class = [fewer[found.targets[200:] == number].mean() for number in (0, 1)]
    assert all(0.3 < share < 0.7 for share in by_class)


def test_rows_drawn_again_get_copies_of_their_own(tmp_path: Path):
    train = _train().take(np.array([*range(0, 40, 2), 1]))
    found, _ = _augmented(train, tmp_path, imbalance="oversample")
    copies = [
        text for text, row, made in zip(found.inputs, found.parent, found.altered, strict=True) if made and row == 20
    ]
    assert len(copies) == 20
    assert len(set(copies)) > 5


def test_examples_before_and_after_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO, "headwater"):
        _, findings = _augmented(_train(), tmp_path)
    assert "augmentation: 20 copies by word-dropout, 20 copies by word-swap" in caplog.text
    assert [row["method"] for row in findings["examples"]] == ["word-dropout"] * 3 + ["word-swap"] * 3
    assert all(row["before"] != row["after"] for row in findings["examples"])


@pytest.mark.parametrize("how", ["none", "weights", "class-balanced", "oversample", "undersample", "smote"])
def test_balanced_rows_know_their_source(how: str):
    train = _train().take(np.array([*range(0, 40, 2), 1, 3, 5]))
    found = augmenting.balanced(train, Settings(imbalance=how))
    assert [train.inputs[row] for row in found.parent.tolist()] == list(found.inputs)
    sizes = np.bincount(found.targets, found.weights)
    if how in ("weights", "oversample", "undersample"):
        assert sizes[0] == pytest.approx(sizes[1])
    if how == "class-balanced":
        assert sizes[1] > 3


def test_validation_and_test_rows_stay_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    seen: dict[str, Examples] = {}
    fit = headwater.catalog.model_class("text-classification", "tfidf-svm").fit

    def noted(self: Any, train: Examples, valid: Examples, run: Run) -> Any:
        seen.update(train=train, valid=valid)
        return fit(self, train, valid, run)

    monkeypatch.setattr("headwater.language.classification.tfidf.TfidfSvm.fit", noted)
    table = texts(80)
    application = TextClassification("tfidf-svm", Settings(augment=BOTH, augment_copies=3))
    prepared = application.prepare(table)
    parts = {name: getattr(prepared, name).column("text") for name in ("train", "valid", "test")}
    application.fit(prepared)
    assert list(seen["valid"].inputs) == parts["valid"]
    assert seen["valid"].altered is None
    assert prepared.test.column("text") == parts["test"]
    held_out = {word for name in ("valid", "test") for text in parts[name] for word in (text.split()[0],)}
    # The first word is the row's own number: a copy of a held-out row would bring it along.
    assert not held_out & {word for text in seen["train"].inputs for word in text.split()}
    assert len(seen["train"]) == 4 * len(parts["train"])


def test_the_baseline_learns_from_the_rows_alone(tmp_path: Path):
    plain = headwater.adapt("text-classification", texts(60), model="tfidf-svm")
    altered = headwater.adapt("text-classification", texts(60), model="tfidf-svm", augment=BOTH)
    rows = texts(60)["text"]
    np.testing.assert_array_equal(plain.baseline.logits(rows), altered.baseline.logits(rows))
    assert not np.array_equal(plain.classifier.logits(rows), altered.classifier.logits(rows))


@pytest.mark.parametrize("strategy", ["probe", "full", "probe-then-full"])
def test_mixup_and_copies_are_learnt_by_a_foundation(strategy: str, tmp_path: Path):
    found = headwater.adapt(
        "text-classification", texts(60), model=str(make_bert(tmp_path / "tiny")), strategy=strategy, epochs=1,
        augment=("word-dropout", "mixup"),
    )  # fmt: skip
    told = found.report.augmentation
    assert told["copies"] == {"word-dropout": told["rows"]}
    assert (told.get("made") == {"mixup": told["rows"]}) == (strategy != "full")
    assert told.get("mixed_batches") == (None if strategy == "probe" else strategy)


def test_smote_serves_the_probe_and_weighs_what_comes_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    weights: list[Any] = []
    from headwater.transfer import stages

    finetune = stages.finetune
    monkeypatch.setattr(stages, "finetune", lambda *given: weights.append(given[2].weights) or finetune(*given))
    table = {
        name: [cell for row, cell in enumerate(cells) if row % 2 or row % 10 == 0] for name, cells in texts(100).items()
    }
    found = headwater.adapt(
        "text-classification", table, model=str(make_bert(tmp_path / "tiny")), strategy="probe-then-full", epochs=1,
        imbalance="smote", augment="word-swap",
    )  # fmt: skip
    assert found.report.augmentation["made"]["smote"] > 10
    assert len(set(np.round(weights[0], 6))) == 2


def test_mixtures_copies_and_neighbours_keep_their_parents_and_weights():
    train = Examples(
        ["a", "b", "c", "d", "b2", "c2"], np.array([0, 0, 0, 1, 0, 0]), 2,
        np.array([1.0, 0.5, 0.5, 1.0, 0.5, 0.5]), np.array([0, 1, 2, 3, 1, 2]), np.array([0, 0, 0, 0, 1, 1], bool),
    )  # fmt: skip
    features = np.arange(12.0, dtype=np.float32).reshape(6, 2)
    own, rows, made, counts = virtual(features, train, Settings(augment=("mixup",), imbalance="smote"))
    assert list(rows.inputs) == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(own, features[:4])
    assert made.parents[:2].tolist() == [[1, 1], [2, 2]]
    np.testing.assert_array_equal(made.features[:2], features[4:])
    assert counts == {"mixup": 4, "smote": 2}
    assert rows.weights.tolist() == [0.5, 0.25, 0.25, 0.5]
    assert made.weights.tolist() == [0.5, 0.5, 0.5, 0.25, 0.25, 0.5, 1.0, 1.0]


def test_a_model_that_writes_does_so_once_for_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    given: dict[str, Any] = {
        "model": "tfidf-logistic", "augment": "span-masking", "augment_model": str(make_masked(tmp_path / "masked")),
        "device": "cpu",
    }  # fmt: skip
    words = ["good film", "bad plot"]
    table = {"text": [f"the {words[row % 2]} and music {row} story" for row in range(60)], "label": [0, 1] * 30}
    source = tmp_path / "rows.jsonl"
    source.write_text("\n".join(f'{{"text": "{t}", "label": {y}}}' for t, y in zip(*table.values(), strict=True)))
    whole = headwater.adapt("text-classification", source, **given)
    with monkeypatch.context() as patch:
        patch.setattr(headwater.workspace, "finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            headwater.adapt("text-classification", source, to=tmp_path / "run", **given)
    monkeypatch.setattr("headwater.language.filling.masked_model", None)
    monkeypatch.chdir(tmp_path / "cache" if (tmp_path / "cache").exists() else tmp_path)
    resumed = headwater.flow.resume(tmp_path / "run")
    assert resumed.report.augmentation == whole.report.augmentation
    np.testing.assert_array_equal(resumed.predict(table).probabilities, whole.predict(table).probabilities)


# What is refused


@pytest.mark.parametrize(("name", "value"), [("augment_copies", 3), ("augment_weight", 0.5), ("augment_model", "bert")])
def test_how_copies_are_made_is_refused_where_none_are(name: str, value: Any):
    told = f"{name} has no part in a training without copies. Got .* Accepted: with --augment. Leave --{name}".replace(
        "Leave --augment_", "Leave --augment-"
    )
    with pytest.raises(SettingError, match=told):
        headwater.adapt("text-classification", texts(40), model="tfidf-logistic", **{name: value})


def test_mixup_on_a_basic_model_is_refused():
    with pytest.raises(
        SettingError, match=r"--augment: Mixup mixes the features of a foundation, and this model has none"
    ):
        headwater.adapt("text-classification", texts(40), model="tfidf-logistic", augment="mixup")


@pytest.mark.parametrize(("model", "strategy"), [("tfidf-logistic", "auto"), ("minilm", "full"), ("minilm", "lora")])
def test_smote_without_fixed_features_is_refused(model: str, strategy: str):
    told = (
        r"SMOTE makes rows out of the frozen features of a foundation, and here are none.*probe, probe-then-full, auto"
    )
    with pytest.raises(SettingError, match=told):
        headwater.adapt("text-classification", texts(40), model=model, strategy=strategy, imbalance="smote")


def test_smote_of_several_labels_is_refused():
    table = texts(40)
    table["label"] = [[label] for label in table["label"]]
    with pytest.raises(SettingError, match="SMOTE needs one label a row, and here a row may have several"):
        headwater.adapt("text-classification", table, model="minilm", strategy="probe", imbalance="smote")


def test_an_unknown_method_is_refused_with_the_nearest():
    with pytest.raises(SettingError, match=r"augment cannot have this value.*Did you mean word-swap"):
        headwater.adapt("text-classification", texts(40), augment="word-dropout,word-swop")


@pytest.mark.parametrize(
    ("given", "named"), [({"augment": "word-swap"}, "--augment"), ({"source": "a.csv"}, "--source")]
)
def test_few_shot_takes_its_rows_as_they_are(given: dict[str, str], named: str):
    told = rf"--strategy few-shot: Few-shot learns from the labelled rows as they are\. Got '{named}'"
    with pytest.raises(SettingError, match=told):
        augmenting.refuse(build(Settings, {"strategy": "few-shot", **given}), "few-shot", several=False)
