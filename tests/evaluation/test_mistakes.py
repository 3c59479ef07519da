import numpy as np
import pyarrow as pa
from tests.evaluation.pictures import photograph

from headwater.data.pictures import Picture
from headwater.data.records import Problem, Records
from headwater.evaluation.mistakes import Mistakes


def test_keeps_the_surest_whatever_the_parts():
    random = np.random.default_rng(0)
    targets, probabilities = random.integers(0, 3, 500), random.dirichlet(np.ones(3), 500)
    texts = [f"text {row}" for row in range(500)]
    whole, parted = Mistakes(5), Mistakes(5)
    whole.update(texts, targets, probabilities)
    for part in (slice(0, 7), slice(7, 450), slice(450, 500)):
        parted.update(texts[part], targets[part], probabilities[part])
    rows = whole.rows(("a", "b", "c"))
    assert rows == parted.rows(("a", "b", "c"))
    wrong = probabilities.argmax(axis=1) != targets
    assert [row["confidence"] for row in rows] == sorted(probabilities.max(axis=1)[wrong].tolist(), reverse=True)[:5]


def test_a_mistake_knows_its_line_past_unreadable_rows():
    records = Records(
        pa.table({"text": [None, "bad"]}), {0: Problem("cut off")}, files=("a.csv",), lines=np.array([2, 9])
    )
    kept = Mistakes()
    kept.update(["bad"], np.array([0]), np.array([[0.1, 0.9]]), records)
    assert kept.rows(("neg", "pos"))[0]["place"] == "a.csv:9"


def test_several_labels_are_shown_by_name():
    kept = Mistakes()
    kept.update(["x", "y"], np.array([[1, 0], [1, 0]]), np.array([[0.3, 0.6], [0.9, 0.1]]))
    rows = kept.rows(("art", "law"))
    assert [(row["target"], row["prediction"], row["confidence"]) for row in rows] == [(["art"], ["law"], 0.7)]


def test_pairs_are_joined_and_long_texts_cut():
    kept = Mistakes()
    kept.update([("a", "b" * 3000)], np.array([0]), np.array([[0.1, 0.9]]))
    shown = kept.rows(("neg", "pos"))[0]["input"]
    assert shown.startswith("a\nbbb")
    assert len(shown) == 1000


def test_a_picture_is_kept_as_a_small_one():
    kept = Mistakes()
    kept.update([photograph(1), Picture("gone.png")], np.array([0, 0]), np.array([[0.1, 0.9], [0.3, 0.7]]))
    first, second = (row["input"] for row in kept.rows(("cat", "dog")))
    assert first["image"].startswith("data:image/jpeg;base64,")
    assert second == {"image": "", "text": "gone.png"}
