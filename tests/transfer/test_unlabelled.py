"""Rows without labels are learnt from beside a fit that does without, and validation rows have a veto."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.contract.texts import texts
from tests.tiny import make_bert

import headwater
from headwater.errors import DataError, SettingError
from headwater.language.classification.tfidf import TfidfLogistic
from headwater.language.vectoriser import latent
from headwater.run import Run
from headwater.settings import Settings
from headwater.transfer.classifier import Examples
from headwater.transfer.unlabelled import Learnt, learn, refuse


def _rows(of_one: str, of_other: str, first: int = 100) -> list[str]:
    """Texts of the one class and of the other in turn, each with a word of its own."""
    return [f"{(of_one, of_other)[row % 2]} no{first + row}" for row in range(40)]


VALID = _rows("warm", "cold", 900)


def _learnt(folder: Path, unlabelled: list[str], valid: list[str] = VALID, **settings: Any) -> tuple[Any, Learnt]:
    """What comes of a linear model that has been told warm from cold."""
    train = Examples(_rows("warm", "cold", 0), np.arange(40) % 2, 2, unlabelled=unlabelled)
    held_out = Examples(valid, np.arange(len(valid)) % 2, 2)
    return learn(TfidfLogistic, lambda inputs: latent(inputs, 0), train, held_out, Run(Settings(**settings), folder))


def _stages(model: Any) -> list[str]:
    return [stage.name.partition(": ")[0] for stage in model.trace.stages]


# What is kept, and why


def test_what_helps_is_kept_and_tells_both_fits(tmp_path: Path):
    model, learnt = _learnt(tmp_path, _rows("warm story", "cold music"), _rows("story", "music", 900))
    assert learnt.kept
    assert learnt.gain is not None
    assert learnt.gain.real
    assert _stages(model) == ["C = 32", "self-training"]
    assert model.logits(["story", "music"]).argmax(axis=1).tolist() == [0, 1]
    assert str(learnt).startswith("self-training, 40 unlabelled rows: kept: +")


def test_what_may_be_chance_is_kept(tmp_path: Path):
    model, learnt = _learnt(tmp_path, _rows("warm story", "cold music"))
    assert _stages(model) == ["C = 32", "self-training"]
    assert learnt.reason == "kept: +0.0 points over doing nothing [0.0, 0.0] on 40 validation rows"


def test_what_is_worse_beyond_chance_is_left(tmp_path: Path):
    misled = _rows("warm story story", "cold music music")
    model, learnt = _learnt(
        tmp_path, misled, _rows("warm music music", "cold story story", 900), self_training_weight=30
    )
    assert not learnt.kept
    assert learnt.reason == "left: -100.0 points over doing nothing [-100.0, -100.0] on 40 validation rows"
    assert _stages(model) == ["C = 32"]
    assert model.logits(["story", "music"]).argmax(axis=1).tolist() == [0, 0]


def test_without_validation_rows_there_is_no_veto(tmp_path: Path):
    _, learnt = _learnt(tmp_path, _rows("warm", "cold"), valid=[])
    assert (learnt.gain, learnt.reason) == (None, "kept: there are no validation rows to compare on")


def test_a_fit_that_the_budget_may_have_cut_short_must_gain(tmp_path: Path):
    Run(Settings(), tmp_path).note("last-fit", {"cut": True})
    _, learnt = _learnt(tmp_path, _rows("warm story", "cold music"))
    assert learnt.reason == "left: +0.0 points over doing nothing [0.0, 0.0] on 40 validation rows"


def test_a_budget_that_is_used_up_leaves_the_first_fit(tmp_path: Path):
    model, learnt = _learnt(tmp_path, _rows("warm", "cold"), budget="0s")
    assert not learnt.kept
    assert learnt.reason.startswith("not tried: it needs about 0.")
    assert learnt.reason.endswith("s, 0.0 s left of the budget")
    assert _stages(model) == ["C = 32"]


def test_where_no_answer_is_sure_the_first_fit_is_left_as_it_is(tmp_path: Path):
    model, learnt = _learnt(tmp_path, _rows("film", "plot"))
    assert (learnt.kept, learnt.reason) == (False, "left: too few answers are surer than 0.8")
    assert _stages(model) == ["C = 32"]


# Rounds of self-training


def _believed(learnt: Learnt) -> list[list[int]]:
    return learnt.told["believed_by_class_and_round"]


def test_rounds_go_on_while_answers_change(tmp_path: Path):
    chain = [("warm story", "cold music"), ("story film", "music plot"), ("film good", "plot bad")]
    unlabelled = [text for number, pair in enumerate(chain) for text in _rows(*pair, 100 * number + 100)]
    _, learnt = _learnt(tmp_path, unlabelled, self_training_rounds=9)
    assert _believed(learnt) == [[20, 20], [40, 40], [60, 60]]


def test_the_rounds_end_where_they_were_told_to(tmp_path: Path):
    unlabelled = [*_rows("warm story", "cold music"), *_rows("story film", "music plot", 200)]
    assert len(_believed(_learnt(tmp_path, unlabelled, self_training_rounds=1)[1])) == 1


def test_a_round_that_the_budget_did_not_allow_is_not_begun_by_a_resumed_run(tmp_path: Path):
    run = Run(Settings(), tmp_path / "self-training" / "round-1")
    run.note("next-fit", {"why": "it needs about 5.0 s, 0.0 s left of the budget"})
    unlabelled = [*_rows("warm story", "cold music"), *_rows("story film", "music plot", 200)]
    assert _believed(_learnt(tmp_path, unlabelled)[1]) == [[20, 20]]


# What the report tells


def test_the_section_has_the_evidence(tmp_path: Path):
    _, learnt = _learnt(tmp_path, _rows("warm story", "cold music"), _rows("story", "music", 900))
    section = learnt.section()
    assert (section["method"], section["rows"], section["kept"]) == ("self-training", 40, True)
    assert section["gain"]["over"] == "doing nothing"
    assert section["sentence"] == str(learnt)
    assert section["told"] == {"believed_by_class_and_round": [[20, 20]]}
    assert 0 <= section["distance"].low <= section["distance"].value <= section["distance"].high <= 2


@pytest.mark.parametrize(("copies", "known"), [(1, False), (2, True)])
def test_of_one_unlabelled_row_no_distance_is_told(copies: int, known: bool, tmp_path: Path):
    assert np.isfinite(_learnt(tmp_path, _rows("warm", "cold")[:copies])[1].distance.value) == known


OF_METHOD: dict[str, dict[str, Any]] = {
    "self-training": {"self_training_confidence": 0.5, "self_training_rounds": 1},
    "pretraining": {"pretraining_epochs": 1},
}


@pytest.mark.parametrize(
    ("method", "strategy"),
    [("self-training", "probe"), ("coral", "probe"), ("dann", "probe-then-full"), ("pretraining", "probe")],
)
def test_every_method_serves_a_foundation(method: str, strategy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HEADWATER_CACHE", str(tmp_path / "cache"))
    unlabelled = pd.DataFrame({"text": [f"{text} film" for text in texts(100)["text"][60:]]})
    unlabelled.to_csv(tmp_path / "more.csv", index=False)
    found = headwater.adapt(
        "text-classification", texts(60), model=str(make_bert(tmp_path / "tiny")), strategy=strategy, epochs=1,
        unlabelled=str(tmp_path / "more.csv"), unlabelled_method=method, **OF_METHOD.get(method, {}),
    )  # fmt: skip
    assert found.report is not None
    assert found.report.unlabelled["rows"] == found.report.adaptation["rows"] == 40
    assert found.report.adaptation["sentence"] in found.report.to_html()
    assert (found.report.adaptation["gain"] is None) == (method == "coral"), "whose validation rows are from elsewhere"
    names = [stage["name"] for stage in found.report.stages]
    assert (f"{method}: {strategy}" in names) == found.report.adaptation["kept"]


# What is refused


def _refused(method: str, strategy: str | None, *, several: bool = False) -> str:
    with pytest.raises(SettingError) as told:
        refuse(Settings(unlabelled="more.csv", unlabelled_method=method), strategy, several=several)
    return str(told.value)


def test_few_shot_is_refused():
    assert _refused("self-training", "few-shot") == (
        "--unlabelled: Few-shot learns from the labelled rows as they are. Got '--strategy few-shot'. "
        "Leave it out, or take another strategy: auto, probe, lora, last-layers, full or probe-then-full."
    )


@pytest.mark.parametrize(
    ("strategy", "got"), [(None, "a basic model"), ("auto", "--strategy auto"), ("full", "--strategy full")]
)
def test_coral_without_a_probe_is_refused(strategy: str | None, got: str):
    assert _refused("coral", strategy) == (
        "--unlabelled-method: CORAL aligns the frozen features that a probe learns from. "
        f"Got 'coral with {got}'. Accepted: a foundation with --strategy probe. "
        "Or take self-training, for any model, where a row has one label."
    )


@pytest.mark.parametrize(
    ("strategy", "got"), [(None, "a basic model"), ("auto", "--strategy auto"), ("probe", "--strategy probe")]
)
def test_dann_where_no_encoder_is_trained_is_refused(strategy: str | None, got: str):
    assert _refused("dann", strategy) == (
        f"--unlabelled-method: DANN trains the encoder. Got 'dann with {got}'. "
        "Accepted: a foundation with --strategy full, probe-then-full, last-layers, lora. "
        "Or take self-training, for any model, where a row has one label."
    )


def test_pretraining_of_a_basic_model_is_refused():
    assert _refused("pretraining", None) == (
        "--unlabelled-method: Only a foundation has a pretraining that can go on. "
        "Got 'pretraining with a basic model'. Accepted: self-training. Or give a foundation as --model."
    )


def test_self_training_with_several_labels_a_row_is_refused():
    assert _refused("self-training", "probe", several=True) == (
        "--unlabelled-method: Self-training believes one answer a row, and here a row may have several labels. "
        "Got 'self-training with --strategy probe'. Accepted: a foundation with coral, dann or pretraining. "
        "Take one of these, or leave --unlabelled out."
    )


def test_without_unlabelled_rows_nothing_is_refused():
    refuse(Settings(unlabelled_method="dann"), None, several=True)


@pytest.mark.parametrize("method", ["coral", "dann"])
def test_few_unlabelled_rows_are_refused_by_what_aligns_places(method: str, tmp_path: Path):
    with pytest.raises(DataError) as told:
        _learnt(tmp_path, _rows("warm", "cold")[:7], unlabelled_method=method)
    assert str(told.value) == (
        f"--unlabelled-method {method}: A place cannot be told from so few unlabelled rows. Got 7. "
        "Accepted: 20 or more. Give more rows, or take self-training."
    )


@pytest.mark.parametrize("method", ["coral", "dann"])
def test_where_the_plan_leaves_the_source_out_there_are_no_two_places(method: str, tmp_path: Path):
    train = Examples(
        _rows("warm", "cold", 0), np.arange(40) % 2, 2, unlabelled=_rows("warm", "cold"), of_source=np.zeros(40, bool)
    )
    held_out = Examples(VALID, np.arange(40) % 2, 2)
    run = Run(Settings(unlabelled_method=method), tmp_path)
    model, learnt = learn(TfidfLogistic, lambda inputs: latent(inputs, 0), train, held_out, run)
    assert _stages(model) == ["C = 32"]
    assert learnt.reason == "not tried: the plan leaves the source out, and no labelled row is from elsewhere"
    assert np.isfinite(learnt.distance.value)
