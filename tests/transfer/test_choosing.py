import numpy as np
import pytest

from headwater.transfer.choosing import MeasuredHead, choose, verdict

TARGETS = np.arange(40) % 2


def _measured(head, wrong, deals=1):
    """A head that answers the first `wrong` rows wrongly, in each deal."""
    answers = np.where(np.arange(40) < wrong, 1 - TARGETS, TARGETS)
    return MeasuredHead.of("frozen", head, [np.eye(2)[answers] for _ in range(deals)], TARGETS, 1.0)


def test_the_favourite_stays_where_another_is_better_by_chance_only():
    favourite, other = _measured("a", wrong=13), _measured("b", wrong=10)
    kept, why = choose([favourite, other], ("frozen", "a"))
    assert kept is favourite
    assert why == "no other is better by more than two standard errors"
    assert verdict(other, kept, why) == "left for frozen a"


def test_the_favourite_gives_way_to_the_clearly_better():
    favourite, other, best = _measured("a", wrong=20), _measured("b", wrong=9), _measured("c", wrong=2)
    kept, why = choose([favourite, other, best], ("frozen", "a"))
    assert kept is best
    error = np.std([1] * 18 + [0] * 22, ddof=1) / np.sqrt(40)
    assert why == f"+45.0 points over frozen a, standard error {100 * error:.1f}"


def test_the_spread_over_the_deals_is_told():
    answers = [np.eye(2)[TARGETS], np.eye(2)[np.where(np.arange(40) < 10, 1 - TARGETS, TARGETS)]]
    head = MeasuredHead.of("frozen", "a", answers, TARGETS, 1.0)
    assert head.deals == (1.0, 0.75)
    assert head.right[:10].tolist() == [0.5] * 10
    kept, why = choose([head], ("frozen", "a"))
    assert verdict(head, kept, why).endswith("; 0.750 to 1.000 over 2 deals of the rows")


def test_rows_that_no_fold_held_out_do_not_count():
    logits = np.eye(2)[TARGETS]
    logits[30:] = np.nan
    head = MeasuredHead.of("frozen", "a", [logits], TARGETS, 1.0)
    assert head.dealt.sum() == 30
    assert head.deals == (1.0,)


def test_where_nothing_was_measured_the_favourite_is_the_stated_choice():
    nothing = np.full((40, 2), np.nan)
    heads = [MeasuredHead.of("frozen", name, [nothing], TARGETS, 0.0) for name in "ab"]
    kept, why = choose(heads, ("frozen", "b"))
    assert (kept.head, why) == ("b", "the choice where no row can be spared for folds")
    assert kept.deals == ()


def test_a_favourite_must_be_among_them():
    with pytest.raises(StopIteration):
        choose([_measured("a", wrong=0)], ("frozen", "z"))
