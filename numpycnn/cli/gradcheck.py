"""Compare all gradients of a model with central differences, and print the result."""

import argparse

from numpycnn.cli.arguments import add_model, open_model
from numpycnn.cli.console import WRONG_GRADIENT, report, say, terminal_width, whole
from numpycnn.inspection.gradcheck import GradientError, measure_gradients

HELP = "check a model's gradients"
EXAMPLES = """\
The check works on a copy of the model in float64. The exit status is 1 if a gradient is wrong.

examples:
  numpycnn gradcheck tiny_vgg
  numpycnn gradcheck bn_net --input-shape 1,12,12
  numpycnn gradcheck runs/mnist --samples 100
"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_model(command)
    command.add_argument(
        "--samples",
        type=whole(1),
        default=40,
        metavar="N",
        help="elements of each array to change, one by one (default: 40)",
    )
    command.add_argument(
        "--seed", type=whole(0), default=0, metavar="N", help="of the random input and choices (default: 0)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the table."""
    model = open_model(arguments.model, arguments.input_shape)
    assert model.input_shape is not None
    try:
        found = measure_gradients(model, model.input_shape, samples=arguments.samples, seed=arguments.seed)
    except GradientError as error:  # nothing could be measured
        report(error)
        return WRONG_GRADIENT
    say(found.to_text(terminal_width()))
    return 0 if found.passed else WRONG_GRADIENT
