"""Which pictures are kept of which pairs of classes."""

import numpy as np

from headwater.data.pictures import Picture
from headwater.evaluation.confusions import Confusions
from headwater.evaluation.mistakes import Mistakes

CLASSES = tuple("abcdefghij")


def stream(rows: int, classes: int, seed: int = 0):
    """Pictures by number, targets and probabilities of a model that is often wrong, some pairs more than others."""
    random = np.random.default_rng(seed)
    targets = np.minimum(random.geometric(0.3, rows) - 1, classes - 1)
    logits = random.normal(size=(rows, classes)) + np.eye(classes)[(targets * 3 + 1) % classes]
    raised = np.exp(2 * logits)
    return [Picture(f"{row}.png") for row in range(rows)], targets, raised / raised.sum(axis=1, keepdims=True)


def test_the_most_frequent_pairs_have_their_surest_mistakes_whatever_the_parts():
    inputs, targets, probabilities = stream(2000, 10)
    whole, parted = Mistakes(5), Mistakes(5)
    whole.update(inputs, targets, probabilities)
    for part in (slice(0, 7), slice(7, 450), slice(450, 2000)):
        parted.update(inputs[part], targets[part], probabilities[part])
    found = whole.confused(CLASSES)
    assert found == parted.confused(CLASSES)
    predictions = probabilities.argmax(axis=1)
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (targets, predictions), 1)
    np.fill_diagonal(counts, 0)
    assert [one["count"] for one in found] == sorted(counts.ravel().tolist(), reverse=True)[:6]
    for one in found:
        pair = (CLASSES.index(one["target"]), CLASSES.index(one["prediction"]))
        assert one["count"] == counts[pair]
        rows = np.flatnonzero((targets == pair[0]) & (predictions == pair[1]))
        surest = rows[np.argsort(-probabilities[rows].max(axis=1))][:3]
        assert [example["text"] for example in one["examples"]] == [f"{row}.png" for row in surest]


def test_pictures_of_thirty_pairs_are_kept_at_most_and_a_later_frequent_pair_gets_its_place():
    kept = Confusions()
    rare = [(target, prediction) for target in range(7) for prediction in range(7) if target != prediction][:40]
    targets, predictions = np.array([*rare, *[(8, 9)] * 5]).T
    names = [Picture(f"{row}.png") for row in range(len(targets))]
    kept.update(names, targets, predictions, np.full(len(targets), 0.9))
    assert len(kept._kept) == 30
    first = kept.rows(CLASSES)[0]
    assert (first["target"], first["prediction"], first["count"], len(first["examples"])) == ("i", "j", 5, 3)


def test_texts_and_rows_of_several_labels_have_none():
    wrong = np.array([[0.1, 0.9]])
    kept = Mistakes()
    kept.update(["a text"], np.array([0]), wrong)
    kept.update([Picture("a.png")], np.array([[1, 0]]), wrong)
    assert kept.confused(("cat", "dog")) == []
