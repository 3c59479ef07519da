"""Whatever an image is, a glance tells it as a person sees it; whatever it is not, a glance tells why."""

from __future__ import annotations

import io
import os
import random
import struct
import sys
import tracemalloc
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from tests.data.drawing import clouds

from headwater.data import pictures
from headwater.data.pictures import Picture, UnreadableError, glance, kept_open, look, pixels, thumbnail
from headwater.data.raster import _FORMATS, encode, upright
from headwater.data.reading import read
from headwater.data.remembered import Remembered
from headwater.errors import DataError, ExtraError
from headwater.settings import DataSettings

RED, GREEN = (200, 40, 30), (30, 160, 60)


def scene(width: int = 40, height: int = 24) -> Image.Image:
    """Red on the left, green on the right, with a grey corner above on the left."""
    image = Image.new("RGB", (width, height), GREEN)
    image.paste(RED, (0, 0, width // 2, height))
    image.paste((128, 128, 128), (0, 0, width // 4, height // 4))
    return image


def saved(image: Image.Image, kind: str = "PNG", **how: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **how)
    return stream.getvalue()


def seen(content: bytes, side: int = 16, *, grey: bool = False) -> np.ndarray:
    return pixels(Picture(content=content), side, grey=grey).astype(int)


def corners(content: bytes) -> list[list[int]]:
    square = seen(content)
    return [square[-1, 0].tolist(), square[-1, -1].tolist()]


@pytest.mark.parametrize(
    ("kind", "mode", "how"),
    [
        ("PNG", "RGB", {}),
        ("PNG", "RGBA", {}),
        ("PNG", "P", {}),
        ("BMP", "RGB", {}),
        ("TIFF", "RGB", {}),
        ("TIFF", "RGBA", {}),
        ("PPM", "RGB", {}),
        ("GIF", "P", {}),
        ("WEBP", "RGB", {"lossless": True}),
        ("TGA", "RGB", {}),
        ("JPEG", "RGB", {"quality": 95}),
        ("JPEG", "CMYK", {"quality": 95}),
        ("JPEG", "RGB", {"quality": 95, "progressive": True}),
    ],
)
def test_colours_of_every_format_are_as_a_person_sees_them(kind: str, mode: str, how: dict[str, Any]):
    content = saved(scene().convert(mode), kind, **how)
    found = glance(Picture(content=content))
    assert (found.reason, found.width, found.height, found.grey, found.kind) == (None, 40, 24, False, kind)
    np.testing.assert_allclose(corners(content), [RED, GREEN], atol=20)


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "L"), ("PNG", "LA"), ("PNG", "1"), ("PPM", "L"), ("JPEG", "L")])
def test_grey_images_are_told(kind: str, mode: str):
    ramp = Image.fromarray(np.repeat(np.array([[20, 230]], np.uint8), 8, axis=1).repeat(9, axis=0))
    content = saved(ramp.convert(mode), kind)
    found = glance(Picture(content=content))
    assert (found.reason, found.width, found.height, found.grey) == (None, 16, 9, True)
    assert seen(content, 8).shape == (8, 8, 3)
    square = seen(content, 8, grey=True)
    assert square.shape == (8, 8, 1)
    assert square[4, 0, 0] < 100
    assert square[4, -1, 0] > 155


@pytest.mark.parametrize(("kind", "how"), [("PNG", {}), ("JPEG", {"quality": 60}), ("WEBP", {"quality": 60})])
def test_grey_is_what_shows_no_colour_whatever_its_channels(kind: str, how: dict[str, Any]):
    digit = clouds(3).convert("L").convert("RGB")
    assert glance(Picture(content=saved(digit, kind, **how))).grey
    digit.paste(RED, (20, 10, 26, 16))
    assert not glance(Picture(content=saved(digit, kind, **how))).grey


def test_every_format_that_is_read_is_found_by_its_name():
    Image.init()
    endings = {suffix for suffix, kind in Image.registered_extensions().items() if kind in _FORMATS}
    assert endings <= set(pictures.SUFFIXES)
    assert len(set(pictures.SUFFIXES)) == len(pictures.SUFFIXES) > 30


@pytest.mark.parametrize("suffix", [".avif", ".jp2", ".ico", ".pcx", ".sgi", ".dib", ".apng"])
def test_pictures_of_rarer_formats_are_read_from_a_folder(suffix: str, tmp_path: Path):
    kind = Image.registered_extensions()[suffix]
    if kind not in Image.SAVE:
        pytest.skip("this Pillow does not write it")
    (tmp_path / "red").mkdir()
    scene(32, 32).save(tmp_path / "red" / f"1{suffix}", kind)
    records = read(tmp_path, DataSettings())
    assert [Path(path).name for path in records.column("image")] == [f"1{suffix}"]
    assert glance(Picture(str(tmp_path / "red" / f"1{suffix}"))).reason is None


def test_sixteen_bits_a_channel_become_eight():
    ramp = np.linspace(0, 65_535, 16).astype(np.uint16).reshape(4, 4)
    content = saved(Image.fromarray(ramp))
    assert glance(Picture(content=content)).grey
    np.testing.assert_allclose(seen(content, 4, grey=True)[:, :, 0], ramp / 257, atol=1)


def test_broken_numbers_of_a_tiff_count_from_zero_to_one():
    content = saved(Image.fromarray(np.full((4, 4), 0.5, np.float32)), "TIFF")
    assert set(seen(content, 4).ravel()) == {128}


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_clear_lies_on_white(mode: str):
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 4, 8))
    content = saved(image.convert(mode))
    square = seen(content, 8)
    assert (square[:, 0].max(), square[:, -1].min()) == (0, 255)


def test_a_clear_colour_of_a_png_lies_on_white():
    content = saved(Image.new("L", (4, 4), 7), transparency=7)
    assert set(seen(content, 4).ravel()) == {255}
    assert glance(Picture(content=content)).grey


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("turned", range(1, 9))
def test_exif_turns_an_image(kind: str, turned: int):
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    image = scene(64, 32)
    lying = image.transpose(Image.Transpose(back[turned])) if turned in back else image
    exif = Image.Exif()
    exif[0x0112] = turned
    content = saved(lying, kind, exif=exif)
    found = glance(Picture(content=content))
    assert (found.width, found.height) == (64, 32)
    np.testing.assert_allclose(corners(content), [RED, GREEN], atol=24)


def test_a_large_jpeg_keeps_its_size():
    exif = Image.Exif()
    exif[0x0112] = 6
    content = saved(scene(1201, 803), "JPEG", exif=exif)
    assert (glance(Picture(content=content)).width, glance(Picture(content=content)).height) == (803, 1201)


@pytest.mark.parametrize("odd", ["left", b"", (1, 2), 99])
def test_odd_metadata_do_not_matter(odd: Any, monkeypatch):
    monkeypatch.setattr(Image.Image, "getexif", lambda image: {0x0112: odd})
    assert upright(scene()).size == (40, 24)


def test_metadata_that_cannot_be_read_do_not_matter(monkeypatch):
    def fail(image: Image.Image) -> None:
        raise struct.error

    monkeypatch.setattr(Image.Image, "getexif", fail)
    assert glance(Picture(content=saved(Image.new("RGB", (7, 5), "red")))).width == 7


def test_of_a_moving_image_the_first_frame_is_seen():
    first, second = (Image.new("P", (9, 9), colour) for colour in (0, 1))
    first.putpalette([250, 0, 0, 0, 0, 250])
    second.putpalette([250, 0, 0, 0, 0, 250])
    content = saved(first, "GIF", save_all=True, append_images=[second])
    assert seen(content, 4)[0, 0].tolist() == [250, 0, 0]


def test_the_middle_square_is_read():
    wide = Image.new("L", (30, 10), 0)
    wide.paste(255, (10, 0, 20, 10))
    assert seen(saved(wide), 5).min() > 200
    assert seen(saved(wide.transpose(Image.Transpose.ROTATE_90)), 5, grey=True).min() > 200


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (3000, 2)])
def test_slivers_are_images(size: tuple[int, int]):
    content = saved(Image.new("RGB", size, RED))
    assert glance(Picture(content=content)).colour == RED
    assert seen(content, 8).shape == (8, 8, 3)
    assert thumbnail(Picture(content=content))


def png_of(width: int, height: int) -> bytes:
    """A PNG of a claimed size, with next to nothing in it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(50_000, 50_000), (11_000, 11_000), (9_500, 10_600)])
def test_a_bomb_is_refused_unseen(size: tuple[int, int]):
    reason = glance(Picture(content=png_of(*size))).reason
    assert reason == "the image unpacks to more than 100,000,000 pixels"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the image is empty: it has no bytes"),
        (b"this is a text, and no image at all", "this is no image that can be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "this is no image that can be read"),
        (saved(scene())[:60], "the image is damaged"),
        (saved(scene(400, 300), "JPEG")[:-900], "the image is damaged"),
        (png_of(40, 40), "the image is damaged"),
    ],
    ids=["empty", "text", "program", "cut PNG", "cut JPEG", "short PNG"],
)
def test_what_is_no_image_is_told(content: bytes, reason: str):
    picture = Picture(content=content)
    assert glance(picture).reason == reason
    assert thumbnail(picture) == b""
    with pytest.raises(DataError, match=f"A picture that was there before cannot be read any more.*{reason}"):
        pixels(picture, 8)


def test_files_that_cannot_be_opened_are_told(tmp_path: Path, monkeypatch):
    assert glance(Picture(str(tmp_path / "no.png"))).reason == f"there is no such file: {tmp_path / 'no.png'}"
    assert glance(Picture(str(tmp_path))).reason == "the file cannot be opened: Is a directory"
    assert glance(Picture("a\0b.png")).reason == "the path cannot be used"
    (tmp_path / "text.jpg").write_text("no image")
    assert glance(Picture(str(tmp_path / "text.jpg"))).reason == "this is no image that can be read"
    monkeypatch.setattr(pictures, "MOST_BYTES", 10)
    (tmp_path / "large.jpg").write_bytes(bytes(11))
    assert glance(Picture(str(tmp_path / "large.jpg"))).reason == "the file has more than 10 bytes"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a/1.png", saved(Image.new("RGB", (7, 5), "red")))
        made.writestr("a/2.png", b"no image" * 99)
    return path


def test_members_of_an_archive_are_read(archive: Path):
    assert glance(Picture(f"{archive}!/a/1.png")).width == 7
    assert glance(Picture(f"{archive}!/a/2.png")).reason == "this is no image that can be read"
    assert glance(Picture(f"{archive}!/3.png")).reason == f"there is no 3.png in the archive {archive}"
    assert glance(Picture("gone.zip!/3.png")).reason == "there is no such file: gone.zip"


def test_a_damaged_member_costs_itself_only(archive: Path):
    content = bytearray(archive.read_bytes())
    start = content.index(b"a/2.png") + len("a/2.png")
    content[start : start + 6] = b"\xff" * 6
    archive.write_bytes(content)
    assert glance(Picture(f"{archive}!/a/2.png")).reason == "the archive is damaged, or locked by a password"
    assert glance(Picture(f"{archive}!/a/1.png")).reason is None


@pytest.mark.parametrize("method", ["ZIP_STORED", "ZIP_DEFLATED", "ZIP_BZIP2", "ZIP_LZMA", "ZIP_ZSTANDARD"])
def test_a_flipped_byte_of_an_archive_is_never_an_error(method: str, tmp_path: Path):
    if not hasattr(zipfile, method):
        pytest.skip("this Python does not pack so")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", getattr(zipfile, method)) as made:
        made.writestr("1.png", saved(Image.new("RGB", (7, 5), "red")) + b"and more of the same" * 9)
    whole, reasons = stream.getvalue(), set()
    for place in range(0, len(whole), 2):
        content = bytearray(whole)
        content[place] ^= 0x55
        path = tmp_path / f"{place}.zip"
        path.write_bytes(content)
        reasons.add(glance(Picture(f"{path}!/1.png")).reason)
    assert {None, "the archive is damaged, or locked by a password"} <= reasons


def test_an_archive_that_is_none(tmp_path: Path):
    (tmp_path / "no.zip").write_bytes(b"PK no")
    reason = glance(Picture(f"{tmp_path / 'no.zip'}!/1.png")).reason
    assert reason == "the archive is damaged, or locked by a password"


def test_an_archive_is_opened_once_and_anew_when_it_is_another(archive: Path):
    first = kept_open(str(archive))
    assert kept_open(str(archive)) is first
    before = glance(Picture(f"{archive}!/a/1.png"))
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("a/1.png", saved(Image.new("RGB", (70, 50), "red")))
    assert kept_open(str(archive)) is not first
    assert (before.width, glance(Picture(f"{archive}!/a/1.png")).width) == (7, 70)


def test_a_forked_process_opens_its_own_archive(archive: Path, monkeypatch):
    first = kept_open(str(archive))
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert kept_open(str(archive)) is not first


def test_a_glance_is_remembered_until_the_file_changes(tmp_path: Path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(saved(Image.new("RGB", (7, 5), "red")))
    first = glance(Picture(str(path)))
    assert glance(Picture(str(path))) is first
    assert glance(Picture(content=path.read_bytes())) == first
    path.write_bytes(saved(Image.new("RGB", (70, 50), "red")))
    assert glance(Picture(str(path))).width == 70
    monkeypatch.setattr(pictures, "_seen", Remembered(most=3))
    for side in range(1, 9):
        glance(Picture(content=saved(Image.new("L", (side, 1)))))
    assert len(pictures._seen) == 3
    assert glance(Picture(str(path))).width == 70


def test_many_are_looked_at_in_their_order():
    made = [Picture(content=saved(Image.new("L", (1 + number % 9, 3)))) for number in range(600)]
    assert [one.width for one in look(made)] == [1 + number % 9 for number in range(600)]


def test_warnings_of_pillow_stay_within():
    broken = saved(scene(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x05\x01\x12\0\x03\0\0\xff\xff")
    before = list(warnings.filters)
    assert glance(Picture(content=broken)).reason is None
    assert look([Picture(content=broken + bytes([number])) for number in range(250)] * 2)[-1].reason is None
    assert list(warnings.filters) == before


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_no_damage_makes_a_glance_fail(kind: str):
    chance = random.Random(3)
    notes = PngImagePlugin.PngInfo()
    notes.add_text("about", "a scene")
    whole = saved(scene(), kind, **({"pnginfo": notes} if kind == "PNG" else {}))
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        picture = Picture(content=bytes(content[: chance.choice([None, chance.randrange(len(content))])]))
        found = glance(picture)
        assert (found.reason is None) == (len(found.thumb) == 256)
        assert bool(thumbnail(picture)) == (found.reason is None)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([[0, 255]], np.uint8), [0, 255]),
        (np.array([[False, True]]), [0, 255]),
        (np.array([[0.0, 0.5, 1.0]]), [0, 128, 255]),
        (np.array([[0, 0.5, 1]], np.float16), [0, 128, 255]),
        (np.array([[0.0, 255.0]], np.float32), [0, 255]),
        (np.array([[0.0, 1000.0]]), [0, 249]),
        (np.array([[0.0, 0.5, 1.0, 1.02]]), [0, 128, 255, 255]),
        (np.array([[-0.04, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, 4095.0, 4200.0]]), [0, 255, 255]),
        (np.array([[0.0, 1e300]]), [0, 255]),
        (np.array([[0, 255]], np.int64), [0, 255]),
        (np.array([[-5, 100]], np.int16), [0, 100]),
        (np.array([[0, 65_535]], np.int32), [0, 255]),
        (np.array([[0, 255, 65_535]], np.uint16), [0, 1, 255]),
        (np.array([[0, 255, 65_535]], ">u2"), [0, 1, 255]),
        (np.array([[0, 255]], np.uint16), [0, 255]),
        (np.array([[0, 1023]], np.uint16), [0, 255]),
        (np.array([[0, 2048, 4095]], np.uint16), [0, 128, 255]),
        (np.array([[0, 2048, 4095]], ">i4"), [0, 128, 255]),
        (np.array([[0, 16_000]], np.uint16), [0, 249]),
        (np.array([[0, 2**31 - 1]], np.int32), [0, 255]),
        (np.array([[0, 0]], np.float32), [0, 0]),
    ],
)
def test_numbers_of_all_types_are_drawn(array: np.ndarray, expected: list[int]):
    with Image.open(io.BytesIO(encode(array))) as image:
        assert image.mode == "L"
        assert np.asarray(image).ravel().tolist() == expected


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.array([[-2.0, 0.5, 1.5]]), r"it has numbers below 0, down to -2"),
        (np.array([[0.0, np.nan]], np.float32), "it has numbers that are not finite"),
        (np.array([[0.0, np.inf]], np.float16), "it has numbers that are not finite"),
        (np.array([[-np.inf, 1.0]]), "it has numbers that are not finite"),
    ],
)
def test_numbers_that_are_no_shades_are_refused(array: np.ndarray, reason: str):
    with pytest.raises(DataError, match=rf"An array of these numbers is no image: {reason}.*Give the pixels as they"):
        encode(array)
    if array.dtype == np.float32:
        found = glance(Picture(content=saved(Image.fromarray(array), "TIFF"))).reason
        assert found == f"the image has no shades: {reason}"
        with pytest.raises(DataError, match=f"cannot be read to its end.*the image has no shades: {reason}"):
            encode(Image.fromarray(array))


def tiff_of(array: np.ndarray, **tags: int) -> bytes:
    """A TIFF of one channel of 16 bits, in the byte order of the array."""
    order = array.dtype.newbyteorder("=") == array.dtype and sys.byteorder == "little"
    sign, body = "<" if order else ">", array.tobytes()
    height, width = array.shape
    noted = {256: width, 257: height, 258: 16, 259: 1, 262: 1, 273: 0, 278: height, 279: len(body)}
    noted |= {int(tag[1:]): value for tag, value in tags.items()}
    noted[273] = 8 + 2 + 12 * len(noted) + 4
    entries = b"".join(struct.pack(f"{sign}HHII", tag, 4, 1, value) for tag, value in sorted(noted.items()))
    head = (b"II*\0" if order else b"MM\0*") + struct.pack(f"{sign}IH", 8, len(noted))
    return head + entries + struct.pack(f"{sign}I", 0) + body


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_whole_numbers_of_a_tiff_are_read_in_either_byte_order(order: str):
    full = np.linspace(0, 65_535, 16).astype(order).reshape(4, 4)
    np.testing.assert_allclose(seen(tiff_of(full), 4)[:, :, 0], full / 257, atol=1)
    twelve = np.linspace(0, 4095, 16).astype(order).reshape(4, 4)
    np.testing.assert_allclose(seen(tiff_of(twelve), 4)[:, :, 0], twelve / 4095 * 255, atol=1)
    np.testing.assert_allclose(seen(tiff_of(twelve, t281=65_535), 4)[:, :, 0], twelve / 257, atol=1)


@pytest.mark.parametrize("maxval", [1000, 4095, 65_535])
def test_a_pgm_says_itself_what_is_white(maxval: int):
    dark = np.linspace(0, 200, 16).astype(">u2")
    content = b"P5 4 4 %d\n" % maxval + dark.tobytes()
    np.testing.assert_allclose(seen(content, 4)[:, :, 0].ravel(), dark / maxval * 255, atol=1)


@pytest.mark.parametrize("shape", [(900, 1000), (3, 300_000)])
def test_large_numbers_of_many_bits_are_read_in_strips(shape: tuple[int, int]):
    numbers = np.arange(shape[0] * shape[1], dtype=np.uint32).reshape(shape) % 4096
    found = np.asarray(upright(Image.fromarray(numbers.astype(np.uint16))))
    np.testing.assert_array_equal(found, (numbers * (255 / 4095)).round())


def test_a_large_picture_of_many_bits_takes_little_memory():
    image = Image.new("F", (3000, 2000), 0.5)
    tracemalloc.start()
    try:
        upright(image)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 6_000_000 * 4


def test_a_large_clear_picture_is_laid_on_white_as_a_small_one():
    random = np.random.default_rng(0)
    image = Image.fromarray(random.integers(0, 256, (1100, 1000, 4), dtype=np.uint8))
    whole = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    np.testing.assert_array_equal(np.asarray(upright(image)), np.asarray(whole))


def test_mistakes_of_ours_are_not_taken_for_damage(monkeypatch):
    def mistaken(*given: Any) -> None:
        raise TypeError("a mistake")

    content = saved(scene(9, 9))
    with monkeypatch.context() as patched:
        patched.setattr(pictures, "upright", mistaken)
        with pytest.raises(TypeError, match="a mistake"):
            glance(Picture(content=content))
    monkeypatch.setattr(Image.Image, "convert", mistaken)
    with pytest.raises(TypeError, match="a mistake"):
        glance(Picture(content=content))


@pytest.mark.parametrize("wrong", [TypeError, AttributeError, AssertionError])
def test_whatever_pillow_raises_on_loading_is_damage(wrong: type[Exception], monkeypatch):
    def fail(*given: Any, **named: Any) -> None:
        raise wrong

    content = saved(scene(9, 8))
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", fail)
    assert glance(Picture(content=content)).reason == "the image is damaged"
    monkeypatch.setattr(Image, "open", fail)
    assert glance(Picture(content=content + b" ")).reason == "the image is damaged"


def test_memory_that_runs_out_is_no_damage(monkeypatch):
    def fail(*given: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", fail)
    with pytest.raises(MemoryError):
        glance(Picture(content=saved(scene(8, 9))))


@pytest.mark.parametrize(("shape", "mode"), [((4, 6, 1), "L"), ((4, 6, 3), "RGB"), ((4, 6, 4), "RGB")])
def test_arrays_of_channels_are_drawn(shape: tuple[int, ...], mode: str):
    with Image.open(io.BytesIO(encode(np.full(shape, 255, np.uint8)))) as image:
        assert (image.size, image.mode) == ((6, 4), mode)


@pytest.mark.parametrize("shape", [(4,), (4, 6, 2), (3, 40, 60), (0, 4), (1, 2, 3, 3)])
def test_arrays_of_other_shapes_are_no_images(shape: tuple[int, ...]):
    with pytest.raises(DataError, match=r"An array of this shape is no image. Got \(.*Accepted: \(height, width\) or"):
        encode(np.zeros(shape))


def test_arrays_of_other_types_are_no_images():
    with pytest.raises(DataError, match=r"An array of this type is no image\. Got 'complex128'\. Accepted: numbers"):
        encode(np.zeros((4, 4), complex))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "YCbCr", "HSV", "LAB", "RGBA", "P", "1", "F", "I", "I;16"])
def test_images_of_pillow_are_encoded(mode: str):
    image = Image.new(mode, (6, 4)) if mode in ("LAB", "I;16") else scene(6, 4).convert(mode)
    assert glance(Picture.of(image)).width == 6


def test_an_image_of_pillow_that_is_cut_off_is_told():
    with (
        Image.open(io.BytesIO(saved(scene(400, 300), "JPEG")[:-900])) as image,
        pytest.raises(DataError, match=r"This image of Pillow cannot be read to its end\. Got 'image file is"),
    ):
        encode(image)


def test_thumbnails_keep_the_shape():
    with Image.open(io.BytesIO(thumbnail(Picture(content=saved(scene(400, 200))), 50))) as small:
        assert (small.format, small.size) == ("JPEG", (50, 25))
    with Image.open(io.BytesIO(thumbnail(Picture(content=saved(scene(40, 20)))))) as small:
        assert small.size == (40, 20)


def test_without_pillow_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ExtraError, match=r"Images need the library Pillow\. Install it with: pip .*headwater\[vis"):
        glance(Picture(content=b"an image that nobody has looked at yet"))


def test_a_picture_says_where_it_is():
    assert str(Picture("a.zip!/1.png")) == "a.zip!/1.png"
    assert repr(Picture(content=bytes(5000))) == "Picture(path=None)"
    with pytest.raises(UnreadableError, match=r"there is no such file: nowhere\.png"):
        Picture("nowhere.png").read()
