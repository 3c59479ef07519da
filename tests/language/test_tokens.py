import pytest

from headwater.language.tokens import are_pairs, sides, tokens, unspaced


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't PANIC, 42!", ["don't", "panic", ",", "42", "!"]),
        ("很好吃。WiFi快", ["很", "好", "吃", "。", "wifi", "快"]),
        ("カタカナとひらがな", list("カタカナとひらがな")),
        ("ไทย", list("ไทย")),
        ("نص عربي", ["نص", "عربي"]),
        ("👍👎", ["👍", "👎"]),
        ("ｆｕｌｌ", ["full"]),
        ("\x00 \n", ["\x00"]),
        ("", []),
    ],
)
def test_tokens_of_any_script(text, expected):
    assert tokens(text) == expected


def test_unspaced_goes_by_the_letters_of_all_texts():
    assert unspaced(["房间", "很大 ok"])
    assert not unspaced(["rooms and rooms", "房间"])
    assert not unspaced(["123 !?"])
    assert not unspaced([])


def test_sides_of_pairs_keep_rows_together():
    pairs = [("a", "b"), ("c", "d")]
    assert are_pairs(pairs)
    assert not are_pairs([])
    assert sides(pairs, pairs=True) == [["a", "c"], ["b", "d"]]
    assert sides(pairs, pairs=False) == [["a b", "c d"]]
    assert sides([], pairs=True) == [[], []]
