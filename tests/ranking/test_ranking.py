"""The order of models, the ranks they share, and what is said of them."""

import re

import numpy as np
import pytest
from tests.evaluation.test_html import Outline

from headwater.errors import ArtifactError
from headwater.ranking.candidates import MAJORITY, Candidate
from headwater.ranking.cost import Cost
from headwater.ranking.ranking import Ranking, agreement, choose, ordered
from headwater.transfer import scores

ROWS = 400


def candidate(model, right, seconds=1.0, **values):
    """A model that has the first `right` of the rows right."""
    rows = (np.arange(ROWS) < right).astype(float)
    return Candidate(
        model, "foundation", scores.estimate(rows, 0), scores.estimate(rows, 1), right / 100, 0.5,
        Cost(seconds, 22_713_216, 90.9, 384, 256), right=rows, **values,
    )  # fmt: skip


def ranking(*found):
    ranked = ordered(found, 0)
    recommended, verdict = choose(ranked)
    return Ranking(
        "text-classification", "a.csv", ROWS, ("bad", "good"), False, ranked, recommended, verdict, agreement(ranked),
        ("3 rows of the sample are copies of others and were left out.",), {"command": "headwater rank a.csv"},
    )  # fmt: skip


def test_models_share_a_rank_where_the_difference_may_be_chance():
    found = ordered([candidate("a", 200), candidate("b", 362), candidate("c", 360), candidate("d", 300)], 0)
    assert [(one.model, one.rank) for one in found] == [("b", 1), ("c", 1), ("d", 3), ("a", 4)]
    assert found[0].lead is None
    assert found[3].lead is not None
    assert found[3].lead.value == pytest.approx(162 / ROWS)
    assert found[3].lead.real


def test_models_that_could_not_be_had_come_last_and_without_a_rank():
    found = ordered([Candidate("gone", "foundation", reason="not found"), candidate("a", 200)], 0)
    assert [(one.model, one.rank) for one in found] == [("a", 1), ("gone", None)]


def test_the_best_is_taken_and_the_next_that_is_really_behind_is_told():
    found = ranking(candidate("a", 360), candidate("b", 300), candidate(MAJORITY, 200, seconds=0.0))
    assert found.recommended == "a"
    assert re.fullmatch(
        r"Take a: it is 15\.0 points \[\d+\.\d, \d+\.\d\] better than b, the next that is really behind it\.",
        found.verdict,
    )


def test_among_equals_the_cheaper_is_taken():
    found = ranking(candidate("dear", 361, seconds=50.0), candidate("cheap", 360), candidate("poor", 200, seconds=0.1))
    assert found.recommended == "cheap"
    assert re.match(r"Take cheap: dear is 0\.2 points \[.*\] better, but that may be chance", found.verdict)
    assert found.verdict.endswith("it takes 50 times its time.")


def test_costs_within_a_factor_of_two_are_equal():
    found = ranking(candidate("first", 361, seconds=1.9), candidate("second", 360))
    assert found.recommended == "first"
    assert (
        found.verdict == "Take first: right in 90.2% of the held-out rows. second cannot be told from it on these rows."
    )


def test_nothing_is_recommended_that_is_no_better_than_the_most_frequent_class():
    found = ranking(candidate("a", 203), candidate(MAJORITY, 200))
    assert found.recommended is None
    assert "No model is really better than naming the most frequent class" in found.verdict


def test_agreement_is_told_from_three_models_on():
    three = [candidate("a", 360), candidate("b", 300), candidate("c", 200)]
    assert ranking(*three).agreement == {"knn": 1.0, "logme": 1.0, "h_score": None}
    assert ranking(*three[:2], candidate(MAJORITY, 100)).agreement["logme"] is None


def test_a_ranking_comes_back_from_its_file(tmp_path):
    found = ranking(candidate("a", 360), candidate("b", 300), Candidate("gone", "foundation", reason="not found"))
    found.save(tmp_path)
    assert Ranking.load(tmp_path) == found
    with pytest.raises(ArtifactError, match="There is no ranking here"):
        Ranking.load(tmp_path / "nowhere")


def test_the_table_has_every_model_the_verdict_and_the_reasons():
    text = str(ranking(candidate("a", 360), candidate("b", 300), Candidate("gone", "foundation", reason="not found")))
    lines = text.splitlines()
    assert lines[0] == "text-classification: a.csv, 400 rows, 2 classes, 95 % intervals"
    assert lines[2].split("  ")[0] == "rank"
    assert lines[3].startswith("1     a      0.900 [")
    assert "22.7 M" in lines[3]
    assert "gone could not be had: not found" in lines
    assert lines[-1].startswith("3 rows of the sample are copies")


def test_the_page_is_whole_and_reaches_for_nothing():
    found = ranking(candidate("a", 360), candidate("b", 300), Candidate("gone", "foundation", reason="not found"))
    text = found.to_html()
    outline = Outline(text)
    assert not outline.open
    assert not outline.faults
    assert outline.ids == ["ranking", "scores", "cost", "missing", "provenance"]
    assert not outline.addresses
    assert not outline.tags & {"script", "link", "iframe", "img"}
    assert "Take a: it is" in text


def test_names_of_the_user_are_escaped():
    evil = "<script>alert(1)</script>"
    found = ranking(candidate(evil, 360), Candidate(evil, "foundation", reason=evil))
    assert not Outline(Ranking(evil, evil, 3, (evil,), False, found.candidates).to_html()).tags & {"script"}
