import numpy as np
import pytest
from tests.tiny import make_bert

from headwater.foundation.text import TextEncoder
from headwater.settings import Settings
from headwater.transfer.features import extract, in_batches


@pytest.fixture
def encoder(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADWATER_CACHE", str(tmp_path / "cache"))
    return TextEncoder.load(make_bert(tmp_path / "tiny"), "tiny")


def test_features_come_in_the_order_of_the_inputs(encoder):
    texts = ["good", "a very dull film and the plot", "bad music"]
    features = extract(encoder, texts, Settings())
    for row, text in enumerate(texts):
        np.testing.assert_allclose(features[row], extract(encoder, [text], Settings(feature_cache=False))[0], atol=1e-5)


def test_what_is_on_disk_or_equal_is_not_computed_again(encoder, monkeypatch):
    seen = []
    prepare = encoder.prepare
    monkeypatch.setattr(encoder, "prepare", lambda inputs: seen.extend(inputs) or prepare(inputs))
    extract(encoder, ["good", "bad", "good"], Settings())
    extract(encoder, ["bad", "film"], Settings())
    assert seen == ["good", "bad", "film"]


def test_the_cache_can_be_left_out(encoder, tmp_path):
    extract(encoder, ["good"], Settings(feature_cache=False))
    assert not (tmp_path / "cache").exists()


def test_batches_keep_to_the_token_budget(encoder):
    texts = ["film " * count for count in range(1, 40)]
    batches = [rows for rows, _ in in_batches(encoder, texts, 100)]
    lengths = encoder.prepare(texts).lengths
    assert all(len(rows) * lengths[rows].max() <= 100 for rows in batches)
    assert sorted(np.concatenate(batches).tolist()) == list(range(39))
