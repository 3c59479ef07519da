import os

import numpy as np

from headwater.foundation import cache
from headwater.foundation.cache import FeatureCache, cache_folder, keys_of, make_room

KEYS = keys_of(["a", "b", ("a", "b")])
FEATURES = np.arange(6, dtype=np.float32).reshape(3, 2)


def test_rows_come_back_by_key_from_any_process(tmp_path):
    FeatureCache(tmp_path, "f").write(KEYS[:2], FEATURES[:2])
    FeatureCache(tmp_path, "f").write(KEYS[2:], np.asfortranarray(FEATURES[2:]))
    found = FeatureCache(tmp_path, "f").read(KEYS)
    np.testing.assert_array_equal(np.stack([found[key] for key in KEYS]), FEATURES)


def test_the_keys_of_a_block_are_read_once_and_new_blocks_are_seen(tmp_path, monkeypatch):
    looked, opened = [], []
    keys_in, read_block = cache._keys_in, cache._read_block
    monkeypatch.setattr(cache, "_keys_in", lambda file: looked.append(file) or keys_in(file))
    monkeypatch.setattr(cache, "_read_block", lambda file, wanted: opened.append(file) or read_block(file, wanted))
    kept = FeatureCache(tmp_path, "f")
    for key, row in zip(KEYS, FEATURES, strict=True):
        assert kept.read([key]) == {}
        FeatureCache(tmp_path, "f").write([key], row[None])  # of another process
    found = [kept.read([key])[key] for key in KEYS]
    np.testing.assert_array_equal(found, FEATURES)
    assert (len(looked), len(opened)) == (3, 3)
    kept.limit = 0
    kept.write(KEYS[:1], FEATURES[:1])  # the others make room
    assert list(kept.read(KEYS)) == [KEYS[0]]


def test_another_foundation_sees_nothing(tmp_path):
    FeatureCache(tmp_path, "f").write(KEYS, FEATURES)
    assert FeatureCache(tmp_path, "g").read(KEYS) == {}


def test_without_a_folder_nothing_is_kept():
    kept = FeatureCache(None, "f")
    kept.write(KEYS, FEATURES)
    assert kept.read(KEYS) == {}


def test_a_damaged_block_is_removed_and_told(tmp_path, caplog):
    FeatureCache(tmp_path, "f").write(KEYS, FEATURES)
    (block,) = tmp_path.glob("f/*.safetensors")
    content = bytearray(block.read_bytes())
    content[-1] ^= 0xFF
    block.write_bytes(content)
    assert FeatureCache(tmp_path, "f").read(KEYS) == {}
    assert not block.exists()
    assert "damaged" in caplog.text


def test_a_truncated_block_is_removed(tmp_path):
    FeatureCache(tmp_path, "f").write(KEYS, FEATURES)
    (block,) = tmp_path.glob("f/*.safetensors")
    block.write_bytes(block.read_bytes()[:20])
    assert FeatureCache(tmp_path, "f").read(KEYS) == {}
    assert not block.exists()


def test_the_oldest_blocks_make_room(tmp_path):
    kept = FeatureCache(tmp_path, "f")
    kept.write(KEYS[:1], FEATURES[:1])
    (first,) = tmp_path.glob("f/*.safetensors")
    os.utime(first, (0, 0))
    FeatureCache(tmp_path, "f", limit=first.stat().st_size).write(KEYS[1:2], FEATURES[1:2])
    assert list(kept.read(KEYS)) == [KEYS[1]]


def test_a_full_disk_is_a_warning_only(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    FeatureCache(tmp_path / "file", "f").write(KEYS, FEATURES)
    assert "Features are not kept" in caplog.text


def test_the_folder_is_settled_by_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("HEADWATER_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path / "features"


def test_what_was_made_last_stays_however_large(tmp_path):
    for number, size in enumerate((10, 20, 100)):
        file = tmp_path / str(number)
        file.write_bytes(bytes(size))
        os.utime(file, (number, number))
    make_room(tmp_path.iterdir(), limit=50)
    assert [file.name for file in tmp_path.iterdir()] == ["2"]
