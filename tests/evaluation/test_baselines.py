import json

import numpy as np

from headwater.evaluation.baselines import MajorityBaseline


def test_several_labels_answer_what_holds_in_half_the_rows():
    baseline = MajorityBaseline.fit(np.array([[1, 1, 0], [1, 0, 0]]), 3)
    assert baseline.predict(2).tolist() == [[1, 1, 0], [1, 1, 0]]


def test_survives_json():
    for targets in (np.array([2, 2, 1]), np.eye(3)):
        baseline = MajorityBaseline.fit(targets, 3)
        assert MajorityBaseline.from_json(json.loads(json.dumps(baseline.to_json()))) == baseline


def test_no_rows_are_no_error():
    assert MajorityBaseline.fit(np.array([0]), 2).predict(0).shape == (0,)
    assert MajorityBaseline.fit(np.zeros((0, 2)), 2).predict(0).shape == (0, 2)
