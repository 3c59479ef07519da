"""Pictures are decoded ahead of the network, by threads that are kept."""

import threading

import numpy as np
import pytest
import torch
from tests.tiny import make_vit

from headwater.data.pictures import Picture
from headwater.errors import DataError
from headwater.foundation import prepared
from headwater.foundation.image import ImageEncoder
from headwater.foundation.prepared import PreparedPictures
from headwater.foundation.reading import Reading
from headwater.transfer.features import in_batches

PLAIN = Reading(8, (0.0,) * 3, (1.0,) * 3)
SHADES = [Picture.of(np.full((8, 8), shade, np.uint8)) for shade in range(0, 240, 20)]


def test_rows_come_in_their_order_however_often_they_are_asked_for():
    held = PreparedPictures(SHADES, PLAIN)
    held.ahead(np.array([1, 2, 3]))
    held.ahead(np.array([3, 4]))
    for rows in ([4, 1], [2, 2, 9], [3], [1]):
        values = held.batch(np.array(rows))["pixel_values"]
        torch.testing.assert_close(values[:, 0, 0, 0] * 255, torch.tensor(rows) * 20.0)
    assert not held._coming


def test_the_next_pass_is_decoded_while_the_network_works(tmp_path, monkeypatch):
    encoder = ImageEncoder.load(make_vit(tmp_path / "vit"), "tiny")
    read, features, started = prepared.pixels, encoder.features, {picture: threading.Event() for picture in SHADES}
    waited = []

    def noted(picture, side):
        started[picture].set()
        return read(picture, side)

    def waits(batch):
        following = SHADES[2 * len(waited) + 2 : 2 * len(waited) + 4]
        waited.append(all(started[picture].wait(10) for picture in following))
        assert sum(one.is_set() for one in started.values()) <= 2 * len(waited) + 2, "and no further ahead"
        return features(batch)

    monkeypatch.setattr(prepared, "pixels", noted)
    monkeypatch.setattr(encoder, "features", waits)
    assert len(list(in_batches(encoder, SHADES, token_budget=8))) == 6
    assert waited == [True] * 6


def test_the_threads_are_kept():
    held = PreparedPictures(SHADES, PLAIN)
    held.batch(np.arange(12))
    before = {thread for thread in threading.enumerate() if thread.name.startswith("headwater-decoder")}
    for _ in range(9):
        held.batch(np.arange(12))
    after = {thread for thread in threading.enumerate() if thread.name.startswith("headwater-decoder")}
    assert before <= after
    assert 1 <= len(after) <= 16


def test_a_picture_that_went_missing_is_told(tmp_path):
    held = PreparedPictures([Picture(str(tmp_path / "gone.png"))], PLAIN)
    held.ahead(np.array([0]))
    with pytest.raises(DataError, match="A picture that was there before cannot be read any more"):
        held.batch(np.array([0]))
