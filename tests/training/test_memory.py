import numpy as np
import pytest
import torch

from headwater.errors import ResourceError
from headwater.training.memory import is_out_of_memory, smaller_budget

LENGTHS = np.array([10, 8, 6, 4])


def test_a_real_failed_allocation_is_recognised():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


def test_other_errors_are_not():
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_the_budget_is_half_of_what_was_tried():
    assert smaller_budget(np.arange(4), LENGTHS, 4096) == 20


def test_one_row_alone_is_the_end():
    with pytest.raises(
        ResourceError, match=r"--token-budget: One row alone .* Got '10 tokens'\. Read less of each row"
    ):
        smaller_budget(np.array([0, 3]), LENGTHS, 10)
