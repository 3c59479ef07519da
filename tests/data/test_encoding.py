import pytest

from headwater.data.encoding import UNDECODABLE, checked, decode, detect, refuse_binary
from headwater.data.reading import read
from headwater.errors import DataError, SettingError
from headwater.settings import DataSettings

TEXTS = {
    "utf-8": "the café was très bien 你好\n",
    "gb18030": "这家酒店的服务很好，房间也干净。下次还会再来，性价比高。\n",
    "cp1252": "Le café était très agréable et la chambre propre. Schöne Grüße, “vraiment” bien\n",
    "cp1250": "Příliš žluťoučký kůň úpěl ďábelské ódy. Hotel byl pěkný a čistý, určitě se vrátíme.\n",
    "cp1251": "Привет, как дела сегодня. Отель был хороший и чистый.\n",
    "big5": "這家酒店的服務很好，房間也乾淨。早餐不錯，下次還會再來。\n",
    "cp932": "このホテルはとても良かったです。部屋も広くて、朝食が美味しかった。\n",
}


@pytest.mark.parametrize("encoding", TEXTS)
@pytest.mark.parametrize("times", [1, 40])
def test_encoding_is_found(encoding, times):
    assert detect([(TEXTS[encoding] * times).encode(encoding)]) == encoding


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_unicode_files_are_read(tmp_path, encoding):
    path = tmp_path / "data.csv"
    path.write_bytes("text,label\nthe café 你好,good\n".encode(encoding))
    assert read(path, DataSettings()).table.to_pylist() == [{"text": "the café 你好", "label": "good"}]


@pytest.mark.parametrize("encoding", ["gb18030", "cp1252", "latin-1"])
def test_given_encoding_overrules(tmp_path, encoding):
    path = tmp_path / "data.csv"
    path.write_bytes(b"text\n\xc4\xe3\xba\xc3\n")
    assert read(path, DataSettings(encoding=encoding)).column("text") == [b"\xc4\xe3\xba\xc3".decode(encoding)]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_few_wrong_bytes_do_not_change_the_encoding(tmp_path, encoding):
    lines = [f"{TEXTS[encoding].strip()},{row}".encode(encoding) for row in range(60)]
    lines[20] += b"\xff\xfe"
    path = tmp_path / "data.csv"
    path.write_bytes(b"\n".join([b"text,id", *lines]))
    records = read(path, DataSettings(delimiter=","))
    assert [problem.line for problem in records.problems.values()] == [22]
    assert records.column("id")[21] == "21"


def test_a_late_accent_counts():
    assert detect([b"plain\n" * 100_000, "café très agréable\n".encode("latin-1")]) == "cp1252"


def test_wrong_bytes_are_marked_and_line_ends_stay():
    assert decode("中\n".encode("gb18030")[:1] + b"\na", "gb18030") == f"{UNDECODABLE}\na"
    assert decode(b"\xe4\xbd\na", "utf-8") == f"{UNDECODABLE}\na"


@pytest.mark.parametrize("name", ["utf-9", "hex", "no\0name", "undefined"])
def test_unknown_encoding(name):
    with pytest.raises(SettingError, match=r"--encoding: There is no text encoding of this name\. Got"):
        checked(name)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"PK\x03\x04rest", "a zip archive or an Excel workbook"),
        (b"\x89PNG\r\n", "a PNG image"),
        (b"\x80\x04\x95\x00", "a pickle"),
        (b"PAR1abc", "a Parquet file"),
        (bytes(range(256)) * 4, "binary data"),
    ],
)
def test_what_is_no_text_is_named(head, kind):
    with pytest.raises(DataError, match=f"data.csv: This is no text but looks like {kind}"):
        refuse_binary(head, "data.csv")
