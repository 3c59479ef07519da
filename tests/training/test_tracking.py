from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from headwater.training.tracking import Tracker


def test_scalars_are_what_tensorboard_reads(tmp_path):
    tracker = Tracker(tmp_path)
    tracker.write(1, loss=0.5)
    tracker.write(2, loss=0.25, score=0.9)
    tracker.close()
    events = EventAccumulator(str(tmp_path)).Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(1, 0.5), (2, 0.25)]


def test_an_inactive_tracker_writes_nothing(tmp_path):
    tracker = Tracker(tmp_path / "logs", active=False)
    tracker.write(1, loss=0.5)
    tracker.close()
    assert not (tmp_path / "logs").exists()
