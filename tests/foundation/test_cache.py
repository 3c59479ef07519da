import os

import numpy as np

from headwater.foundation.cache import FeatureCache, cache_folder, keys_of, make_room

KEYS = keys_of(["a", "b", ("a", "b")])
FEATURES = np.arange(6, dtype=np.float32).reshape(3, 2)


def test_rows_come_back_by_key_from_any_process(tmp_path):
    FeatureCache(tmp_path, "f").write(KEYS[:2], FEATURES[:2])
    FeatureCache(tmp_path, "f").write(KEYS[2:], np.asfortranarray(FEATURES[2:]))
    found = FeatureCache(tmp_path, "f").read(KEYS)
    np.testing.assert_array_equal(np.stack([found[key] for key in KEYS]), FEATURES)


def test_another_foundation_sees_nothing(tmp_path):
    FeatureCache(tmp_path, "f").write(KEYS, FEATURES)
    assert FeatureCache(tmp_path, "g").read(KEYS) == {}


def test_without_a_folder_nothing_is_kept():
    cache = FeatureCache(None, "f")
    cache.write(KEYS, FEATURES)
    assert cache.read(KEYS) == {}


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
    cache = FeatureCache(tmp_path, "f")
    cache.write(KEYS[:1], FEATURES[:1])
    (first,) = tmp_path.glob("f/*.safetensors")
    os.utime(first, (0, 0))
    FeatureCache(tmp_path, "f", limit=first.stat().st_size).write(KEYS[1:2], FEATURES[1:2])
    assert list(cache.read(KEYS)) == [KEYS[1]]


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
