import numpy as np
import pytest

from headwater.evaluation.features import Measured
from headwater.evaluation.report import Report

RANDOM = np.random.default_rng(0)
FOUND = {
    "simclr": (np.arange(200) % 4 > 0).astype(float),
    "untrained network": (np.arange(200) % 4 == 1).astype(float),
    "small pixels": (np.arange(200) % 8 == 1).astype(float),
}
VARIED = {"simclr": (0.8, 20.0), "untrained network": (0.4, 3.0), "small pixels": (0.3, 9.0)}


def test_each_is_measured_with_its_interval_beside_the_best_baseline():
    measured = Measured(FOUND, {}, VARIED)
    metrics, baselines = measured.metrics(), measured.baseline_metrics()
    assert metrics["other_view_found"].value == 0.75
    assert 0.68 < metrics["other_view_found"].low < 0.72
    assert 0.78 < metrics["other_view_found"].high < 0.82
    assert (metrics["effective_rank"].value, metrics["spread"].value) == (20.0, 0.8)
    assert set(baselines) == {"untrained network", "small pixels"}
    assert measured.best_baseline == "untrained network"
    gain = measured.gain(measured.best_baseline)
    assert (gain.value, gain.real) == (0.5, True)
    assert "label_by_neighbours" not in metrics
    assert measured.notes == ["Another view of an image was looked for among those of 200 images."]


def test_labels_are_told_by_neighbours_where_there_are_any():
    right = {name: values[:50] for name, values in FOUND.items()}
    metrics = Measured(FOUND, right, VARIED).metrics()
    assert metrics["label_by_neighbours"].value == pytest.approx(0.74)


@pytest.mark.parametrize("varied", [(0.001, 30.0), (0.5, 1.2)])
def test_a_collapse_is_told(varied):
    notes = Measured(FOUND, {}, {**VARIED, "simclr": varied}).notes
    assert "The features have collapsed" in notes[-1]


def test_a_report_of_features_is_kept_and_shown():
    report = Report.of_features(Measured(FOUND, {}, VARIED), task="image-features", model="simclr", rows={"test": 200})
    assert report.score.value == 0.75
    assert Report.from_json(report.to_json()) == report
    assert "Other view found" in str(report)
    assert "Better than untrained network by 0.500 in other view found" in report.to_html()
