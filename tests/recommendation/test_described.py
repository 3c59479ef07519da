import logging

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image as Pillow
from tests.recommendation.tastes import ITEMS, films, known

from headwater.data.records import Records
from headwater.errors import DataError, NotFoundError, SettingError
from headwater.recommendation import described as words
from headwater.recommendation.described import Described, described
from headwater.recommendation.recommender import Known
from headwater.settings import Settings


def table(**columns):
    return Records(pa.table(columns), name="items.csv")


def test_words_are_all_but_names_codes_addresses_and_pictures():
    count = 30
    records = table(
        name=[f"i{n}" for n in range(count)],
        title=[f"A title of {n} words" for n in range(count)],
        year=[1990 + n % 3 for n in range(count)],
        tags=[["war", "love"] for _ in range(count)],
        War=[n % 2 for n in range(count)],
        code=[f"tt{n}" for n in range(count)],
        price=[n + 0.5 for n in range(count)],
        link=[f"http://films/{n}" for n in range(count)],
        cover=[f"{n}.png" for n in range(count)],
        empty=pa.array([None] * count, pa.string()),
    )
    found = described(records, Settings(), [f"i{n}" for n in range(count)])
    assert found == Described(("title", "year", "tags", "War"), "cover")


def test_single_words_are_titles():
    assert described(table(title=["Alien", "Casablanca", "Fargo"]), Settings()).words == ("title",)


def test_named_columns_come_first():
    records = table(title=["a b", "c d"], cover=["a.png", "b.png"], code=["x1", "x2"])
    assert described(records, Settings(text=("code",), image=("title",))) == Described(("code",), "title")
    with pytest.raises(NotFoundError, match=r"There is no column of this name\. Got 'titel'"):
        described(records, Settings(text=("titel",)))
    with pytest.raises(SettingError, match="An item has one column of images"):
        described(records, Settings(image=("title", "cover")))


def test_several_values_of_a_cell_are_divided():
    records = table(
        genres=["War|Drama", "Love ; War", None],
        tags=[["a b", None, "c"], [], None],
        title=[["Toy", "Story"], ["Heat"], None],
    )
    assert words.words_of(records, ["genres", "tags"]) == [["War, Drama", "Love, War", ""], ["a b, c", "", ""]]
    assert words.texts_of(records, ["title", "genres"]) == ["Toy Story, War, Drama", "Heat, Love, War", ""]


def test_pictures_lie_beside_the_file_of_the_items(tmp_path, caplog):
    Pillow.fromarray(np.zeros((20, 20, 3), np.uint8)).save(tmp_path / "a.png")
    file = str(tmp_path / "items.csv")
    records = Records(pa.table({"cover": ["a.png", "gone.png", None]}), files=(file,))
    with caplog.at_level(logging.WARNING, "headwater"):
        found = words.pictures_of(records, "cover")
    assert [one is not None for one in found] == [True, False, False]
    assert found[0].path == str(tmp_path / "a.png")
    assert "1 of 2 pictures of items cannot be read: there is no such file" in caplog.text


def test_a_model_says_what_it_lacks():
    interactions, bare = known().interactions, table(price=[n + 0.25 for n in range(ITEMS)])
    with pytest.raises(DataError, match=r"--items: lsa recommends by what items are, and nothing describes them"):
        words.need_words(Known(interactions), Settings(), "lsa")
    with pytest.raises(DataError, match=r"items.csv: No column describes items in words, as lsa needs"):
        words.need_words(Known(interactions, bare), Settings(), "lsa")
    with pytest.raises(DataError, match=r"No column holds pictures of items, as image-embedding needs"):
        words.need_image(Known(interactions, films()), Settings(), "image-embedding")
    with pytest.raises(DataError, match=r"No column describes items in words or pictures, as cnn-features needs"):
        words.need_any(Known(interactions, bare), Settings(), "cnn-features")
