"""``numpycnn summary``: print the layers of a model and their cost."""

import argparse

from numpycnn.cli.console import Commands, say, terminal_width
from numpycnn.cli.networks import add_model, open_model

EXAMPLES = """\
examples:
  numpycnn summary lenet
  numpycnn summary tiny_vgg --input-shape 3,32,32
  numpycnn summary runs/mnist
"""


def add(commands: Commands) -> None:
    """Add the command."""
    about = "Print a model's layers: output shape, parameters, multiply-adds, activation memory, receptive field."
    command = commands.add_parser("summary", help="print a model's layers", description=about, epilog=EXAMPLES)
    add_model(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the table."""
    say(open_model(arguments.model, arguments.input_shape, seed=None).summary().to_text(terminal_width()))
    return 0
