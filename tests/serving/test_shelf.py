"""What is on the shelf: items, searched and chosen."""

import numpy as np
import pyarrow as pa

from headwater.data.records import Records
from headwater.recommendation.ids import Ids
from headwater.recommendation.interactions import Histories
from headwater.recommendation.kept import Kept
from headwater.serving.shelf import _MASKS, Shelf


def test_choices_that_are_asked_again_are_kept_and_no_more_than_so_many():
    kept = Kept(Ids(["u"]), Ids(["a", "b"]), Histories.of_lists([[1]], 2), np.array([True]), rated=False)
    shelf = Shelf(kept, Records(pa.table({"item": ["a", "b"], "genre": ["Comedy", "Drama"]})))
    assert shelf.mask(None) is None
    first = shelf.mask({"genre": "drama"})
    assert first.tolist() == [False, True]
    assert shelf.mask({"genre": "drama"}) is first
    for number in range(2 * _MASKS):
        assert not shelf.mask({"genre": f"genre {number}"}).any()
    assert len(shelf._masks) == _MASKS
    assert shelf.mask({"genre": "drama"}) is not first
