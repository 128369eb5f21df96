import numpy as np
import pytest

from tests.mutations import PEAK, bounded_memory


@pytest.mark.skipif(not PEAK.exists(), reason="only Linux counts the peak of memory anew")
def test_memory_taken_before_does_not_hide_what_is_taken_inside() -> None:
    np.ones(400_000_000, np.uint8)
    with bounded_memory(100):
        np.ones(50_000_000, np.uint8)
    with pytest.raises(AssertionError, match=r"^\d+ MB more"), bounded_memory(100):
        np.ones(200_000_000, np.uint8)
