"""The gradients of a batch that is processed in parts, for one step as of the whole batch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpycnn.optim.base import Optimizer


class Accumulation:
    """Adds up the gradients of the parts of a batch.

    The loss of a batch is a mean over its examples, so its gradient is the mean of those of the parts, weighted by
    their numbers of examples: each part counts with its share of the batch. Where examples or classes have weights, it
    is a weighted mean, and the training step multiplies the gradient of each loss by a factor that corrects the share.
    """

    def __init__(self) -> None:
        self.share, self.last = 1.0, True
        self.factors: Sequence[float] = ()
        self._waiting = True
        self._sums: dict[str, np.ndarray] = {}

    def next_part(self, share: float, *, last: bool, factors: Sequence[float] = ()) -> None:
        """Expect the gradients of the next part, which has `share` of the examples of the batch.

        `factors` are those of the gradients of the loss, or of each loss of a sum.
        """
        self.share, self.last, self.factors, self._waiting = share, last, factors, True

    def add(self, names: list[str], grads: list[np.ndarray], owner: str) -> list[np.ndarray]:
        """Add the gradients of a part, and return the sums so far."""
        if not self._waiting:
            raise RuntimeError(f"{owner}: expected one step for each batch that is accumulated, got a second one")
        self._waiting = False
        for name, grad in zip(names, grads, strict=True):
            part = grad * grad.dtype.type(self.share)
            self._sums[name] = self._sums[name] + part if name in self._sums else part
        return [self._sums[name] for name in names]


def begin_part(
    optimizers: Sequence["Optimizer"], share: float, factors: Sequence[float], *, first: bool, last: bool
) -> None:
    """Let optimizers expect the gradients of a part, see `Accumulation.next_part`; the first begins new sums."""
    for optimizer in optimizers:
        if first or optimizer.accumulation is None:
            optimizer.accumulation = Accumulation()
        optimizer.accumulation.next_part(share, last=last, factors=factors)
