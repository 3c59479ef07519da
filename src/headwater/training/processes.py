"""The processes that train one network together, launched with `torchrun`; mostly there is one."""

from __future__ import annotations

import atexit
import warnings
from typing import Self

import torch
from torch import distributed


class Processes:
    """This process among those of a training; accelerate finds the others.

    Every process holds the whole network and computes the gradient of its share of each step's rows.

    Args:
        device: where this process computes.

    Attributes:
        count: how many processes there are.
        index: which of them this is, from 0.

    Example:
        >>> alone = Processes(torch.device("cpu"))
        >>> alone.count, alone.main, alone.agree(0.5)
        (1, True, [0.5])
    """

    def __init__(self, device: torch.device) -> None:
        from accelerate import PartialState

        with warnings.catch_warnings():
            # accelerate chooses a number of threads where the user has not, and warns that it did.
            warnings.filterwarnings("ignore", message="OMP_NUM_THREADS")
            self._state = PartialState(cpu=device.type == "cpu")
        self.device = device
        self.count, self.index = self._state.num_processes, self._state.process_index
        if self.count > 1:
            atexit.unregister(_leave)
            atexit.register(_leave)

    @classmethod
    def joined(cls) -> Self | None:
        """This process among those that it has found already; None where it is alone, or has found none yet."""
        from accelerate import PartialState

        if not (distributed.is_available() and distributed.is_initialized()):
            return None
        device = PartialState().device
        return None if device is None else cls(device)

    @property
    def main(self) -> bool:
        """Whether this process is the one that scores, writes and decides."""
        return self.index == 0

    def sum_gradients(self, parameters: list[torch.nn.Parameter], extras: list[float]) -> list[float]:
        """Sums gradients over all processes, in place and in one exchange; returns the sums of some numbers with them.

        Args:
            parameters: whose `grad` is summed; one without counts as zero.
            extras: numbers to be summed along.
        """
        from accelerate.utils import reduce

        if self.count == 1:
            return extras
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([*(gradient.flatten() for gradient in gradients), torch.tensor(extras, device=self.device)])
        *sums, totals = reduce(flat, "sum").split([*(p.numel() for p in parameters), len(extras)])
        for parameter, total in zip(parameters, sums, strict=True):
            parameter.grad = total.view_as(parameter)
        return totals.tolist()

    def agree(self, *values: float) -> list[float]:
        """The values of the main process, in every process."""
        from accelerate.utils import broadcast

        if self.count == 1:
            return list(values)
        shared = torch.tensor(values, dtype=torch.float32 if self.device.type == "mps" else torch.float64)
        return broadcast(shared.to(self.device)).tolist()

    def align(self, tensors: list[torch.Tensor]) -> None:
        """Overwrites tensors with those of the main process."""
        from accelerate.utils import broadcast

        if self.count > 1:
            broadcast(tensors)

    def wait(self) -> None:
        """Returns when every process has come here."""
        self._state.wait_for_everyone()


def _leave() -> None:
    """Leaves the other processes in order: threads of the group that outlive the interpreter abort the process."""
    if distributed.is_initialized():
        distributed.destroy_process_group()
