"""Print a model's layers: output shape, parameters, multiply-adds, activation memory, receptive field."""

import argparse

from numpycnn.cli.arguments import add_model, open_model
from numpycnn.cli.console import say, terminal_width

HELP = "print a model's layers"
EXAMPLES = """\
examples:
  numpycnn summary lenet
  numpycnn summary tiny_vgg --input-shape 3,32,32
  numpycnn summary runs/mnist
"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_model(command)


def run(arguments: argparse.Namespace) -> int:
    """Print the table."""
    say(open_model(arguments.model, arguments.input_shape, seed=None).summary().to_text(terminal_width()))
    return 0
