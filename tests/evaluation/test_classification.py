import time
import tracemalloc
import warnings

import numpy as np
import pytest
from sklearn import metrics as reference

from headwater.errors import DataError
from headwater.evaluation.classification import Tally

CLASSES = ("a", "b", "c", "d")


def stream(rows, classes=4, seed=0, *, several=False):
    """Targets and probabilities of a model that is often right; unequal classes; labels of a row hang together."""
    random = np.random.default_rng(seed)
    if several:
        ease = random.normal(size=(rows, 1))
        targets = (random.normal(size=(rows, classes)) + ease > 1).astype(int)
        logits = random.normal(size=(rows, classes)) + 0.7 * random.normal(size=(rows, 1)) - 1 + 2 * targets
        return targets, 1 / (1 + np.exp(-logits))
    shares = np.arange(1, classes + 1) / np.arange(1, classes + 1).sum()
    targets = random.choice(classes, rows, p=shares)
    raised = np.exp(1.5 * (random.normal(size=(rows, classes)) + 1.8 * np.eye(classes)[targets]))
    return targets, raised / raised.sum(axis=1, keepdims=True)


def tally(targets, probabilities, *, parts=3, **baselines):
    found = Tally(tuple(range(probabilities.shape[1])), targets.ndim == 2, tuple(baselines))
    for rows in np.array_split(np.arange(len(targets)), parts):
        found.update(targets[rows], probabilities[rows], {name: part[rows] for name, part in baselines.items()})
    return found


def averaged(targets, predictions, average, **more):
    names = ("precision", "recall", "f1")
    values = reference.precision_recall_fscore_support(targets, predictions, average=average, zero_division=0, **more)
    return {f"{name}_{average}": value for name, value in zip(names, values, strict=False)}


def test_one_label_equals_scikit_learn():
    targets, probabilities = stream(700)
    predictions = probabilities.argmax(axis=1)
    expected = {
        "accuracy": reference.accuracy_score(targets, predictions),
        "balanced_accuracy": reference.balanced_accuracy_score(targets, predictions),
        "mcc": reference.matthews_corrcoef(targets, predictions),
        "log_loss": reference.log_loss(targets, probabilities),
        "brier": reference.brier_score_loss(targets, probabilities, scale_by_half=True),
        **averaged(targets, predictions, "macro"),
        **averaged(targets, predictions, "micro"),
        **averaged(targets, predictions, "weighted"),
    }
    found = tally(targets, probabilities).metrics(replicates=10)
    assert {name: found[name].value for name in expected} == pytest.approx(expected, abs=1e-9)


def test_several_labels_equal_scikit_learn():
    targets, probabilities = stream(700, several=True)
    predictions = probabilities >= 0.5
    expected = {
        "subset_accuracy": reference.accuracy_score(targets, predictions),
        "hamming_loss": reference.hamming_loss(targets, predictions),
        **averaged(targets, predictions, "macro"),
        **averaged(targets, predictions, "micro"),
        **averaged(targets, predictions, "weighted"),
    }
    found = tally(targets, probabilities).metrics(replicates=10)
    assert {name: found[name].value for name in expected} == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("rows", [60, 3000])
def test_areas_equal_scikit_learn_closely(rows, several):
    targets, probabilities = stream(rows, several=several)
    flags = targets if several else np.eye(4)[targets]
    found = tally(targets, probabilities).metrics(replicates=10)
    assert found["roc_auc"].value == pytest.approx(reference.roc_auc_score(flags, probabilities), abs=1e-3)
    area = reference.average_precision_score(flags, probabilities)
    assert found["average_precision"].value == pytest.approx(area, abs=1e-3)


def test_per_class_and_confusion_equal_scikit_learn():
    targets, probabilities = stream(500)
    predictions = probabilities.argmax(axis=1)
    found = tally(targets, probabilities)
    f1 = reference.f1_score(targets, predictions, average=None)
    assert [row["f1"]["value"] for row in found.per_class(10)] == pytest.approx(f1.tolist(), abs=1e-9)
    assert found.confusion()["counts"] == reference.confusion_matrix(targets, predictions).tolist()
    largest = found.confusion(most=2)
    assert largest["classes"] == [2, 3]
    assert largest["left_out"] == 2


def by_rows(targets, probabilities, score, replicates=1500):
    """The interval of the plain bootstrap, which draws rows."""
    random = np.random.default_rng(1)
    drawn = (random.integers(0, len(targets), len(targets)) for _ in range(replicates))
    values = np.array([score(targets[rows], probabilities[rows]) for rows in drawn])
    return np.quantile(values, (0.025, 0.975)) - values.mean()


@pytest.mark.parametrize("several", [False, True])
def test_intervals_of_counts_are_those_of_a_bootstrap_over_rows(several):
    targets, probabilities = stream(400, several=several)

    def f1(true, chances):
        predicted = chances >= 0.5 if several else chances.argmax(axis=1)
        hits = (true & predicted).sum(axis=0) if several else np.bincount(true[true == predicted], minlength=4)
        both = true.sum(axis=0) + predicted.sum(axis=0) if several else (
            np.bincount(true, minlength=4) + np.bincount(predicted, minlength=4)
        )  # fmt: skip
        return (2 * hits / both).mean()

    estimate = tally(targets, probabilities).metrics(replicates=4000)["f1_macro"]
    expected = by_rows(targets, probabilities, f1)
    assert (estimate.low - estimate.value, estimate.high - estimate.value) == pytest.approx(expected, abs=0.004)


def test_intervals_cover_the_truth():
    truth = {name: one.value for name, one in tally(*stream(200_000, seed=10**6)).metrics(replicates=20).items()}
    names = ("accuracy", "f1_macro", "mcc", "roc_auc", "average_precision", "log_loss", "brier")
    covered = dict.fromkeys((*names, "ece"), 0)
    for seed in range(300):
        for name, estimate in tally(*stream(300, seed=seed), parts=1).metrics(replicates=300).items():
            if name in covered:
                covered[name] += estimate.low <= truth[name] <= estimate.high
    shares = {name: count / 300 for name, count in covered.items()}
    assert all(0.92 <= shares[name] <= 0.98 for name in names), shares
    assert shares["ece"] >= 0.92


def test_a_sampled_stream_keeps_its_intervals():
    targets, probabilities = stream(30_000, several=True)
    estimate = tally(targets, probabilities).metrics(replicates=500)["subset_accuracy"]
    exact = 1.96 * np.sqrt(estimate.value * (1 - estimate.value) / 30_000)
    assert (estimate.high - estimate.low) / 2 == pytest.approx(exact, rel=0.15)


def test_gain_is_paired():
    targets, probabilities = stream(400)
    predictions = probabilities.argmax(axis=1)
    slightly = predictions.copy()
    slightly[np.flatnonzero(predictions == targets)[:12]] = 0
    found = tally(targets, probabilities, same=predictions, worse=slightly)
    assert not found.gain("same", "accuracy").real
    gain = found.gain("worse", "accuracy")
    assert gain.real
    assert gain.value == pytest.approx((predictions == targets).mean() - (slightly == targets).mean())
    assert found.best_baseline("accuracy") == "same"
    alone = found.baseline_metrics()["worse"]["accuracy"]
    assert gain.high - gain.low < (alone.high - alone.low) / 2


def test_a_gain_in_hamming_loss_is_a_fall():
    targets, probabilities = stream(4000, several=True)
    found = tally(targets, probabilities, nothing=np.zeros_like(targets), right=targets)
    assert found.gain("nothing", "hamming_loss").real
    assert found.gain("right", "hamming_loss").high < 0
    assert found.best_baseline("hamming_loss") == "right"


def test_classes_without_rows_are_left_out_of_macro_means():
    targets, probabilities = stream(300)
    kept = targets != 0
    found = tally(targets[kept], probabilities[kept])
    expected = averaged(targets[kept], probabilities[kept].argmax(axis=1), "macro", labels=[1, 2, 3])
    values = found.metrics(replicates=10)
    assert found.absent == (0,)
    assert {name: values[name].value for name in expected} == pytest.approx(expected, abs=1e-9)
    assert np.isfinite(values["roc_auc"].value)


def test_one_class_only_has_no_areas():
    found = tally(np.zeros(20, dtype=int), np.tile([0.8, 0.2], (20, 1))).metrics()
    assert found["accuracy"].value == 1.0
    assert np.isnan(found["roc_auc"].value)
    assert np.isnan(found["average_precision"].value)


@pytest.mark.parametrize("several", [False, True])
def test_no_rows_measure_nothing(several):
    found = Tally(CLASSES, several, ("majority",))
    shape = (0, 4) if several else (0,)
    found.update(np.zeros(shape, dtype=int), np.zeros((0, 4)), {"majority": np.zeros(shape)})
    assert all(np.isnan(estimate.value) for estimate in found.metrics().values())
    assert [row["support"] for row in found.per_class()] == [0, 0, 0, 0]
    assert not found.gain("majority", "f1_macro").real
    assert found.reliability()["bins"] == []


def test_a_perfect_score_is_not_certain():
    targets = np.arange(40) % 4
    found = tally(targets, np.eye(4)[targets] * 0.96 + 0.01).metrics()
    for name in ("accuracy", "f1_macro", "mcc", "roc_auc"):
        assert found[name].value == 1.0
        assert 0.7 < found[name].low < 0.95
        assert found[name].high == 1.0


def test_the_same_seed_gives_the_same_intervals():
    first, second = (tally(*stream(200)).metrics(seed=5) for _ in range(2))
    assert first == second


def test_many_classes_stay_within_memory_and_seconds():
    targets, probabilities = stream(2000, classes=1000)
    tracemalloc.start()
    started = time.process_time()
    found = tally(targets, probabilities.astype(np.float32), first=np.zeros(2000, dtype=int))
    assert np.isfinite(found.metrics(replicates=300)["f1_macro"].low)
    assert time.process_time() - started < 15
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 700e6


def test_memory_does_not_grow_with_the_rows():
    found, part = Tally(CLASSES), stream(4096)
    for _ in range(4):
        found.update(*part)
    tracemalloc.start()
    for _ in range(20):
        found.update(*part)
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert found.rows == 24 * 4096
    assert grown < 200_000


def test_shapes_that_do_not_belong_together_are_refused():
    with pytest.raises(DataError, match="Targets and probabilities do not belong together"):
        Tally(CLASSES).update(np.zeros(3, dtype=int), np.zeros((3, 2)))
    with pytest.raises(DataError, match="Predictions of the baselines do not fit"):
        Tally(CLASSES, baselines=("majority",)).update(np.zeros(3, dtype=int), np.full((3, 4), 0.25))


def test_certain_and_wrong_probabilities_have_a_finite_loss():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = tally(np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]]))
    assert 15 < found.metrics()["log_loss"].value < 20
