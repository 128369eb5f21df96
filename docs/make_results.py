"""Run the recipes again (``make results``), and bring the tables and the curves of docs/results.md up to date.

Each run has a folder of its own. One that is finished is not repeated and one that was interrupted is resumed, so
``make results`` goes on where it was; a folder with a run of other settings than the recipe's is refused. Beside the
page a run's result.json is kept, but for the place of its data.
"""

import argparse
import json
import re
import subprocess
import sys
from itertools import product
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from recipe_figures import save

from numpycnn.io.loading import load_model
from numpycnn.recipes.results import CHECKPOINT, RESULT
from numpycnn.recipes.settings import settings_of
from numpycnn.recipes.tables import OPTIMIZERS, RECIPES
from numpycnn.visualize import learning_curves

DOCS = Path(__file__).parent
PAGE, KEPT, FIGURES = DOCS / "results.md", DOCS / "results", DOCS / "figures" / "results"
SEEDS = (0, 1, 2)
#: What is trained, and what others have reached.
PUBLISHED = {
    "mnist": "LeNet-5 99.05 (Y. LeCun et al., 1998); Keras' example 99.25; the best NumPy framework we know of 99.39",
    "fashion_mnist": "two convolutions 92.5 to 93.4 (the benchmark of its authors)",
    "cifar10": "ResNet-20 91.25 (K. He et al., 2015); the best NumPy framework we know of 72",
    "spoken_digits": "",
    "sentence_polarity": "CNN-rand 76.1 (Y. Kim, 2014)",
}
#: What the best recipes are meant to reach on two cores.
AIMS = {
    "mnist": "99.65 in 20 min",
    "fashion_mnist": "93.5 in 30 min",
    "cifar10": "88, or 90, in 40 min",
    "spoken_digits": "98 in 5 min",
    "sentence_polarity": "75 in 10 min",
}
Result = dict[str, Any]


def expected(recipe: str, dataset: str) -> Result:
    """Return the settings of a recipe, as a run writes them down."""
    wanted = RECIPES[recipe][dataset]
    lr = OPTIMIZERS[wanted.optimizer][1] if wanted.lr is None else wanted.lr
    return vars(wanted) | {"recipe": recipe, "dataset": dataset, "found": dataset, "lr": lr}


def check(settings: Result, recipe: str, dataset: str, folder: Path) -> None:
    """Refuse a run with settings that the recipe does not have any more, or with a stand-in for its data."""
    others = [name for name, value in expected(recipe, dataset).items() if settings[name] != value]
    if others:
        raise SystemExit(f"{folder}: a run with another {', '.join(others)} than {recipe} for {dataset}; remove it")


def run(recipe: str, dataset: str, seed: int, folder: Path, threads: int | None) -> None:
    """Train and test once, unless that has been done."""
    if (folder / RESULT).is_file():
        return
    command = [sys.executable, "-m", "numpycnn", "train", dataset, "--recipe", recipe, "--seed", str(seed)]
    command += ["--out", str(folder)] + ([] if threads is None else ["--threads", str(threads)])
    checkpoint = folder / CHECKPOINT
    if checkpoint.is_file():
        check(settings_of(load_model(checkpoint), checkpoint).to_json(), recipe, dataset, folder)
        command.append("--resume")
    subprocess.run(command, check=True)


def keep(folder: Path, recipe: str, dataset: str, seed: int) -> None:
    """Copy what a run has written down, without the place of the data and with fewer digits."""
    result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    check(result["settings"], recipe, dataset, folder)
    result.pop("data_source")
    result["history"] = [{key: round(value, 5) for key, value in epoch.items()} for epoch in result["history"]]
    KEPT.mkdir(exist_ok=True)
    text = json.dumps(result, indent=1)
    text = re.sub(r"\{[^{}\[\]]*\}", lambda found: re.sub(r"\n\s*", " ", found[0]), text)  # an epoch is a line
    (KEPT / f"{recipe}-{dataset}-{seed}.json").write_text(text + "\n", encoding="utf-8")


def kept(recipe: str, dataset: str) -> dict[int, Result]:
    """Return the results that are kept, by seed."""
    files = {int(path.stem.rpartition("-")[2]): path for path in sorted(KEPT.glob(f"{recipe}-{dataset}-*.json"))}
    return {seed: json.loads(path.read_text(encoding="utf-8")) for seed, path in sorted(files.items())}


def row(recipe: str, dataset: str, results: dict[int, Result]) -> str:
    """Return a line of the table."""
    accuracies = [100 * result["test_accuracy"] for result in results.values()]
    spread = f" ± {stdev(accuracies):.2f}" if len(accuracies) > 1 else ""
    each = ", ".join(f"{accuracy:.2f}" for accuracy in accuracies)
    first = next(iter(results.values()))
    last = [result["history"][-1] for result in results.values()]
    held_out = [100 * epoch["val_accuracy"] for epoch in last if "val_accuracy" in epoch]
    through = [result for result in results.values() if not result.get("resumed")]  # whose times are of the whole
    clock = [f"{result['seconds'] / 60:.1f} ({result['settings']['threads']})" for result in through]
    processor_time = f"{mean(result['cpu_seconds'] for result in through) / 60:.1f}" if through else ""
    processors = {re.sub(r"\([RT]M?\)| Processor", "", result["machine"]["processor"]) for result in results.values()}
    cells = [
        f"[`{dataset}`](results/{recipe}-{dataset}-{next(iter(results))}.json)",
        f"`{first['settings']['model']}`, {first['parameters']:,}",
        f"**{mean(accuracies):.2f}{spread}**",
        f"{each} ({', '.join(map(str, results))})",
        f"{mean(held_out):.2f}" if held_out else "",
        ", ".join(clock),
        processor_time,
        ", ".join(sorted(processors)),
        *[AIMS[dataset]] * (recipe == "best"),
        PUBLISHED[dataset],
    ]
    return f"| {' | '.join(cells)} |"


def table(recipe: str) -> str:
    """Return the table of a recipe, from what is kept."""
    head = "data; network, parameters; test accuracy in %; of each run (its seed); held out; time in min (threads); "
    head += "processor time in min; two cores of; " + "aim; " * (recipe == "best") + "published"
    titles = head.split("; ")
    lines = [f"| {' | '.join(titles)} |", "|" + "---|" * len(titles)]
    lines += [row(recipe, dataset, results) for dataset in PUBLISHED if (results := kept(recipe, dataset))]
    return "\n".join(lines) + "\n"


def write_page() -> None:
    """Put each recipe's table between its two marks on the page."""
    text = PAGE.read_text(encoding="utf-8")
    for recipe in RECIPES:
        before, rest = text.split(f"<!-- {recipe} -->\n")
        text = f"{before}<!-- {recipe} -->\n{table(recipe)}<!-- end -->{rest.partition('<!-- end -->')[2]}"
    PAGE.write_text(text, encoding="utf-8")


def main() -> None:
    """Run, keep, draw and write."""
    parser = argparse.ArgumentParser(description="Run the recipes, and write docs/results.md.")
    parser.add_argument("datasets", nargs="*", metavar="DATASET", help=f"{', '.join(PUBLISHED)} (default: all)")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, metavar="N", help="(default: 0 1 2)")
    parser.add_argument(
        "--runs", type=Path, default=Path("runs/results"), metavar="FOLDER", help="(default: %(default)s)"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="of each run (default: all)")
    parser.add_argument("--collect", action="store_true", help="take the runs that are finished, and start none")
    parser.add_argument("--recipe", choices=list(RECIPES), help="(default: both)")
    arguments = parser.parse_args()
    if unknown := set(arguments.datasets) - set(PUBLISHED):
        parser.error(f"expected names of {', '.join(PUBLISHED)}, got {', '.join(sorted(unknown))}")
    recipes = [arguments.recipe] if arguments.recipe else RECIPES
    for recipe, dataset, seed in product(recipes, arguments.datasets or PUBLISHED, arguments.seeds):
        folder = arguments.runs / f"{recipe}-{dataset}-{seed}"
        if not arguments.collect:
            run(recipe, dataset, seed, folder, arguments.threads)
        if (folder / RESULT).is_file():
            keep(folder, recipe, dataset, seed)
    for dataset in PUBLISHED:
        for result in list(kept("best", dataset).values())[:1]:
            save(learning_curves(result["history"]), FIGURES / f"{dataset}.png")
    write_page()


if __name__ == "__main__":
    main()
