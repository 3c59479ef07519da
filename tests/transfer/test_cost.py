"""How much memory a block of work takes."""

import pytest

from headwater.transfer import cost
from headwater.transfer.cost import PeakMemory


@pytest.mark.skipif(not cost._RESET.exists(), reason="only Linux tells it")
def test_a_peak_is_told_though_it_was_given_back_and_an_earlier_one_was_higher():
    for mib in (200, 50):
        with PeakMemory() as peak:
            held = b"x" * (mib << 20)
            del held
        assert peak.mebibytes == pytest.approx(mib, abs=8)


def test_where_nothing_is_told_nothing_is_made_up(monkeypatch, tmp_path):
    monkeypatch.setattr(cost, "_RESET", tmp_path / "no" / "such")
    monkeypatch.setattr(cost, "_STATUS", tmp_path / "nothing")
    with PeakMemory() as peak:
        pass
    assert peak.mebibytes is None
