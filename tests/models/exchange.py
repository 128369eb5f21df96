"""Exchange weights between a network of the zoo and its PyTorch counterpart."""

from pathlib import Path
from typing import Any

import numpy as np

from numpycnn import Sequential
from tests.helpers import assert_close


def check_exchange(model: Sequential, twin: Any, folder: Path) -> None:
    """Check that the outputs agree after loading, and that saving writes the loaded arrays, bit by bit."""
    import torch
    from safetensors.torch import load_file, save_file

    from tests.models.twins import randomize

    randomize(twin)
    save_file(twin.state_dict(), str(folder / "theirs.safetensors"))
    assert model.load_torch(folder / "theirs.safetensors") is model
    assert model.input_shape is not None
    x = np.random.default_rng(0).normal(size=(2, *model.input_shape)).astype(np.float32)
    with torch.no_grad():
        expected = twin(torch.from_numpy(x)).numpy()
    assert np.abs(expected).max() > 0.1
    assert_close(model.predict(x), expected, 1e-5)

    model.save_torch(folder / "ours.safetensors")
    before, after = twin.state_dict(), load_file(str(folder / "ours.safetensors"))
    assert before.keys() == after.keys()
    for name, tensor in after.items():
        assert tensor.dtype == before[name].dtype, name
        assert torch.equal(tensor, before[name]), name
    twin.load_state_dict(after)
