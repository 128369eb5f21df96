"""The settings of a training: from the command line and the recipe, and back from a checkpoint."""

import argparse
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from numpycnn.cli import recipes
from numpycnn.cli.console import CommandError, refusing, spell_path
from numpycnn.data import CATALOG, Dataset
from numpycnn.data.augment import Augment
from numpycnn.errors import DataFormatError
from numpycnn.losses import CrossEntropy
from numpycnn.models import MODELS
from numpycnn.optim import Optimizer
from numpycnn.sequential import Sequential
from numpycnn.training import Callback, ViewAverage, WeightAverage

KEY = "training"  # where a model's metadata keeps its settings
SMALLEST_SHARE = 8  # without --validation, at most one in so many training examples is held out
CHOICES: dict[str, Collection[str]] = {  # settings that are names, and the tables that these are from
    "recipe": recipes.RECIPES,
    "model": MODELS,
    "optimizer": recipes.OPTIMIZERS,
    "schedule": recipes.SCHEDULES,
    "augment": recipes.AUGMENTATIONS,
    "views": recipes.VIEWS,
}


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
    recipe : str
        What the rest was taken from, as far as the user did not say otherwise: see `Recipe` for the meaning.
    seed : int
    """

    dataset: str
    found: str
    images: int
    recipe: str
    model: str
    epochs: int
    batch_size: int
    optimizer: str
    lr: float
    schedule: str
    augment: str
    label_smoothing: float
    l2: float
    ema: float
    views: str
    validation: int
    seed: int

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)

    def split(self, train: Dataset) -> tuple[Dataset | None, Dataset]:
        """Return what is held out, if anything is, and the rest."""
        return train.split(self.validation, self.seed) if self.validation else (None, train)

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self.epochs * -(-(self.images - self.validation) // self.batch_size)

    def new_loss(self) -> CrossEntropy:
        """Return the loss."""
        return CrossEntropy(self.label_smoothing, l2=self.l2)

    def new_optimizer(self) -> Optimizer:
        """Return the optimizer, with learning rates for the whole training."""
        make, _ = recipes.OPTIMIZERS[self.optimizer]
        return make(recipes.SCHEDULES[self.schedule](self.lr, self.steps))

    def new_callbacks(self) -> list[Callback]:
        """Return what averages the weights, if anything does."""
        return [WeightAverage(self.ema)] if self.ema else []

    @property
    def augmentation(self) -> Augment | None:
        """What is made of the examples of each batch."""
        return recipes.AUGMENTATIONS[self.augment]

    @property
    def test_views(self) -> ViewAverage | None:
        """What is looked at of each picture when the model is tested."""
        return recipes.VIEWS[self.views]

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


#: What the user may choose, each by an option of its name.
OPTIONS = tuple(field.name for field in fields(Settings) if field.name not in ("dataset", "found", "images"))


def choose(arguments: argparse.Namespace, train: Dataset) -> Settings:
    """Return what the user asked for, and what the recipe says of the rest."""
    asked = {name: value for name in OPTIONS if (value := getattr(arguments, name)) is not None}
    name = asked.get("recipe", "quick")
    recipe = recipes.RECIPES[name][train.name if arguments.dataset in CATALOG else recipes.FOLDER]
    chosen = asdict(recipe) | {"recipe": name, "seed": 0} | asked
    if "lr" not in asked and (recipe.lr is None or chosen["optimizer"] != recipe.optimizer):
        chosen["lr"] = recipes.OPTIMIZERS[chosen["optimizer"]][1]
    if "validation" not in asked:
        chosen["validation"] = min(recipe.validation, len(train) // SMALLEST_SHARE)
    if chosen["validation"] >= len(train):
        raise CommandError(
            f"--validation {chosen['validation']}: expected fewer than the {len(train):,} training {train.noun}s"
        )
    if train.images.ndim != 4 and (chosen["augment"], chosen["views"]) != ("none", "none"):
        raise CommandError(f"--augment and --views are for pictures and recordings, and {train.name} has {train.noun}s")
    views = recipes.VIEWS[chosen["views"]]
    if views is not None:
        with refusing(ValueError, prefix="--views: "):  # now, and not when the training is over
            next(views.views(train.images[:1]))
    return Settings(dataset=arguments.dataset, found=train.name, images=len(train), **chosen)


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
        known = all(getattr(settings, name) in table for name, table in CHOICES.items())
        shares = all(0 <= share < 1 for share in (settings.label_smoothing, settings.ema))
        if known and shares and settings.l2 >= 0 and smallest >= 1 and settings.validation < settings.images:
            return settings
    raise DataFormatError(
        f"{spell_path(path)}: expected the settings of a training by 'numpycnn train' in its metadata, found "
        f"{'none' if found is None else 'others'}; a training from Python is resumed with Trainer.resume"
    )
