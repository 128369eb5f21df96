"""The direction of a quantity, and what is better."""

import re
from pathlib import Path

import numpy as np
import pytest

from numpycnn.training import Callback, EarlyStopping, ModelCheckpoint, ReduceOnPlateau
from numpycnn.training.monitoring import is_better
from tests.training import small


@pytest.mark.parametrize(
    ("value", "best", "mode", "better"),
    [
        (0.4, 0.5, "min", True),
        (0.45, 0.5, "min", False),  # not by more than 0.1
        (0.5, 0.4, "min", False),
        (0.6, 0.4, "max", True),
        (0.45, 0.4, "max", False),
        (9.9, None, "min", True),
        (np.nan, None, "min", False),
        (np.nan, 0.5, "min", False),
        (np.nan, 0.5, "max", False),
        (-np.inf, 0.5, "min", True),
    ],
)
def test_is_better(value: float, best: float | None, mode: str, better: bool) -> None:
    assert is_better(value, best, mode, 0.09) is better


@pytest.mark.parametrize(
    "callback",
    [EarlyStopping(), ModelCheckpoint("file", best="val_loss"), ReduceOnPlateau()],
    ids=lambda callback: callback.key,
)
def test_the_mode_of_a_file_is_checked(callback: Callback) -> None:
    for mode in ("auto", None, ["min"]):
        text = rf"{type(callback).__name__}: expected mode 'min', 'max' or '', got "
        with pytest.raises(ValueError, match=text + re.escape(repr(mode))):
            callback.load_state(callback.state() | {"mode": mode}, {})


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        *[(name, "min") for name in ("loss", "val_loss", "val_mean_absolute_error", "mean_squared_error")],
        *[(name, "max") for name in ("accuracy", "val_top_2_accuracy", "f1", "val_f1", "precision", "recall")],
        *[(name, "max") for name in ("val_roc_auc", "mean_iou", "val_r_squared", "psnr")],
    ],
)
def test_the_direction_of_a_metric_of_the_library_is_known(name: str, mode: str) -> None:
    assert EarlyStopping(name).mode == ModelCheckpoint("file", best=name).mode == mode


@pytest.mark.parametrize(
    "name",
    ["score", "closs", "lr", "mean_accuracy_gap", "neg_log_loss", "val_neg_mean_squared_error", "inverse_accuracy"],
)
def test_an_unknown_direction_has_to_be_given(name: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    for make in (lambda **mode: EarlyStopping(name, **mode), lambda **mode: ModelCheckpoint(file, best=name, **mode)):
        trainer = small.plain([make()])
        text = rf"for '{name}': its direction is unknown; write mode='max' if .* one of loss, accuracy, with val_"
        with pytest.raises(ValueError, match=text):
            trainer.fit(small.points(), epochs=1, progress=False)
        assert trainer.optimizer.step_count == 0
        with pytest.raises(ValueError, match="expected mode 'min' or 'max', got 'auto'"):
            make(mode="auto")
        assert (make(mode="min").mode, make(mode="max").mode) == ("min", "max")
