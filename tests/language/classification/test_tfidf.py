import json
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file
from sklearn.linear_model import LogisticRegression

from headwater.language.classification import tfidf
from headwater.language.classification.tfidf import TfidfLogistic, TfidfSvm
from headwater.run import Run
from headwater.settings import Settings
from headwater.transfer.classifier import Examples

MODELS = [TfidfLogistic, TfidfSvm]
TEXTS = [f"{word} film number {n}" for n in range(12) for word in ("good", "bad", "odd")]
CLASSES = np.array([0, 1, 2] * 12)


@pytest.fixture
def run(tmp_path):
    return Run(Settings(), tmp_path)


def fitted(model, run, texts=TEXTS, targets=CLASSES, n_classes=3, weights=None):
    examples = Examples(texts, targets, n_classes, weights)
    return model().fit(examples, examples, run)


def test_the_map_is_that_of_the_solver_on_the_same_features(run):
    model = fitted(TfidfLogistic, run, targets=CLASSES % 2, n_classes=2)
    features = model.vectoriser.features(TEXTS)
    strength = float(model.trace.stages[0].name.removeprefix("C = "))
    solver = LogisticRegression(C=strength, solver="liblinear", dual=True, tol=1e-2, random_state=0)
    solver.fit(features, CLASSES % 2)
    logits = model.logits(TEXTS)
    np.testing.assert_allclose(logits[:, 1] - logits[:, 0], solver.decision_function(features), atol=1e-5)
    odds = np.exp(logits)
    np.testing.assert_allclose(odds / odds.sum(1, keepdims=True), solver.predict_proba(features), atol=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_classes_are_told_apart_and_saved_whole(model, run, tmp_path):
    made = fitted(model, run)
    assert made.logits(["a good one", "a bad one", "an odd one"]).argmax(axis=1).tolist() == [0, 1, 2]
    made.save(tmp_path / "saved")
    np.testing.assert_array_equal(model.load(tmp_path / "saved").logits(TEXTS), made.logits(TEXTS))
    assert sorted(path.name for path in (tmp_path / "saved").iterdir()) == ["model.json", "model.safetensors"]
    assert json.loads((tmp_path / "saved" / "model.json").read_text("utf-8"))["pairs"] is False
    assert load_file(tmp_path / "saved" / "model.safetensors")["weight"].shape[0] == 3


@pytest.mark.parametrize("model", MODELS)
def test_the_same_seed_gives_the_same_model(model, run):
    np.testing.assert_array_equal(fitted(model, run).weight, fitted(model, run).weight)


@pytest.mark.parametrize("model", MODELS)
def test_several_labels(model, run):
    texts = [f"{a} {b} {n}" for n in range(8) for a in ("red", "blue") for b in ("car", "bus")]
    targets = np.array([[text.startswith("red"), "car" in text, 1, 0] for text in texts], dtype=np.float32)
    logits = fitted(model, run, texts, targets, 4).logits(["red bus", "blue car"])
    assert ((logits > 0) == [[True, False, True, False], [False, True, True, False]]).all()


@pytest.mark.parametrize("model", MODELS)
def test_pairs(model, run):
    words = ["cat", "dog", "sun", "sea", "oak", "ink", "jug", "van"]
    pairs = [(a, b) for a in words for b in words for _ in range(1 + 6 * (a == b))]
    targets = np.array([int(a == b) for a, b in pairs])
    made = fitted(model, run, pairs, targets, 2)
    assert made.logits([("sun", "sun"), ("sun", "sea")]).argmax(axis=1).tolist() == [1, 0]
    assert made.logits([]).shape == (0, 2)


@pytest.mark.parametrize("model", MODELS)
def test_chinese(model, run):
    texts = ["房间很好", "服务很差", "非常好", "太差了"] * 5
    assert fitted(model, run, texts, np.array([1, 0, 1, 0] * 5), 2).logits(["好", "差"]).argmax(axis=1).tolist() == [
        1,
        0,
    ]


@pytest.mark.parametrize("model", MODELS)
def test_classes_without_rows_are_never_named(model, run):
    made = fitted(model, run, targets=np.where(CLASSES == 1, 3, CLASSES), n_classes=5)
    assert set(made.logits([*TEXTS, "🙃"]).argmax(axis=1)) <= {0, 2, 3}
    assert set(fitted(model, run, ["a", "b"], np.array([1, 1]), 2).logits(["a", "z"]).argmax(axis=1)) == {1}


@pytest.mark.parametrize("model", MODELS)
def test_one_row_of_each_class_and_unknown_or_long_texts(model, run):
    logits = fitted(model, run, ["good", "bad"], np.array([0, 1]), 2).logits(["good", "", "ζ", "bad " * 25_000])
    assert np.isfinite(logits).all()
    assert logits.argmax(axis=1)[[0, 3]].tolist() == [0, 1]


def test_weights_of_rows_move_the_odds(run):
    weights = np.where(CLASSES == 0, 50.0, 1.0)
    plain, heavy = fitted(TfidfLogistic, run), fitted(TfidfLogistic, run, weights=weights)
    assert heavy.logits(["film"]).argmax() == 0
    assert heavy.logits(["film"])[0, 0] > plain.logits(["film"])[0, 0]


def test_many_numbers_are_judged_on_one_fold(run, monkeypatch):
    folds = []
    solve = TfidfLogistic._solve
    monkeypatch.setattr(TfidfLogistic, "_solve", lambda self, *args: folds.append(1) or solve(self, *args))
    fitted(TfidfLogistic, run)
    assert len(folds) == 10
    monkeypatch.setattr("headwater.language.classification.tfidf._COST_OF_FOLDS", 1)
    fitted(TfidfLogistic, run)
    assert len(folds) == 14


def test_needs_no_torch():
    code = "import sys, headwater.language.classification.tfidf; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_rows_of_one_text_are_held_out_together():
    texts = [f"text {row}" for row in range(12)]
    drawn = np.array([*range(12), 1, 1, 3, 3, 5])
    train = Examples(texts, np.arange(12) % 2, 2).take(drawn)
    folds = tfidf._folds(train, seed=0)
    assert len(folds) == 3
    for rows, held in folds:
        assert {train.inputs[row] for row in rows} & {train.inputs[row] for row in held} == set()
        assert sorted([*rows, *held]) == list(range(17))
        assert np.bincount(train.targets[np.unique(drawn[held])]).tolist() == [2, 2]


def test_rows_of_a_group_are_held_out_together():
    group = np.repeat(np.arange(6), 4)
    train = Examples([f"text {row}" for row in range(24)], np.repeat([0, 1, 0, 1, 0, 1], 4), 2, group=group)
    folds = tfidf._folds(train, seed=0)
    assert len(folds) == 3
    assert all(set(group[rows]) & set(group[held]) == set() for rows, held in folds)


def test_the_middle_strength_where_no_row_can_be_spared(run):
    train = Examples(["good", "bad"], np.array([1, 0]), 2)
    assert TfidfLogistic().fit(train, train, run).trace.stages[0].name == "C = 8"


def test_copies_are_on_the_side_of_their_row_and_never_held_out():
    rows = np.arange(12)
    copies = Examples(
        [f"text {row}" for row in rows] + [f"altered {row}" for row in rows], np.tile(rows % 2, 2), 2,
        parent=np.tile(rows, 2), altered=np.repeat([False, True], 12),
    )  # fmt: skip
    folds = tfidf._folds(copies, seed=0)
    assert sorted(np.concatenate([held for _, held in folds]).tolist()) == rows.tolist()
    for fitted_on, held in folds:
        assert not set(copies.parents[fitted_on]) & set(copies.parents[held])
        assert len(fitted_on) == 2 * (12 - len(held))
