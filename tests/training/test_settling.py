from headwater.run import Run
from headwater.settings import Settings
from headwater.training.settling import settle


def test_what_was_settled_once_stays(tmp_path):
    run = Run(Settings(device="cpu"), tmp_path)
    assert settle(run, "clock", lambda: {"seconds": 1.5}) == {"seconds": 1.5}
    assert settle(Run(Settings(device="cpu"), tmp_path), "clock", lambda: {"seconds": 9.0}) == {"seconds": 1.5}
