"""Predicting as a user types it, for images: which image an answer is for, how it reads, and how a failure ends."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.cli.commands import read_table, type_in

import headwater
from headwater.data.raster import encode
from headwater.doors import asking
from headwater.errors import SettingError


@pytest.fixture(scope="module")
def shades(tmp_path_factory):
    """A run folder of light and dark images, and the folder of those."""
    root = tmp_path_factory.mktemp("shades")
    draws = np.random.default_rng(0)
    for row in range(40):
        label, middle = ("dark", 60) if row % 2 else ("light", 190)
        folder = root / "data" / label
        folder.mkdir(parents=True, exist_ok=True)
        image = draws.integers(middle - 40, middle + 40, (8, 8, 3)).astype(np.uint8)
        (folder / f"{row:02}.png").write_bytes(encode(image))
    run = root / "run"
    made = type_in("adapt", "image-classification", root / "data", "--model", "pixels-logistic", "--to", run)
    assert made.exit_code == 0, made.output
    return run, root / "data"


def test_texts_are_refused_by_an_application_of_images(shades):
    result = type_in("predict", shades[0], "--say", "a cat")
    assert result.exit_code == 2
    assert "--say: An application of image-classification reads images, no texts." in result.stderr
    assert "Give the path of an image, a folder or an archive as DATA." in result.stderr
    asking.refuse_texts("text-classification")
    with pytest.raises(SettingError, match="reads images, no texts"):
        asking.refuse_texts("object-detection")


def test_an_observation_is_typed_in_and_an_action_has_no_confidence(tmp_path):
    small = {"bins": 4, "steps": 100, "episodes": 10, "evaluations": 1}
    to = tmp_path / "run"
    agent = headwater.adapt("control", "tests.contract.worlds:Corridor", model="q-learning", to=to, **small)
    result = type_in("predict", to, "--say", "[0.1, 1.0]", "--say", "up")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0].split() == ["text", "prediction", "reason"]
    assert result.stdout.splitlines()[1].split() == ["[0.1,", "1.0]", str(agent.predict([[0.1, 1.0]]).labels[0])]
    assert "a text that is no list" in " ".join(result.stdout.split())
    (tmp_path / "seen.jsonl").write_text('{"observation": [0.1, 1.0]}\n', "utf-8")
    assert type_in("predict", to, tmp_path / "seen.jsonl", "--to", tmp_path / "out.csv").exit_code == 0
    assert list(read_table(tmp_path / "out.csv")[0]) == ["row", "prediction", "reason"]


def test_a_failure_of_all_rows_is_a_failure(shades, run, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no image")
    for words in ([shades[0], tmp_path / "broken.png"], [run, "--say", " "]):
        result = type_in("predict", *words)
        assert result.exit_code == 2
        assert "No row could be answered. Got 'row 1, " in result.stderr
        assert result.stdout == ""


def test_the_reasons_are_written_where_no_row_is_answered(shades, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no image")
    result = type_in("predict", shades[0], tmp_path / "broken.png", "--to", tmp_path / "out.csv")
    assert result.exit_code == 2
    assert f"The reason of each row is in {tmp_path / 'out.csv'}." in result.stderr
    assert [row["reason"] for row in read_table(tmp_path / "out.csv")] == ["this is no image that can be read"]


@pytest.mark.parametrize("archived", [False, True])
def test_an_answer_stands_beside_the_name_of_its_image(shades, archived, tmp_path):
    data = Path(shutil.make_archive(str(tmp_path / "data"), "zip", shades[1])) if archived else shades[1]
    shown = type_in("predict", shades[0], data).stdout.splitlines()
    assert shown[0].split() == ["row", "image", "prediction", "confidence"]
    assert shown[1].split()[:3] == ["1", "dark/01.png", "dark"]
    type_in("predict", shades[0], data, "--to", tmp_path / "out.csv", "--keep", "label")
    rows = read_table(tmp_path / "out.csv")
    assert list(rows[0])[:4] == ["row", "image", "label", "prediction"]
    assert all(Path(row["image"]).parent.name == row["label"] for row in rows)


def test_one_image_is_called_by_its_name_and_a_kept_column_stays_as_it_is(shades, tmp_path):
    image = shades[1] / "dark" / "01.png"
    assert type_in("predict", shades[0], image).stdout.splitlines()[1].split()[:2] == ["1", "01.png"]
    type_in("predict", shades[0], image, "--to", tmp_path / "out.csv", "--keep", "image")
    assert read_table(tmp_path / "out.csv")[0]["image"] == str(image)


def test_evaluate_may_allow_more_rows_that_cannot_be_read(shades, tmp_path):
    shutil.copytree(shades[1], tmp_path / "data")
    for row in range(10):
        (tmp_path / "data" / "dark" / f"torn{row}.png").write_bytes(b"no image")
    refused = type_in("evaluate", shades[0], tmp_path / "data")
    assert refused.exit_code == 2
    assert "allow more with --quarantine-share" in refused.stderr
    assert type_in("evaluate", shades[0], tmp_path / "data", "--quarantine-share", 0.5).exit_code == 0
    wrong = type_in("evaluate", shades[0], tmp_path / "data", "--quarantine-share", 5)
    assert "quarantine_share cannot have this value. Got 5.0." in wrong.stderr


def test_rows_that_were_set_aside_are_told_where_too_few_are_left(shades, tmp_path):
    (tmp_path / "data" / "a").mkdir(parents=True)
    (tmp_path / "data" / "a" / "torn.png").write_bytes(b"no image")
    for label in ("dark", "light"):
        shutil.copytree(shades[1] / label, tmp_path / "data" / label, ignore=lambda _, names: sorted(names)[2:])
    words = ("--model", "pixels-logistic", "--quarantine-share", 0.5, "--to", tmp_path / "run")
    result = type_in("adapt", "image-classification", tmp_path / "data", *words)
    assert result.exit_code == 2
    assert "; 1 rows were set aside before, the first: " in result.stderr
    assert "this is no image that can be read." in result.stderr


def test_some_answers_are_no_failure(shades, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image")
    (tmp_path / "b.png").write_bytes((shades[1] / "dark" / "01.png").read_bytes())
    assert type_in("predict", shades[0], tmp_path, "--to", tmp_path / "out.csv").exit_code == 0
    assert type_in("predict", shades[0], tmp_path).exit_code == 0
