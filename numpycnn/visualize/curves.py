"""Learning curves: training and validation loss and accuracy after each epoch."""

from collections.abc import Iterable, Mapping

from numpycnn.visualize._types import Axes, Figure, FilePath
from numpycnn.visualize.style import BLUE, INK, VERMILION, new_figure, quiet, save

Records = list[Mapping[str, float]]


def learning_curves(history: Iterable[Mapping[str, float]], path: FilePath = None) -> "Figure":
    """Draw loss and accuracy over the epochs.

    Training values are means over an epoch while the network still learns; validation values are measured at its end.
    Early in training the validation values are therefore often better.

    Parameters
    ----------
    history : History, or iterable of mappings
        One record per epoch, with ``loss`` and optionally ``accuracy``, ``val_loss``, ``val_accuracy`` and ``epoch``.
        Accuracies are between 0 and 1.
    path : path_like, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the history is empty, or no record has a loss.
    """
    records = list(history)
    if not records:
        raise ValueError("learning_curves: expected a history of at least one epoch, got an empty one")
    if not any("loss" in record for record in records):
        raise ValueError(f"learning_curves: expected records with a loss, got {', '.join(records[0]) or 'empty ones'}")
    panels = ["loss"] + ["accuracy"] * any("accuracy" in r or "val_accuracy" in r for r in records)
    figure = new_figure(4.8 * len(panels), 3.8)
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, name in zip(row, panels, strict=True):
        _draw(axes, records, name)
    return save(figure, path)


def _draw(axes: "Axes", records: Records, name: str) -> None:
    """Draw one quantity, training and validation."""
    from matplotlib.ticker import MaxNLocator

    scale = 100.0 if name == "accuracy" else 1.0
    for key, label, colour, marker in ((name, "training", BLUE, "o"), (f"val_{name}", "validation", VERMILION, "s")):
        points = [(r.get("epoch", i + 1), scale * r[key]) for i, r in enumerate(records) if key in r]
        if not points:
            continue
        epochs, values = zip(*points, strict=True)
        last = f"{values[-1]:.2f} %" if name == "accuracy" else f"{values[-1]:.3f}"
        text = f"{label}, final {last}"
        axes.plot(epochs, values, color=colour, marker=marker, markersize=5, linewidth=1.8, label=text)
    quiet(axes)
    axes.set_title("accuracy in %" if name == "accuracy" else name, color=INK, loc="left", fontweight="bold")
    axes.set_xlabel("epoch", color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.margins(x=0.06, y=0.12)
    axes.legend(loc="best" if len(records) > 1 else "center left", labelcolor=INK, edgecolor="none", framealpha=1)
