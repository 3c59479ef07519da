"""Features from elsewhere take on the mean, and as far as it is let the covariance, of where a model will be used."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm
from tests.tiny import WORDS, make_bert

from headwater.foundation.text import TextEncoder
from headwater.run import Run
from headwater.settings import Settings
from headwater.transfer import stages
from headwater.transfer.alignment import recoloured
from headwater.transfer.classifier import Examples
from headwater.transfer.features import extract

RANDOM = np.random.default_rng(0)
HERE = RANDOM.normal(size=(200, 4)) @ RANDOM.normal(size=(4, 4)) + 1
THERE = RANDOM.normal(size=(90, 4)) @ RANDOM.normal(size=(4, 4)) - 3


def test_mean_and_covariance_become_those_of_the_others():
    found = recoloured(HERE, THERE, shrinkage=0.0)
    np.testing.assert_allclose(found.mean(axis=0), THERE.mean(axis=0))
    np.testing.assert_allclose(np.cov(found.T, bias=True), np.cov(THERE.T, bias=True), atol=1e-8)


@pytest.mark.parametrize("shrinkage", [0.1, 10.0])
def test_shrinkage_leaves_the_mean_that_of_the_others(shrinkage: float):
    np.testing.assert_allclose(recoloured(HERE, THERE, shrinkage).mean(axis=0), THERE.mean(axis=0))


def test_without_end_the_mean_alone_is_moved():
    found = recoloured(HERE, THERE, shrinkage=1e12)
    np.testing.assert_allclose(found, HERE - HERE.mean(axis=0) + THERE.mean(axis=0), atol=1e-8)


def test_the_closed_form_of_the_paper():
    # Algorithm 1 of Sun, Feng and Saenko (2016), on centred features: with mean variances of 1, it adds 1 as they do.
    here, there = (part - part.mean(axis=0) for part in (HERE, THERE))
    there /= np.sqrt(np.cov(there.T, bias=True).trace() / 4)
    spreads = [np.cov(part.T, bias=True) + np.eye(4) for part in (here, there)]
    expected = here @ np.linalg.inv(np.real(sqrtm(spreads[0]))) @ np.real(sqrtm(spreads[1]))
    np.testing.assert_allclose(recoloured(here, there, shrinkage=1.0), expected, atol=1e-8)


def test_more_features_than_rows_give_numbers():
    few = RANDOM.normal(size=(5, 40)).astype(np.float32)
    found = recoloured(few, few[:3] + 1)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


@pytest.mark.parametrize("beside", [True, False], ids=["source rows beside target rows", "no source"])
def test_a_probe_aligns_the_rows_that_are_from_elsewhere(beside: bool, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADWATER_CACHE", str(tmp_path / "cache"))
    encoder = TextEncoder.load(make_bert(tmp_path / "tiny"), "tiny")
    texts = [f"{WORDS[row % 5]} {WORDS[5 + row % 7]} {WORDS[12 + row % 9]}" for row in range(60)]
    of_source = np.arange(40) >= 10 if beside else None
    train = Examples(texts[:40], np.arange(40) % 2, 2, of_source=of_source, unlabelled=texts[40:])
    settings = Settings(strategy="probe", device="cpu", unlabelled_method="coral")
    (tmp_path / "run").mkdir()
    found = stages.Adaptation(encoder, train, train, Run(settings, tmp_path / "run"))
    own, more = (extract(encoder, part, settings) for part in (train.inputs, train.unlabelled))
    aligned = found._aligned(own)
    first = 10 if beside else 0
    like = np.concatenate([more, own[:first]])
    np.testing.assert_array_equal(aligned[:first], own[:first])
    np.testing.assert_allclose(aligned[first:].mean(axis=0), like.mean(axis=0), atol=1e-6)
