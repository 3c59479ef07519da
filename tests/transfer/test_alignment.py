"""Features from elsewhere take on the mean, and as far as it is let the covariance, of where a model will be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.linalg import sqrtm
from tests.tiny import WORDS, make_bert

from headwater.foundation.text import TextEncoder
from headwater.run import Run
from headwater.settings import Settings
from headwater.transfer.alignment import recoloured
from headwater.transfer.classifier import Examples
from headwater.transfer.features import extract
from headwater.transfer.stages import Adaptation

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


def _adaptation(folder: Path, *, beside: bool, **settings: Any) -> Adaptation:
    """A probe of 40 labelled rows, of which the first 10 stand beside those of a source, and 20 unlabelled ones."""
    texts = [f"{WORDS[row % 5]} {WORDS[5 + row % 7]} {WORDS[12 + row % 9]}" for row in range(60)]
    of_source = np.arange(40) >= 10 if beside else None
    train = Examples(texts[:40], np.arange(40) % 2, 2, of_source=of_source, unlabelled=texts[40:])
    given = Settings(strategy="probe", device="cpu", feature_cache=False, unlabelled_method="coral", **settings)
    return Adaptation(TextEncoder.load(make_bert(folder / "tiny"), "tiny"), train, train, Run(given, folder))


@pytest.mark.parametrize(("beside", "first"), [(True, 10), (False, 0)], ids=["beside a source", "no source"])
def test_a_probe_aligns_the_rows_that_are_from_elsewhere(beside: bool, first: int, tmp_path: Path):
    found = _adaptation(tmp_path, beside=beside)
    own, more = (
        extract(found.encoder, part, found.run.settings) for part in (found.train.inputs, found.train.unlabelled)
    )
    aligned, like = found._aligned(own), np.concatenate([more, own[:first]])
    np.testing.assert_array_equal(aligned[:first], own[:first])
    np.testing.assert_allclose(aligned[first:].mean(axis=0), like.mean(axis=0), atol=1e-6)


@pytest.mark.parametrize(
    ("beside", "settings", "folds"),
    [(False, {}, True), (True, {}, False), (False, {"valid": "own.csv"}, False)],
    ids=["all from elsewhere", "beside a source", "validation rows of one's own"],
)
def test_validation_rows_from_elsewhere_do_not_score_an_aligned_head(
    beside: bool, settings: dict[str, Any], folds: bool, tmp_path: Path
):
    found = _adaptation(tmp_path, beside=beside, **settings)
    head = found.fit()
    assert (found.held_out is not None) == folds
    if found.held_out is not None:
        np.testing.assert_array_equal(found.held_out[0], head.held_out)
        assert found.trace.stages[0].score == (found.held_out[0].argmax(axis=1) == found.held_out[1]).mean()
