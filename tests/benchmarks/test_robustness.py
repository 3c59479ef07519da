"""How the end of a command is judged, and how ends are told."""

import pytest

import robustness
from robustness import Ended


@pytest.mark.parametrize(("ended", "made"), [(Ended(0, "done"), True), (Ended(2, "error: no rows."), False)])
def test_done_and_refused_are_no_faults(ended, made):
    assert robustness.fault_of(ended, made=made) is None


@pytest.mark.parametrize(
    ("ended", "made", "fault"),
    [
        (Ended(1, "a bug"), False, "status 1"),
        (Ended(2, "Traceback (most recent call last)"), False, "Traceback"),
        (Ended(0, "done"), False, "without a result"),
        (Ended(2, "error: late."), True, "and yet a result"),
        (Ended(2, ""), False, "without a sentence"),
    ],
)
def test_faults(ended, made, fault):
    assert fault in robustness.fault_of(ended, made=made)


def test_tables_add_up_the_portions_and_list_the_faults():
    portion = {"endings": {"adapt|gz|2": 1, "predict|gz|0": 1}, "faults": ["predict gz seed 3: lost"]}
    ends, faults = robustness.tables([portion, portion], 1, 1)
    assert ends.rows == [("gz", 0, 2, 2, 0)]
    assert "2 faults" in ends.caption
    assert len(faults.rows) == 2
    assert len(robustness.tables([{"endings": {}, "faults": []}], 0, 0)) == 1


def test_a_command_without_an_end_is_stopped():
    with pytest.raises(TimeoutError, match="no end after 60 CPU seconds"):
        robustness._give_up()
