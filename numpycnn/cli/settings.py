"""The settings of a training: from the command line and the recipe, and back from a checkpoint."""

import argparse
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from numpycnn.cli import recipes
from numpycnn.cli.console import CommandError, spell_path
from numpycnn.data import CATALOG, Dataset
from numpycnn.errors import DataFormatError
from numpycnn.models import MODELS
from numpycnn.optim import OneCycleSchedule, Optimizer
from numpycnn.sequential import Sequential

KEY = "training"  # where a model's metadata keeps its settings
SMALLEST_SHARE = 8  # without --validation, at most one in so many training examples is held out
OPTIONS = ("model", "epochs", "batch_size", "optimizer", "lr", "validation", "seed")


@dataclass(frozen=True)
class Settings:
    """Everything that decides a training, but for the number of threads.

    Attributes
    ----------
    dataset : str
        The data set that was asked for, a name or a path.
    found : str
        The name of the data that was found; a small stand-in has a name of its own.
    images : int
        Training examples there, those held out included.
    model, optimizer : str
    epochs, batch_size : int
    lr : float
        The peak of the one-cycle schedule.
    validation : int
        Examples held out.
    seed : int
    """

    dataset: str
    found: str
    images: int
    model: str
    epochs: int
    batch_size: int
    optimizer: str
    lr: float
    validation: int
    seed: int

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)

    def split(self, train: Dataset) -> tuple[Dataset | None, Dataset]:
        """Return what is held out, if anything is, and the rest."""
        return train.split(self.validation, self.seed) if self.validation else (None, train)

    def new_optimizer(self) -> Optimizer:
        """Return the optimizer, on a one-cycle learning rate for the whole training."""
        steps = self.epochs * -(-(self.images - self.validation) // self.batch_size)
        make, _ = recipes.OPTIMIZERS[self.optimizer]
        return make(OneCycleSchedule(self.lr, steps))

    def expect_same(self, arguments: argparse.Namespace, train: Dataset) -> None:
        """Check that nothing else is asked for than what the training to be resumed has begun with."""
        for name in ("dataset", *OPTIONS):
            asked, own = getattr(arguments, name), getattr(self, name)
            if asked is not None and asked != own:
                option = "" if name == "dataset" else f"--{name.replace('_', '-')} "
                raise CommandError(
                    f"{option}{asked}: the training to be resumed has {option}{own}; leave the option out, "
                    "or train anew without --resume"
                )
        if (train.name, len(train)) != (self.found, self.images):
            raise CommandError(
                f"the training to be resumed began with {self.images:,} {train.noun}s of {self.found}, and now "
                f"{len(train):,} of {train.name} were found in {train.source}; name the first ones' folder with --data"
            )


def choose(arguments: argparse.Namespace, train: Dataset) -> Settings:
    """Return what the user asked for, and what the recipe says of the rest."""
    recipe = recipes.RECIPES[train.name if arguments.dataset in CATALOG else recipes.FOLDER]

    def asked(name: str, default: Any) -> Any:
        value = getattr(arguments, name)
        return default if value is None else value

    optimizer = asked("optimizer", "adam")
    validation = asked("validation", min(recipe.validation, len(train) // SMALLEST_SHARE))
    if validation >= len(train):
        raise CommandError(f"--validation {validation}: expected fewer than the {len(train):,} training {train.noun}s")
    return Settings(
        dataset=arguments.dataset,
        found=train.name,
        images=len(train),
        model=asked("model", recipe.model),
        epochs=asked("epochs", recipe.epochs),
        batch_size=asked("batch_size", recipe.batch_size),
        optimizer=optimizer,
        lr=asked("lr", recipes.OPTIMIZERS[optimizer][1]),
        validation=validation,
        seed=asked("seed", 0),
    )


def settings_of(model: Sequential, path: Path) -> Settings:
    """Return the settings that a checkpoint's model carries.

    Raises
    ------
    DataFormatError
        If there are none, or none that make sense.
    """
    found = model.metadata.get(KEY) if isinstance(model.metadata, dict) else None
    kinds = {field.name: field.type for field in fields(Settings)}
    if isinstance(found, dict) and {name: type(value) for name, value in found.items()} == kinds:
        settings = Settings(**found)
        smallest = min(settings.epochs, settings.batch_size, settings.seed + 1, settings.validation + 1)
        known = settings.model in MODELS and settings.optimizer in recipes.OPTIMIZERS
        if known and smallest >= 1 and settings.validation < settings.images:
            return settings
    raise DataFormatError(
        f"{spell_path(path)}: expected the settings of a training by 'numpycnn train' in its metadata, found "
        f"{'none' if found is None else 'others'}; a training from Python is resumed with Trainer.resume"
    )
