"""Tasks that tests run in a separate process: ``python -m tests.training.worker TASK ...``, from the repository's root.

``digest SEED``                 train, and print the final state
``interrupt FOLDER``            train, with a line to the standard output after each batch, until interrupted
``kill FOLDER MOMENTS MODULE``  train again and again in forked children that are killed at the moments given
"""

import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from numpycnn import Trainer
from numpycnn.training import Callback
from tests.training import own, small

MODULES = {"small": small, "own": own}


class Ticks(Callback):
    """Writes a byte after each batch before anything is saved, and one after an epoch has been saved."""

    order = 99

    def __init__(self, to: int) -> None:
        self.to = to

    def on_batch_end(self, trainer: Trainer) -> None:
        os.write(self.to, b".")


class LateTicks(Ticks):
    """Writes a byte after all other callbacks."""

    order = 101

    def on_epoch_closed(self, trainer: Trainer) -> None:
        os.write(self.to, b".")


def digest(seed: str) -> None:
    with TemporaryDirectory() as folder:
        trainer = small.fit(small.new_trainer(Path(folder), "sgd", seed=int(seed)))
    print(json.dumps(small.fingerprint(trainer)))


def interrupt(folder: str) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the parent had set

    class Lines(Callback):
        def on_batch_end(self, trainer: Trainer) -> None:
            print(trainer.optimizer.step_count, flush=True)
            time.sleep(0.05)  # so that there is something left to interrupt

    small.fit(small.new_trainer(Path(folder), "sgd", more=[Lines()]))


def _train_in_child(module: ModuleType, folder: Path, variant: str, ticks: int, leave: int) -> None:
    """Train to the end, then wait for a kill or for the signal to write the result."""
    more = [Ticks(ticks), LateTicks(ticks)]
    trainer = module.fit(module.go_on(folder, variant, more=more))
    os.write(ticks, b"." * 1000)  # all moments that may still be waited for
    os.read(leave, 1)
    (folder / "result.json").write_text(json.dumps(module.fingerprint(trainer)))


def _run_child(module: ModuleType, folder: Path, variant: str, moment: int | None) -> bool:
    """Fork, and kill the child after `moment` ticks; return whether it was killed."""
    ticks, to = os.pipe()
    leave, tell = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _train_in_child(module, folder, variant, to, leave)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(to)
    os.close(leave)
    if moment is None:
        os.write(tell, b".")
    for _ in range(moment or 0):
        if not os.read(ticks, 1):
            break
    if moment is not None:
        os.kill(child, signal.SIGKILL)
    while moment is None and os.read(ticks, 4096):  # a full pipe would stop the child
        pass
    _, status = os.waitpid(child, 0)
    os.close(ticks)
    os.close(tell)
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status) == signal.SIGKILL
    if status:
        raise SystemExit(f"a child failed with {status}")
    return False


def kill(folder: str, moments: str, name: str) -> None:
    """Train each of [variant, [moment, ...]] in a folder of its own, and print kills, results and what is expected."""
    module, found = MODULES[name], {"expected": {}, "runs": []}
    for variant in module.VARIANTS:  # this process is warm from here on
        place = Path(folder) / variant
        place.mkdir()
        found["expected"][variant] = module.fingerprint(module.fit(module.new_trainer(place, variant)))
    for i, (variant, ticks) in enumerate(json.loads(moments)):
        place = Path(folder) / f"{variant}{i}"
        place.mkdir()
        kills = sum(_run_child(module, place, variant, moment) for moment in ticks)
        _run_child(module, place, variant, None)
        result = json.loads((place / "result.json").read_text())
        found["runs"].append({"variant": variant, "kills": kills, "result": result, "folder": str(place)})
    print(json.dumps(found))


if __name__ == "__main__":
    {"digest": digest, "interrupt": interrupt, "kill": kill}[sys.argv[1]](*sys.argv[2:])
