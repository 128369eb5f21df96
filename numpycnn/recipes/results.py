"""The output folder of a training: choose and check it, find its checkpoint, write the results."""

import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from numpycnn.data import Dataset, SentenceReader, SpectrogramReader
from numpycnn.io.serialization import replacing, try_lock
from numpycnn.recipes.errors import Setting, SettingError, spell_path
from numpycnn.recipes.record import Start, record
from numpycnn.recipes.scoring import Score

RUNS = Path("runs")
MODEL_FILE, CHECKPOINT = "model.safetensors", "checkpoint.safetensors"
HISTORY, RESULT = "history.csv", "result.json"
CURVES, CONFUSIONS = "learning_curves.png", "confusion_matrix.png"
MISTAKES, MISTAKES_TEXT = "misclassified.png", "misclassified.txt"
FILES = (MODEL_FILE, HISTORY, CURVES, CONFUSIONS, MISTAKES, MISTAKES_TEXT, RESULT)
MOST_MISTAKES = 100  # listed
FINISHED = "a finished training has nothing left to resume: for more epochs, train anew"


def files_of(dataset: Dataset) -> tuple[str, ...]:
    """Return the names of the result files: misclassified pictures are drawn, sentences are listed."""
    other = MISTAKES if isinstance(dataset.reader, SentenceReader) else MISTAKES_TEXT
    return tuple(name for name in FILES if name != other)


def check_folder(out: Path | None, *, force: bool) -> None:
    """Check that a folder named by the user does not hold a training that would be overwritten without `force`."""
    if out is None or force:
        return
    unfinished = (f"an unfinished training ({CHECKPOINT}); add ", Setting("resume", True), " to continue it, or ")
    finished = (f"a finished training ({MODEL_FILE}); name another ", Setting("out"), ", or add ")
    for file, advice in ((CHECKPOINT, unfinished), (MODEL_FILE, finished)):
        if (out / file).is_file():
            raise SettingError(f"{spell_path(out)}: holds ", *advice, Setting("force", True), " to replace it")


def make_folder(dataset: str, out: Path | None) -> Path:
    """Return the output folder, created if missing.

    Without `out` it is the first of ``runs/DATASET``, ``runs/DATASET-2``, ... that does not exist yet.
    """
    if out is None:
        RUNS.mkdir(exist_ok=True)
        for number in count(1):
            out = RUNS / (dataset if number == 1 else f"{dataset}-{number}")
            try:
                out.mkdir()  # atomic: of two trainings that start at once, one succeeds
                return out
            except FileExistsError:
                continue
    assert out is not None
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except (FileExistsError, NotADirectoryError):
        raise SettingError(Setting("out", out), ": expected a folder, found a file in its place") from None
    except OSError as error:
        raise SettingError(Setting("out", out), f": cannot be written to ({error.strerror})") from None
    return out


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Refuse a folder to which another training writes, in this or another process, until the ``with`` ends.

    Raises
    ------
    SettingError
        If another training writes to it.
    """
    if os.name == "nt":  # where a folder cannot be opened
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if not try_lock(descriptor):
            raise SettingError(
                f"{spell_path(folder)}: another training writes to this folder; wait until it ends, or name another ",
                Setting("out"),
            )
        yield
    finally:
        os.close(descriptor)


def clear_folder(folder: Path) -> None:
    """Remove the results of an earlier training."""
    for name in (CHECKPOINT, *FILES):
        (folder / name).unlink(missing_ok=True)


def find_checkpoint(dataset: str, out: Path | None) -> Path:
    """Return the checkpoint in a folder, or the newest one in the numbered folders of a data set."""
    if out is not None:
        if not (out / CHECKPOINT).is_file():
            raise FileNotFoundError(
                f"{spell_path(out)}: expected {CHECKPOINT} to resume from, found none" + _finished([out])
            )
        return out / CHECKPOINT
    found = [path for path in RUNS.glob(f"{dataset}*/{CHECKPOINT}") if _is_numbered(path.parent.name, dataset)]
    if not found:
        raise FileNotFoundError(
            f"expected {RUNS / dataset / CHECKPOINT} or a numbered one to resume from, found none"
            + _finished(path for path in RUNS.glob(f"{dataset}*") if _is_numbered(path.name, dataset))
        )
    return max(found, key=lambda path: path.stat().st_mtime_ns)


def _finished(folders: Iterable[Path]) -> str:
    """Return advice if one of the folders holds a finished training."""
    return f"; {FINISHED}" if any((folder / RESULT).is_file() for folder in folders) else ""


def _is_numbered(name: str, dataset: str) -> bool:
    return name == dataset or name.removeprefix(f"{dataset}-").isdecimal()


def write_mistakes(out: Path, test: Dataset, score: Score) -> None:
    """Draw or list the misclassified examples, the most confident first."""
    from numpycnn.visualize import misclassified
    from numpycnn.visualize.mistakes import worst_mistakes

    if not isinstance(test.reader, SentenceReader):
        # Flipped, so that the low frequencies of a spectrogram are at the bottom.
        images = test.images[:, :, ::-1] if isinstance(test.reader, SpectrogramReader) else test.images
        misclassified(images, test.labels, score.probabilities, test.class_names, out / MISTAKES)
        return
    worst = worst_mistakes(test.labels, score.probabilities)
    head = f"{len(worst):,} of {len(test):,} misclassified"
    lines = [head + (f", the surest {MOST_MISTAKES}" if len(worst) > MOST_MISTAKES else ""), ""]
    for i in worst[:MOST_MISTAKES]:
        true, predicted = (spell_path(test.class_names[k]) for k in (test.labels[i], score.predictions[i]))
        sure = f"{100 * score.probabilities[i].max():.1f} %"
        lines.append(f"true: {true}, predicted: {predicted}, {sure}: {test.reader.write(test.images[i])}")
    with replacing(out / MISTAKES_TEXT) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_results(start: Start, score: Score, began: tuple[float, float], *, resumed: bool) -> float:
    """Write the model, history and figures, then remove the checkpoint; return the seconds of the run.

    It `began` at a wall-clock time and at a processor time.
    """
    from numpycnn.visualize import confusion_matrix, learning_curves

    out, trainer, test = start.folder, start.trainer, start.test
    trainer.model.save(out / MODEL_FILE)  # first, so that a failing figure does not lose the model
    trainer.history.save(out / HISTORY)
    learning_curves(trainer.history, out / CURVES)
    confusion_matrix(test.labels, score.predictions, test.class_names, out / CONFUSIONS)
    write_mistakes(out, test, score)
    seconds = time.perf_counter() - began[0]
    result = record(start, score, seconds=seconds, cpu_seconds=time.process_time() - began[1], resumed=resumed)
    with replacing(out / RESULT) as temporary:
        temporary.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (out / CHECKPOINT).unlink(missing_ok=True)
    return seconds
