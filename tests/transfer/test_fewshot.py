import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from tests.tiny import WORDS, make_bert

import headwater
from headwater.foundation.text import TextEncoder
from headwater.run import Run
from headwater.settings import Settings
from headwater.transfer import contrastive, fewshot
from headwater.transfer.classifier import Examples
from headwater.transfer.fewshot import FewShot
from headwater.transfer.stages import Adaptation


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("HEADWATER_CACHE", str(tmp_path / "cache"))


def _examples(rows, classes=2):
    random = np.random.default_rng(rows)
    texts = [f"{' '.join(random.choice(WORDS[6:], 2))} {row} {WORDS[row % classes]}" for row in range(rows)]
    return Examples(texts, np.arange(rows) % classes, classes)


def _few_shot(folder, train, **settings):
    encoder = TextEncoder.load(make_bert(folder / "tiny"), "tiny")
    (folder / "run").mkdir(exist_ok=True)
    chosen = FewShot(encoder, train, Run(Settings(strategy="few-shot", device="cpu", **settings), folder / "run"))
    return chosen, chosen.fit()


def _answers(chosen, head, rows):
    chosen.encoder.network.eval()
    with torch.inference_mode():
        features = chosen.encoder.features(chosen.encoder.prepare(rows.inputs).batch(np.arange(len(rows)))).numpy()
    return head.logits(features).argmax(axis=1)


def test_every_head_on_both_bodies_is_a_stage_and_one_is_kept(tmp_path):
    chosen, _ = _few_shot(tmp_path, _examples(12), learning_rate=1e-2)
    bodies = [f"{body} {name}" for body in ("frozen", "contrastive") for name in fewshot.HEADS]
    assert [stage.name for stage in chosen.trace.stages] == bodies
    assert sum(stage.decision.startswith("kept: ") for stage in chosen.trace.stages) == 1
    assert all(0 <= stage.low <= stage.score <= stage.high <= 1 for stage in chosen.trace.stages)
    assert all("over 5 deals of the rows" in stage.decision for stage in chosen.trace.stages[:3])
    assert chosen.held_out is not None
    assert [len(part) for part in chosen.held_out] == [12, 12]


def test_the_kept_head_fits_the_encoder_as_it_is_left(tmp_path):
    train = _examples(16)
    chosen, head = _few_shot(tmp_path, train, learning_rate=1e-2, epochs=20)
    assert (_answers(chosen, head, train) == train.targets).mean() >= 0.9


def test_frozen_features_leave_the_foundation_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(fewshot, "choose", lambda heads, _: (heads[1], "for the test"))
    before = TextEncoder.load(make_bert(tmp_path / "tiny"), "tiny").fingerprint()
    chosen, _ = _few_shot(tmp_path, _examples(12), learning_rate=1e-2)
    assert chosen.encoder.source is not None
    assert chosen.encoder.fingerprint() == before


def test_one_row_a_class_has_a_stated_choice(tmp_path):
    chosen, head = _few_shot(tmp_path, _examples(3, classes=3))
    told = {stage.name: stage.decision for stage in chosen.trace.stages}
    assert told["frozen prototypes"] == "kept: the choice where no row can be spared for folds"
    assert told["contrastive"] == "not tried: folds of 1 rows a class leave no two to draw together"
    assert all(stage.score is None for stage in chosen.trace.stages)
    assert chosen.held_out is None
    assert np.isfinite(head.weight).all()


def test_a_class_of_one_row_among_others_is_learnt(tmp_path):
    train = _examples(13)
    lonely = Examples(train.inputs, np.where(np.arange(13) == 12, 2, train.targets), 3)
    chosen, head = _few_shot(tmp_path, lonely, learning_rate=1e-2, epochs=10)
    assert len(chosen.held_out[0]) == 12
    assert _answers(chosen, head, lonely)[12] == 2


def test_a_budget_that_is_used_up_leaves_the_tuning_out(tmp_path):
    chosen, _ = _few_shot(tmp_path, _examples(12), budget="0s")
    assert chosen.trace.stages[-1].decision.startswith("not tried: needs about")
    assert chosen.encoder.source is not None


@pytest.mark.parametrize(("budget", "begun"), [("90s", False), ("1h", True)])
def test_the_tuning_is_begun_only_if_its_estimate_fits_the_budget(tmp_path, monkeypatch, budget, begun):
    monkeypatch.setattr(FewShot, "_seconds", lambda _: 100.0)
    chosen, _ = _few_shot(tmp_path, _examples(12), budget=budget)
    told = {stage.name: stage for stage in chosen.trace.stages}
    assert ("contrastive prototypes" in told) == begun
    if not begun:
        assert re.fullmatch(
            r"not tried: needs about 1 min 40 s, (\d+ s|1 min \d+ s) left", told["contrastive"].decision
        )


def test_the_estimate_of_the_tuning_is_that_of_its_steps_and_folds(tmp_path, monkeypatch):
    chosen, _ = _few_shot(tmp_path, _examples(3, classes=3))
    clock = iter([10.0, 10.5])
    monkeypatch.setattr(fewshot, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    # Half a second a pass; the tuning is done once without each of three folds, and once with all rows.
    assert chosen._seconds() == pytest.approx(0.5 * 3.5 * contrastive.STEPS * 4)


def test_copies_of_a_row_never_straddle_the_folds(tmp_path):
    rows = _examples(6)
    several = rows.take(np.repeat(np.arange(6), 4))
    chosen, _ = _few_shot(tmp_path, several, learning_rate=1e-2)
    assert len(chosen.train) == 6
    np.testing.assert_array_equal(chosen.train.weights, np.full(6, 4.0))


def test_a_resumed_run_tells_the_same_and_ends_the_same(tmp_path):
    first, head = _few_shot(tmp_path, _examples(12), learning_rate=1e-2)
    second, again = _few_shot(tmp_path, _examples(12), learning_rate=1e-2)
    assert first.trace.stages == second.trace.stages
    np.testing.assert_array_equal(head.weight, again.weight)


def test_several_labels_a_row_fall_back_to_the_probe(tmp_path):
    rows = _examples(30)
    several = Examples(rows.inputs, np.eye(2, dtype=np.float32)[rows.targets], 2)
    encoder = TextEncoder.load(make_bert(tmp_path / "tiny"), "tiny")
    run = Run(Settings(strategy="few-shot", device="cpu"), tmp_path)
    adaptation = Adaptation(encoder, several, several.take(np.arange(0)), run)
    adaptation.fit()
    probe, refused = adaptation.trace.stages
    assert (probe.name, probe.decision) == ("probe", "kept")
    assert refused.decision == "not tried: a row may have several labels, and few-shot draws together rows of one"
    assert adaptation.held_out is not None


def test_every_row_trains_where_none_is_held_out_and_a_row_a_class_suffices(tmp_path):
    table = {"text": ["a good film", "a bad plot"], "label": ["good", "bad"]}
    test = {"text": ["a fine film", "a dull plot", "music", "story"], "label": ["good", "bad", "good", "bad"]}
    pd.DataFrame(test).to_csv(tmp_path / "test.csv", index=False)
    adapted = headwater.adapt(
        "text-classification", table, model=str(make_bert(tmp_path / "tiny")), strategy="few-shot",
        test=str(tmp_path / "test.csv"), target="label", text="text",
    )  # fmt: skip
    assert adapted.report.rows == {"train": 2, "valid": 0, "test": 4}
    assert adapted.temperature == 1.0
    assert [stage["name"] for stage in adapted.report.stages][-2:] == ["frozen discriminant", "contrastive"]


def test_validation_rows_of_the_users_own_set_the_temperature(tmp_path):
    rows = _examples(12)
    encoder = TextEncoder.load(make_bert(tmp_path / "tiny"), "tiny")
    run = Run(Settings(strategy="few-shot", device="cpu"), tmp_path)
    adaptation = Adaptation(encoder, rows, rows.take(np.arange(4)), run)
    adaptation.fit()
    assert adaptation.held_out is None


@pytest.mark.parametrize("alone", [True, False], ids=["a group of its own", "a group with others"])
def test_a_class_of_one_group_is_learnt_from_where_it_cannot_be_judged(tmp_path, alone):
    rows = _examples(18, classes=3)
    lone = rows.targets == 2
    lone = lone if alone else lone | (np.arange(18) < 2)
    chosen, head = _few_shot(tmp_path, replace(rows, group=np.where(lone, 100, np.arange(18))))
    assert all(0 <= stage.low <= stage.score <= stage.high <= 1 for stage in chosen.trace.stages)
    assert np.isfinite(chosen.held_out[0]).all()
    assert set(chosen.held_out[1].tolist()) == {0, 1}
    assert len(chosen.held_out[0]) == 12
    assert head.weight.shape[0] == 3
