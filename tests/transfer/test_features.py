import numpy as np
import pytest
import torch
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


def test_a_pass_that_does_not_fit_is_made_smaller(encoder, monkeypatch):
    texts = [f"{word} {'film ' * (row % 9)}" for row, word in enumerate(["good", "bad"] * 20)]
    whole = {
        row: vector for rows, found in in_batches(encoder, texts, 4096) for row, vector in zip(rows, found, strict=True)
    }
    features, sizes = encoder.features, []

    def small(batch):
        sizes.append(len(batch["input_ids"]))
        if sizes[-1] > 6:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return features(batch)

    monkeypatch.setattr(encoder, "features", small)
    cut = {
        row: vector for rows, found in in_batches(encoder, texts, 4096) for row, vector in zip(rows, found, strict=True)
    }
    assert len(sizes) > max(sizes) / 6
    assert cut.keys() == whole.keys() == set(range(40))
    for row, vector in whole.items():
        torch.testing.assert_close(cut[row], vector, atol=1e-5, rtol=0)


def test_other_errors_of_a_pass_are_not_taken_for_a_lack_of_memory(encoder, monkeypatch):
    def broken(_):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(encoder, "features", broken)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        list(in_batches(encoder, ["good film"], 64))
