"""Serve a page with a canvas to this machine: draw, and see a network's prediction as you do."""

import argparse
import errno
import webbrowser
from contextlib import suppress
from functools import partial

from numpycnn.cli import inputs
from numpycnn.cli.arguments import add_model, open_model
from numpycnn.cli.console import CommandError, item, say, whole
from numpycnn.data.pictures import decode_picture
from numpycnn.explain import Example
from numpycnn.layers.network import Network

HELP = "draw, and see predictions"
EXAMPLES = """\
It serves one page to this machine alone, at an address with a secret token; Ctrl-C ends it.

examples:
  numpycnn draw runs/mnist
  numpycnn draw runs/mnist --port 8000 --open
"""
LARGEST_PORT = 65535


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_model(command)
    about_port = "of the server (default: any free one)"
    command.add_argument("--port", type=whole(0, LARGEST_PORT), default=0, metavar="N", help=about_port)
    command.add_argument("--open", action="store_true", help="open the page in a browser")


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    try:
        from numpycnn.explain import server
    except ImportError as error:
        raise CommandError(
            f"draw needs Starlette and uvicorn, which are not installed ({error}); "
            "install them with: pip install starlette uvicorn"
        ) from error
    model = open_model(arguments.model, arguments.input_shape)
    blank = inputs.from_picture(model, arguments.model, None, "a drawing")

    def announce(address: str) -> None:
        item("page", address)
        say("open it in a browser on this machine; Ctrl-C ends it")
        if arguments.open:
            webbrowser.open(address)

    to_example = partial(look_at, model, arguments.model)
    try:
        with suppress(KeyboardInterrupt):  # the normal way to stop
            server.serve(model, blank, to_example, port=arguments.port, announce=announce)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        reason = "the port is in use" if error.errno == errno.EADDRINUSE else "permission denied"
        raise CommandError(
            f"--port {arguments.port}: {reason}; choose another, or leave the option out for a free one"
        ) from error
    return 0


def look_at(model: Network, text: str, png: bytes) -> Example:
    """Convert a drawing to a model input; an empty one is a ValueError, a damaged picture a DataFormatError."""
    try:
        return inputs.from_picture(model, text, decode_picture(png, "the drawing"), "a drawing")
    except CommandError as error:
        raise ValueError(str(error)) from error
