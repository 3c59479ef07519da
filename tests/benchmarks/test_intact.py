"""The judge of damaged files must itself find every fault."""

import gzip

import pytest

import intact

CLEAN = [(f"r{row}", f"text {row}", "good") for row in range(4)]
KNOWN = {row: f"answer {row[0]}" for row in CLEAN}


def answers(rows):
    return [
        {"row": str(number), "id": row[0], "text": row[1], "label": row[2], "prediction": KNOWN.get(row, "")}
        for number, row in enumerate(rows, 1)
    ]


def fault(rows, seen=CLEAN):
    return intact.row_fault(answers(rows), list(seen), KNOWN)


def test_the_clean_file_has_no_fault():
    assert fault(CLEAN) is None


def test_a_damaged_row_may_come_out_as_null():
    assert fault([CLEAN[0], ("", "", ""), *CLEAN[2:]], seen=[CLEAN[0], *CLEAN[2:]]) is None


@pytest.mark.parametrize("rows", [CLEAN[1:], [CLEAN[0], *CLEAN], CLEAN[::-1]], ids=["lost", "doubled", "moved"])
def test_intact_rows_come_once_and_in_order(rows):
    assert fault(rows) == "an intact row is lost, doubled or out of its place"


def test_a_text_beside_a_foreign_id_is_a_shift():
    assert "stands in another row's place" in fault([("r0", "text 1", "good"), *CLEAN[2:]], seen=CLEAN[2:])


@pytest.mark.parametrize("row", [("r1?", "text 1", "good"), ("r1", "text 1", "g?ood"), ("r1", "text ?", "good")])
def test_a_damaged_cell_is_no_shift(row):
    assert fault([CLEAN[0], row, *CLEAN[2:]], seen=[CLEAN[0], *CLEAN[2:]]) is None


def test_a_row_that_a_lenient_reader_mends_is_not_intact(tmp_path):
    file = tmp_path / "case.csv"
    file.write_bytes(b'1,""2,3\r\n1,2,3\r\n"4",5,6\r\n')
    assert intact.seen_in(file) == [("1", "2", "3")]


def test_an_answer_that_moved_to_another_row_is_found():
    rows = answers(CLEAN)
    rows[1]["prediction"] = "answer r2"
    assert "another answer" in intact.row_fault(rows, CLEAN, KNOWN)


def test_a_gap_in_the_row_numbers_is_found():
    assert intact.row_fault(answers(CLEAN)[1:], CLEAN[1:], KNOWN) == "the row numbers have a gap"


@pytest.mark.parametrize("damage", [lambda content: content, lambda content: gzip.compress(content)[:-9]])
def test_what_a_plain_reader_sees(tmp_path, damage):
    file = tmp_path / "case.csv"
    file.write_bytes(damage(b'a,"b,\nc",d\nragged,row\n1,2,3\n'))
    assert intact.seen_in(file) == [("a", "b,\nc", "d"), ("1", "2", "3")]


def test_a_broken_archive_has_no_rows(tmp_path):
    file = tmp_path / "case.csv.gz"
    file.write_bytes(gzip.compress(b"1,2,3\n")[:2] + b"nonsense")
    assert intact.seen_in(file) == []
