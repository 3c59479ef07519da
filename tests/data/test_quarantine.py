import json

import pytest

from headwater.data.quarantine import Quarantine, quarantine, write_quarantine
from headwater.data.reading import read, read_parts
from headwater.errors import DataError
from headwater.settings import DataSettings


def records(tmp_path, bad, good):
    path = tmp_path / "100%.csv"
    path.write_text("text,label\n" + "alone\n" * bad + "".join(f"text {n},a\n" for n in range(good)))
    return read(path, DataSettings())


def test_usable_rows_keep_their_places(tmp_path):
    usable, problems = quarantine(records(tmp_path, 1, 19), 0.05)
    assert usable.column("text") == [f"text {n}" for n in range(19)]
    assert (usable.problems, usable.lines.tolist()) == ({}, list(range(3, 22)))
    assert [str(problem) for problem in problems] == [f"{tmp_path / '100%.csv'}:2: 1 cell instead of 2"]


def test_all_rows_usable(tmp_path):
    whole = records(tmp_path, 0, 2)
    assert quarantine(whole, 0) == (whole, [])


def test_too_many_stop_the_run(tmp_path):
    with pytest.raises(DataError) as caught:
        quarantine(records(tmp_path, 4, 36), 0.05)
    file = tmp_path / "100%.csv"
    assert str(caught.value) == (
        "100%.csv: 4 of 40 rows (10.0 %) cannot be used, more than 5.0 %: "
        f"{file}:2: 1 cell instead of 2; {file}:3: 1 cell instead of 2; {file}:4: 1 cell instead of 2. "
        "Mend these rows, or allow more with --quarantine-share."
    )
    with pytest.raises(DataError, match="row 2: this row is int"):
        quarantine(read(["a", 1], DataSettings()), 0)
    assert len(quarantine(read(["a", 1], DataSettings()), 1)[0]) == 1


def test_file_says_file_line_and_reason(tmp_path):
    write_quarantine(quarantine(records(tmp_path, 2, 2), 1)[1], tmp_path / "run" / "quarantine.jsonl")
    lines = (tmp_path / "run" / "quarantine.jsonl").read_text().splitlines()
    assert json.loads(lines[1]) == {"file": str(tmp_path / "100%.csv"), "line": 3, "reason": "1 cell instead of 2"}
    assert len(lines) == 2


def test_parts_are_counted_together(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\na,b\nalone\nc,d\nalone\n")
    aside = Quarantine()
    for part in read_parts(tmp_path / "a.csv", DataSettings(), rows=3):
        aside.add(part)
    assert [(problem["line"], problem["reason"]) for problem in aside.summary()["examples"]] == [
        (3, "1 cell instead of 2"),
        (5, "1 cell instead of 2"),
    ]
    assert (aside.summary()["count"], aside.summary()["share"]) == (2, 0.5)
    aside.refuse_over(0.5)
    with pytest.raises(DataError, match=r"a\.csv: 2 of 4 rows \(50\.0 %\) cannot be used, more than 40\.0 %"):
        aside.refuse_over(0.4)
