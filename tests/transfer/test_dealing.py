import numpy as np

from headwater.transfer.dealing import Deal


def test_every_fold_has_every_class_that_can_be_dealt():
    targets = np.array([0] * 10 + [1] * 5 + [2])
    folds = Deal().folds(targets)
    assert len(folds) == 5
    assert all({0, 1} == set(targets[fold]) for fold in folds)
    assert sorted(np.concatenate(folds).tolist()) == list(range(15))


def test_rows_of_a_group_lie_in_one_fold():
    targets = np.arange(60) % 2
    groups = np.random.default_rng(0).integers(0, 20, 60)
    folds = Deal(seed=3, groups=groups).folds(targets)
    assert len(folds) == 5
    assert sorted(np.concatenate(folds).tolist()) == list(range(60))
    for fold in folds:
        assert not set(groups[fold]) & set(np.delete(groups, fold))


def test_a_class_of_one_group_is_always_learnt_from():
    targets = np.array([0, 0, 0, 0, 1, 1])
    folds = Deal(groups=np.array([0, 1, 2, 3, 4, 4])).folds(targets)
    assert sorted(np.concatenate(folds).tolist()) == [0, 1, 2, 3]


def test_no_rows_that_can_be_spared_make_no_fold():
    assert Deal().folds(np.array([0, 1, 2])) == []


def test_sets_of_labels_are_dealt_as_classes():
    targets = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [1, 1], [0, 0]])
    folds = Deal().folds(targets)
    assert len(folds) == 2
    assert all(len(np.unique(targets[fold], axis=0)) >= 2 for fold in folds)
    assert sorted(np.concatenate(folds).tolist()) == list(range(6))


def test_the_deal_of_some_rows_keeps_their_groups():
    deal = Deal(groups=np.array([5, 5, 6, 7, 8]))
    assert deal.take([1, 3]).groups.tolist() == [5, 7]
    assert Deal(seed=1).take([0]) == Deal(seed=1)
