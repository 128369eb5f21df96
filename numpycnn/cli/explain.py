"""Write a page that shows a forward pass through a network, value by value."""

import argparse
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from numpycnn.cli.arguments import add_model, open_model
from numpycnn.cli.console import CommandError, item, refusing, say
from numpycnn.cli.inputs import example_of
from numpycnn.explain import is_page, write_page
from numpycnn.recipes.errors import spell_path

LONGEST = 50  # characters of the input's name in the page's name, of up to 4 bytes
MOST = 1000  # pages of inputs of one name
HELP = "show what a network does"
EXAMPLES = """\
The page is one HTML file that needs no network and no other file. It shows the maps of every layer; choose one to see
how each of its values is computed. For a large network it shows some maps of each layer, and says which.

examples:
  numpycnn explain runs/mnist photo.jpg
  numpycnn explain tiny_vgg photo.jpg --out untrained.html
  numpycnn explain runs/sentence_polarity "a film that never ends"
  numpycnn explain model.safetensors input.npy
  numpycnn explain twins.safetensors left.png right.png
"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_model(command)
    command.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="+",
        help="a PNG or JPEG file, a WAV file for a model of recordings, a sentence for one of sentences, "
        "or any input as an array in a .npy file; for a model with several inputs, one for each",
    )
    command.add_argument(
        "--out", metavar="FILE", help="the page to write (default: explain-INPUT.html, or a free name like it)"
    )
    command.add_argument("--force", action="store_true", help="replace FILE even if this command did not write it")
    command.add_argument("--open", action="store_true", help="open the page in a browser")


def run(arguments: argparse.Namespace) -> int:
    """Write the page."""
    if arguments.out == "":
        raise CommandError("--out: expected a file, got an empty name")
    out = Path(arguments.out) if arguments.out else _free_name(f"explain-{_name_of(arguments.inputs)}")
    if out.is_dir():
        raise CommandError(f"--out {spell_path(out)}: expected a file, found a folder")
    if out.exists() and not arguments.force and not is_page(out):
        raise CommandError(
            f"{spell_path(out)} exists, and was not written by this command: name another with --out, or replace it "
            "with --force"
        )
    model = open_model(arguments.model, arguments.input_shape)
    example = example_of(model, arguments.model, *arguments.inputs)
    with refusing(ValueError, TypeError):
        write_page(out, model, example)
    item("page", f"{spell_path(out)}, {out.stat().st_size / 1e6:.1f} MB")
    say("open it in a browser: it needs no network")
    if arguments.open:
        webbrowser.open(out.resolve().as_uri())
    return 0


def _free_name(stem: str) -> Path:
    """Return a name that no file has: ``explain-3.html``, or else ``explain-3-2.html``, and so on."""
    names = (Path(f"{stem}{ending}.html") for ending in ("", *(f"-{i}" for i in range(2, MOST))))
    found = next((name for name in names if not name.exists()), None)
    if found is None:
        raise CommandError(f"{spell_path(stem)}.html exists, and {MOST - 2} more pages: name another with --out")
    return found


def _name_of(inputs: Sequence[str]) -> str:
    """Return a name for the page: the beginnings of the files' stems."""
    stems = []
    for text in inputs:
        try:
            stems.append(Path(text).stem if Path(text).is_file() else "input")
        except (OSError, ValueError):  # a sentence may not be a valid file name
            stems.append("input")
    return "-".join(stems)[:LONGEST]
