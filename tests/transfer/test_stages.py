import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.tiny import WORDS, make_bert

import headwater
from headwater.foundation.text import TextEncoder
from headwater.run import Run
from headwater.settings import Settings
from headwater.transfer import stages
from headwater.transfer.classifier import Examples
from headwater.transfer.features import extract
from headwater.transfer.stages import Adaptation


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("HEADWATER_CACHE", str(tmp_path / "cache"))


def _examples(rows, *, noise=False):
    random = np.random.default_rng(rows)
    texts = [f"{' '.join(random.choice(WORDS[2:], 3))} {WORDS[row % 2]}" for row in range(rows)]
    return Examples(texts, random.integers(0, 2, rows) if noise else np.arange(rows) % 2, 2)


def _adapt(tmp_path, strategy, train, valid, budget=None):
    encoder = TextEncoder.load(make_bert(tmp_path / "tiny"), "tiny")
    (tmp_path / "run").mkdir(exist_ok=True)
    settings = Settings(strategy=strategy, epochs=1, device="cpu", budget=budget)
    adaptation = Adaptation(encoder, train, valid, Run(settings, tmp_path / "run"))
    return adaptation, adaptation.fit()


def test_a_probe_leaves_the_foundation_alone(tmp_path):
    adaptation, _ = _adapt(tmp_path, "probe", _examples(60), _examples(30))
    (stage,) = adaptation.trace.stages
    assert (stage.name, stage.decision) == ("probe", "kept")
    assert stage.low <= stage.score <= stage.high
    assert adaptation.encoder.source is not None


def test_probe_then_full_tells_both_stages_and_its_curve(tmp_path):
    adaptation, _ = _adapt(tmp_path, "probe-then-full", _examples(40), _examples(30))
    assert [stage.name for stage in adaptation.trace.stages] == ["probe", "probe-then-full"]
    assert [epoch["stage"] for epoch in adaptation.trace.curve] == ["probe-then-full"]


def test_auto_stops_where_nothing_is_left_to_gain(tmp_path):
    adaptation, _ = _adapt(tmp_path, "auto", _examples(300), _examples(30))
    assert adaptation.trace.stages[1].decision == "not tried: only 0.0 points are left to gain"
    assert adaptation.trace.stages[1].score is None


def test_auto_does_not_choose_by_a_handful_of_rows(tmp_path):
    adaptation, head = _adapt(tmp_path, "auto", _examples(16), _examples(4))
    assert adaptation.trace.stages[1].decision == "not tried: 4 validation rows cannot tell which stage is better"
    assert head.held_out is not None


def test_rows_that_no_fold_could_spare_do_not_score_a_probe(tmp_path):
    """The logits of these are zeros, which is the first class: they would be called right, or wrong, by their order."""
    train = _examples(16)
    train = replace(train, group=np.where(train.targets == 0, 100, np.arange(16)))
    adaptation, head = _adapt(tmp_path, "probe", train, _examples(4))
    assert head.spared.sum() == 8
    features = extract(adaptation.encoder, adaptation.valid.inputs, adaptation.run.settings)
    right = np.concatenate([
        head.logits(features).argmax(axis=1) == adaptation.valid.targets, head.held_out[1::2].argmax(axis=1) == 1
    ])  # fmt: skip
    assert adaptation.trace.stages[0].score == pytest.approx(right.mean())


def test_auto_does_not_begin_what_the_budget_cannot_end(tmp_path):
    adaptation, _ = _adapt(tmp_path, "auto", _examples(60, noise=True), _examples(30, noise=True), budget="0s")
    assert "left" in adaptation.trace.stages[1].decision
    assert adaptation.trace.stages[1].decision.startswith("not tried: needs about")


class Clock:
    """Time that passes by two seconds with every pass over some rows, and not otherwise."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def pass_over(self, *_):
        self.now += 2.0
        return iter(())


def test_the_estimate_is_that_of_the_passes_a_training_takes(tmp_path, monkeypatch):
    clock = Clock()
    adaptation, _ = _adapt(tmp_path, "probe", _examples(60), _examples(30))
    monkeypatch.setattr(stages, "time", clock)
    monkeypatch.setattr(stages, "in_batches", clock.pass_over)
    # One pass over all rows takes two seconds; an epoch costs three and a half of them, and half a one to be scored.
    assert adaptation._seconds_of("probe-then-full") == pytest.approx(2.0 * (3.5 + 0.5))
    adaptation.run = replace(adaptation.run, settings=replace(adaptation.run.settings, epochs=3))
    assert adaptation._seconds_of("probe-then-full") == pytest.approx(3 * 2.0 * (3.5 + 0.5))


def test_the_estimate_of_many_rows_is_told_from_some_of_them(tmp_path, monkeypatch):
    seen, clock = [], Clock()
    adaptation, _ = _adapt(tmp_path, "probe", _examples(1100), _examples(30))
    monkeypatch.setattr(stages, "time", clock)
    monkeypatch.setattr(stages, "in_batches", lambda _, inputs, *__: (seen.extend(inputs), clock.pass_over())[1])
    needed = adaptation._seconds_of("probe-then-full")
    assert 256 <= len(seen) < 300
    assert needed == pytest.approx(2.0 * 1100 / len(seen) * (3.5 + 30 / 1100), rel=0.05)


@pytest.mark.parametrize(("budget", "begun"), [("90s", False), ("1h", True)])
def test_a_stage_is_begun_only_if_its_estimate_fits_the_budget(tmp_path, monkeypatch, budget, begun):
    trained = []
    tune = stages.finetune
    monkeypatch.setattr(stages, "finetune", lambda *given: (trained.append(given[1]), tune(*given))[1])
    monkeypatch.setattr(Adaptation, "_seconds_of", lambda *_: 100.0)
    adaptation, _ = _adapt(tmp_path, "auto", _examples(60, noise=True), _examples(30, noise=True), budget=budget)
    assert trained == (["probe-then-full"] if begun else [])
    probe, deeper = adaptation.trace.stages
    assert (deeper.score is not None) == begun
    if not begun:
        assert probe.decision == "kept"
        assert re.fullmatch(r"not tried: needs about 1 min 40 s, (\d+ s|1 min \d+ s) left", deeper.decision)


def test_the_report_says_what_the_budget_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(Adaptation, "_seconds_of", lambda *_: 10_000.0)
    random = np.random.default_rng(0)
    rows = [{"text": f"{' '.join(random.choice(WORDS[2:], 6))} {row}", "label": "ab"[random.integers(2)]}
            for row in range(120)]  # fmt: skip
    made = headwater.adapt(
        "text-classification", rows, target="label", model=str(make_bert(tmp_path / "tiny")), strategy="auto",
        budget="30m", valid_share=0.3, device="cpu", to=tmp_path / "run",
    )  # fmt: skip
    told = made.report.stages[-1]
    assert (told["name"], told["score"]) == ("probe-then-full", None)
    assert told["decision"].startswith("not tried: needs about 2 h 46 min, ")
    assert told["decision"] in (tmp_path / "run" / "report.html").read_text()


def test_auto_keeps_the_better_stage_and_its_weights(tmp_path):
    valid = _examples(40, noise=True)
    adaptation, head = _adapt(tmp_path, "auto", _examples(60, noise=True), valid)
    probe, deeper = adaptation.trace.stages
    encoder = adaptation.encoder
    with torch.inference_mode():
        features = encoder.features(encoder.prepare(valid.inputs).batch(np.arange(40))).numpy()
    kept = (head.logits(features).argmax(axis=1) == valid.targets).mean()
    assert kept == max(probe.score, deeper.score)
    assert "points over the probe" in deeper.decision


def test_a_resumed_run_tells_the_same_and_ends_the_same(tmp_path):
    train, valid = _examples(60, noise=True), _examples(40, noise=True)
    first, head = _adapt(tmp_path, "auto", train, valid)
    second, again = _adapt(tmp_path, "auto", train, valid)
    assert first.trace.stages == second.trace.stages
    np.testing.assert_array_equal(head.weight, again.weight)


def test_of_few_validation_rows_the_probe_is_scored_on_the_target_alone(tmp_path):
    """Beside a source, its rows were answered by folds too; how well says nothing of the target."""
    target, source, valid = _examples(16), _examples(200, noise=True), _examples(4)
    train = target.followed_by(Examples(source.inputs, source.targets, 2, of_source=np.ones(200, dtype=bool)))
    adaptation, head = _adapt(tmp_path, "probe", train, valid)
    features = extract(adaptation.encoder, valid.inputs, adaptation.run.settings)
    right = np.concatenate([
        head.logits(features).argmax(axis=1) == valid.targets, head.held_out[:16].argmax(axis=1) == target.targets
    ])  # fmt: skip
    (stage,) = adaptation.trace.stages
    assert stage.score == pytest.approx(right.mean())
