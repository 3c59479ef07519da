"""How scores are compared with what came true."""

import pytest

import harness
import rank
import variants


def measured(**values):
    return harness.Measured("side", {}, values, 1.0, 1.0, 1.0)


def pair(score, logme, accuracy):
    said = measured(score=score, knn=0.5 - score, logme=logme, h_score=score)
    return said, measured(accuracy=accuracy)


OF_SET = {"a": [pair(0.9, 1.0, 0.95)], "b": [pair(0.8, 3.0, 0.85)], "c": [pair(0.7, 2.0, 0.75)]}


@pytest.mark.parametrize(("keys", "tau"), [(("score",), 1.0), (("knn",), -1.0)])
def test_the_tau_of_one_score(keys, tau):
    assert rank._tau(OF_SET, keys) == pytest.approx(tau)


def test_scores_are_joined_by_their_places():
    assert rank._tau(OF_SET, ("score", "logme")) == pytest.approx(rank._tau(OF_SET, ("logme", "score")))
    assert rank._tau(OF_SET, ("logme",)) < rank._tau(OF_SET, ("score", "logme")) <= 1


def test_tables_have_a_row_a_score_and_a_row_a_model():
    table = rank._taus("Taus.", {"sst2": OF_SET}, lambda name: name != "zz")
    assert [row[0] for row in table.rows] == list(rank.SCORES)
    assert table.rows[0] == ("held-out rows", "+1.000", "+1.000", "+1.000")
    assert [row[:2] for row in rank._table("sst2", OF_SET).rows] == [("a", "0.950"), ("b", "0.850"), ("c", "0.750")]


def test_variants_are_cut_and_begun_anew(tmp_path):
    from tests.tiny import make_bert

    from headwater.foundation.text import TextEncoder

    encoder = TextEncoder.load(make_bert(tmp_path / "tiny"), "tiny")
    before = {name: weight.clone() for name, weight in encoder.network.named_parameters()}
    variants._restart(1)(encoder.network, "")
    changed = {name for name, weight in encoder.network.named_parameters() if not weight.equal(before[name])}
    assert changed
    assert all(".layer.1." in name for name in changed)
    variants._cut(1)(encoder.network, "")
    assert len(encoder.blocks()) == encoder.network.config.num_hidden_layers == 1
    assert len(variants.VARIANTS) == 8
