"""The command ``numpycnn``: train, evaluate, predict, data, explain, draw, and so on, each in a file of its own.

What a user can get wrong ends in one line on the standard error stream and exit status 2; anything else is a defect of
ours and keeps its traceback.
"""

import os
import sys
from collections.abc import Sequence

from numpycnn import __version__
from numpycnn.cli import data, draw, evaluate, exercise, explain, gradcheck, predict, summary, train
from numpycnn.cli.console import BROKEN_PIPE, EXPECTED, INTERRUPTED, WRONG_USE, Parser, complain, report

EXAMPLES = """\
examples:
  numpycnn train mnist                     a network learns to read; results go to runs/mnist
  numpycnn predict photo.jpg               what it reads in your picture
  numpycnn data                            the data sets that there are, and where they lie
  numpycnn explain runs/mnist photo.jpg    a page that shows how, number by number
  numpycnn draw runs/mnist                 draw in your browser, and it reads along
  numpycnn summary tiny_vgg                what a network is made of, and what it costs
  numpycnn gradcheck tiny_vgg              all its gradients held against central differences
  numpycnn exercise                        write parts of numpycnn yourself, and have them checked
"""


def parser() -> Parser:
    """Return the parser of the whole command line."""
    top = Parser(prog="numpycnn", description="Convolutional networks from scratch on NumPy.", epilog=EXAMPLES)
    top.add_argument("-V", "--version", action="version", version=f"numpycnn {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True, title="commands", prog="numpycnn")
    for command in (train, evaluate, predict, data, explain, draw, summary, gradcheck, exercise):
        command.add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; without it those of this process.

    Returns
    -------
    int
        0, or 1 if a gradient or an answer is wrong, 2 for anything that the user can mend, 130 after Ctrl-C.
    """
    try:
        try:
            arguments = parser().parse_args(argv)
            status: int = arguments.run(arguments)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()  # here, where a reader that has gone away is noticed quietly
        return status
    except BrokenPipeError:
        _leave_pipe()
        return BROKEN_PIPE
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except EXPECTED as error:
        report(error)
        return WRONG_USE


def _leave_pipe() -> None:
    """Send what is still to be written nowhere, so that Python does not complain about it when it ends."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):  # no real stream to be rescued
        pass
