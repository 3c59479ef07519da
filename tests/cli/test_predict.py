"""Predicting as a user types it, for images: which image an answer is for, how it reads, and how a failure ends."""

import numpy as np
import pytest
from tests.cli.commands import read_table, type_in

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


def test_some_answers_are_no_failure(shades, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image")
    (tmp_path / "b.png").write_bytes((shades[1] / "dark" / "01.png").read_bytes())
    assert type_in("predict", shades[0], tmp_path, "--to", tmp_path / "out.csv").exit_code == 0
    assert type_in("predict", shades[0], tmp_path).exit_code == 0
