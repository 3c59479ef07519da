import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits
from tests.vision.shapes import pictures

from headwater.data.pictures import Picture, encode
from headwater.run import Run
from headwater.settings import Settings
from headwater.transfer.classifier import Examples
from headwater.vision.classification import pixels
from headwater.vision.classification.pixels import PixelsLogistic

INPUTS, CLASSES = pictures(60)
NONE = Examples([], np.array([], np.intp), 2)


@pytest.fixture
def run(tmp_path):
    return Run(Settings(), tmp_path)


def fitted(run, inputs=INPUTS, targets=CLASSES, n_classes=2, valid=None, **given):
    train = Examples(inputs, targets, n_classes, **given)
    return PixelsLogistic().fit(train, train if valid is None else valid, run)


def test_digits_are_told_apart(run):
    images, targets = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    given = [Picture(content=encode((image * 15.9).astype(np.uint8).reshape(8, 8))) for image in images[order]]
    train, test = (Examples(given[part], targets[order][part], 10) for part in (slice(1000), slice(1000, None)))
    made = PixelsLogistic().fit(train, test, run)
    assert (made.logits(test.inputs).argmax(axis=1) == test.targets).mean() >= 0.97
    assert made.trace.stages[0].score >= 0.97


def test_classes_are_told_apart_and_saved_whole(run, tmp_path):
    made = fitted(run)
    unseen, targets = pictures(40, seed=1)
    assert (made.logits(unseen).argmax(axis=1) == targets).mean() == 1
    made.save(tmp_path / "saved")
    again = PixelsLogistic.load(tmp_path / "saved")
    np.testing.assert_array_equal(again.logits(unseen), made.logits(unseen))
    assert again.facts(run).parameters == 2 * (16 * 16 * 3 + 324) + 2
    assert made.logits([]).shape == (0, 2)
    assert made.view(INPUTS, run).shape == (60, 59)


def test_several_labels_and_grey(run):
    inputs, targets = pictures(60, channels=1)
    several = np.stack([targets, np.ones(60)], axis=1).astype(np.float32)
    made = fitted(run, inputs, several)
    assert made.grey
    assert ((made.logits(inputs) > 0) == (several > 0)).mean() > 0.95


def test_without_validation_rows_the_folds_tell(run):
    made = fitted(run, valid=NONE)
    logits, targets = made.held_out
    assert logits.shape == (60, 2)
    assert (logits.argmax(axis=1) == targets).mean() > 0.9
    assert made.trace.stages[0].score > 0.9
    assert fitted(run).held_out is None


def test_rows_whose_target_nobody_has_seen_are_never_measured_on(run):
    marked = np.arange(60) >= 40
    made = fitted(run, altered=marked, valid=NONE, weights=np.where(marked, 0.5, 1.0))
    assert len(made.held_out[0]) == 40
    np.testing.assert_array_equal(made.held_out[1], CLASSES[:40])
    wrong = fitted(run, targets=np.where(marked, 1 - CLASSES, CLASSES), altered=marked, weights=np.where(marked, 9, 1))
    assert (wrong.logits(INPUTS).argmax(axis=1) == CLASSES)[marked].mean() < 0.5, "they are learnt from"


def test_of_many_rows_some_choose_the_penalty_and_all_teach(run, monkeypatch):
    monkeypatch.setattr(pixels, "_CHOOSING", 30)
    made = fitted(run, valid=NONE)
    assert len(made.held_out[1]) == 30
    assert (made.logits(INPUTS).argmax(axis=1) == CLASSES).mean() == 1


def test_classes_without_rows_are_never_named(run):
    made = fitted(run, targets=CLASSES * 2, n_classes=5)
    assert set(made.logits(INPUTS).argmax(axis=1)) == {0, 2}
    assert set(fitted(run, targets=CLASSES * 0 + 1).logits(INPUTS).argmax(axis=1)) == {1}


def test_one_row_of_each_class(run):
    assert np.isfinite(fitted(run, INPUTS[:2], CLASSES[:2]).logits(INPUTS)).all()


def test_needs_no_torch():
    code = "import sys, headwater.vision.classification.pixels; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
