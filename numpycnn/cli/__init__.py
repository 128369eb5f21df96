"""The command ``numpycnn``: train, evaluate, predict, data, explain, draw, and so on, one file each.

The docstring of each file is its description in the help.

A user error prints one line to the standard error stream and exits with status 2; any other exception is a bug and
keeps its traceback.
"""

import os
import sys
from collections.abc import Sequence

from numpycnn import __version__, get_backend, get_num_threads, set_num_threads
from numpycnn.cli import data, draw, evaluate, exercise, explain, gradcheck, predict, summary, train
from numpycnn.cli.console import (
    BROKEN_PIPE,
    EXPECTED,
    INTERRUPTED,
    WRONG_USE,
    Parser,
    complain,
    refusing,
    report,
    whole,
)

EXAMPLES = """\
examples:
  numpycnn train mnist                     train a network on MNIST; results go to runs/mnist
  numpycnn predict photo.jpg               classify your picture
  numpycnn data                            list the data sets and where they are
  numpycnn explain runs/mnist photo.jpg    a page that shows how, value by value
  numpycnn draw runs/mnist                 draw in your browser, and see the prediction
  numpycnn summary tiny_vgg                the layers of a network, and their cost
  numpycnn gradcheck tiny_vgg              compare its gradients with central differences
  numpycnn exercise                        write parts of numpycnn yourself, and have them checked
"""


def parser() -> Parser:
    """Return the parser of the whole command line."""
    top = Parser(prog="numpycnn", description="Convolutional networks from scratch on NumPy.", epilog=EXAMPLES)
    top.add_argument("-V", "--version", action="version", version=f"numpycnn {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True, title="commands", prog="numpycnn")
    for module in (train, evaluate, predict, data, explain, draw, summary, gradcheck, exercise):
        name = module.__name__.rpartition(".")[2]
        command = commands.add_parser(name, help=module.HELP, description=module.__doc__, epilog=module.EXAMPLES)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
        if module not in (data, summary, exercise):
            about = "number of threads (default: NUMPYCNN_NUM_THREADS if set, otherwise one for each processor)"
            command.add_argument("--threads", type=whole(1), metavar="N", help=about)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        By default, the arguments of this process.

    Returns
    -------
    int
        0, or 1 if a gradient or an answer is wrong, 2 for a user error, 130 after Ctrl-C.
    """
    try:
        try:
            arguments = parser().parse_args(argv)
            with refusing(ValueError):
                get_backend()
                set_num_threads(getattr(arguments, "threads", None) or get_num_threads())
            status: int = arguments.run(arguments)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()  # here, so that a closed pipe is handled below
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
    """Redirect buffered output to the null device, so that Python reports no error at exit."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):  # not a real stream
        pass
