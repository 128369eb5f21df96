"""The settings of a training, from the options and the recipe or from a checkpoint."""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from math import inf
from pathlib import Path
from typing import Any

from numpycnn._checks import check_int, check_number
from numpycnn.data import CATALOG, Dataset
from numpycnn.data.augment import Augment
from numpycnn.errors import DataFormatError
from numpycnn.layers.network import Network
from numpycnn.models import MODELS
from numpycnn.optim import Optimizer
from numpycnn.recipes import tables
from numpycnn.recipes.errors import Setting, SettingError, as_setting_error, differing, spell_path
from numpycnn.training import TestTimeAugmentation

KEY = "training"  # key of the settings in a model's metadata
SMALLEST_SHARE = 8  # by default, at most one in 8 training examples is held out
CHOICES: dict[str, Collection[str]] = {  # settings that are names, with the tables of these names
    "recipe": tables.RECIPES,
    "model": MODELS,
    "optimizer": tables.OPTIMIZERS,
    "schedule": tables.SCHEDULES,
    "augment": tables.AUGMENTATIONS,
    "views": tables.VIEWS,
}


@dataclass(frozen=True, kw_only=True)
class Settings(tables.Recipe):
    """All settings of a training, except for the number of threads: a recipe, changed by the user's options.

    Attributes
    ----------
    dataset : str
        The requested data set, a name or a path.
    found : str
        The name of the data that was found; a small stand-in has a name of its own.
    images : int
        Number of training examples, including held-out ones.
    recipe : str
        Gives the settings below, unless the user sets them; see `Recipe` for their meaning.
    model, optimizer, schedule, augment, views : str
    epochs, batch_size, validation : int
    lr, label_smoothing, l2, ema : float
    seed : int
    """

    dataset: str
    found: str
    images: int
    recipe: str
    lr: float
    seed: int

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)

    def new_optimizer(self) -> Optimizer:
        """Return the optimizer, with learning rates for the whole training."""
        steps = self.epochs * -(-(self.images - self.validation) // self.batch_size)
        make, _ = tables.OPTIMIZERS[self.optimizer]
        return make(tables.SCHEDULES[self.schedule](self.lr, steps))

    @property
    def augmentation(self) -> Augment | None:
        """The augmentation of each batch."""
        return tables.AUGMENTATIONS[self.augment]

    @property
    def test_views(self) -> TestTimeAugmentation | None:
        """The views of each image that are averaged in the test."""
        return tables.VIEWS[self.views]


#: The settings that the user may choose, each by an option of its name.
OPTIONS = tuple(field.name for field in fields(Settings) if field.name not in ("dataset", "found", "images"))
LEAST = {"epochs": 1, "batch_size": 1, "validation": 0, "seed": 0}
RANGES: dict[str, tuple[str, Callable[[float], bool]]] = {  # of the others, in words and as a test
    "lr": ("above 0", lambda value: 0 < value < inf),
    "l2": ("of at least 0", lambda value: 0 <= value < inf),
    **dict.fromkeys(("label_smoothing", "ema"), ("of at least 0 and below 1", lambda value: 0 <= value < 1)),
}


def check_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that are not None, each of the type that `Settings` has."""
    checked: dict[str, Any] = {}
    for name, value in options.items():
        if value is None:
            continue
        if name in CHOICES:
            if not isinstance(value, str) or value not in CHOICES[name]:
                raise ValueError(f"train: expected {name} to be one of {', '.join(CHOICES[name])}, got {value!r}")
            checked[name] = value
        elif name in LEAST:
            checked[name] = check_int(value, name, "train", minimum=LEAST[name])
        else:
            checked[name] = check_number(value, name, "train")
            expected, fits = RANGES[name]
            if not fits(checked[name]):
                raise ValueError(f"train: expected {name} to be a number {expected}, got {value!r}")
    return checked


def expect_same(settings: Settings, dataset: str, asked: Mapping[str, Any], train: Dataset) -> None:
    """Check that options and data are those of the training to be resumed; a SettingError if they are not."""
    for name, value in {"dataset": dataset, **asked}.items():
        own = getattr(settings, name)
        if value != own:
            raise differing(name, value, own)
    if (train.name, len(train)) != (settings.found, settings.images):
        raise SettingError(
            f"the training to be resumed began with {settings.images:,} {train.noun}s of {settings.found}, and now "
            f"{len(train):,} of {train.name} were found in {train.source}; name the first ones' folder with ",
            Setting("data"),
        )


def choose(dataset: str, asked: Mapping[str, Any], train: Dataset) -> Settings:
    """Combine the user's options with the recipe's values for the rest."""
    name = asked.get("recipe", "quick")
    recipe = tables.RECIPES[name][train.name if dataset in CATALOG else tables.FOLDER]
    chosen = asdict(recipe) | {"recipe": name, "seed": 0} | dict(asked)
    if "lr" not in asked and (recipe.lr is None or chosen["optimizer"] != recipe.optimizer):
        chosen["lr"] = tables.OPTIMIZERS[chosen["optimizer"]][1]
    if "validation" not in asked:
        chosen["validation"] = min(recipe.validation, len(train) // SMALLEST_SHARE)
    if chosen["validation"] >= len(train):
        fewer = f": expected fewer than the {len(train):,} training {train.noun}s"
        raise SettingError(Setting("validation", chosen["validation"]), fewer)
    if train.images.ndim != 4 and (chosen["augment"], chosen["views"]) != ("none", "none"):
        kinds = f" are for pictures and recordings, and {train.name} has {train.noun}s"
        raise SettingError(Setting("augment"), " and ", Setting("views"), kinds)
    views = tables.VIEWS[chosen["views"]]
    if views is not None:
        with as_setting_error(Setting("views"), ": "):  # before the training, not after it
            next(views.views(train.images[:1]))
    return Settings(dataset=dataset, found=train.name, images=len(train), **chosen)


def settings_of(model: Network, path: Path) -> Settings:
    """Return the settings in the metadata of a checkpoint's model; a DataFormatError if there are no valid ones."""
    found = model.metadata.get(KEY) if isinstance(model.metadata, dict) else None
    kinds = {field.name: field.type for field in fields(Settings)}
    if isinstance(found, dict) and {name: type(value) for name, value in found.items()} == kinds:
        with suppress(ValueError):
            check_options({name: found[name] for name in OPTIONS})
            if found["validation"] < found["images"]:
                return Settings(**found)
    raise DataFormatError(
        f"{spell_path(path)}: expected the settings of a training by 'numpycnn train' in its metadata, found "
        f"{'none' if found is None else 'others'}; a training with a Trainer of your own is resumed with Trainer.resume"
    )
