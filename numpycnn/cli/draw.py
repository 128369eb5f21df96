"""``numpycnn draw``: a canvas in the browser, and a network that reads along."""

import argparse
import errno
import webbrowser
from contextlib import suppress
from functools import partial

from numpycnn.cli import inputs
from numpycnn.cli.console import CommandError, Commands, add_threads, item, say, use_threads, whole
from numpycnn.cli.networks import add_model, open_model
from numpycnn.data.pictures import decode_picture
from numpycnn.explain import Example
from numpycnn.sequential import Sequential

EXAMPLES = """\
It serves one page to this machine alone, under an address that holds a token; Ctrl-C ends it.

examples:
  numpycnn draw runs/mnist
  numpycnn draw runs/mnist --port 8000 --open
"""
LARGEST_PORT = 65535


def add(commands: Commands) -> None:
    """Add the command."""
    about = "Serve a page with a canvas to this machine: draw, and see what a network makes of it as you do."
    command = commands.add_parser("draw", help="draw, and watch a network read", description=about, epilog=EXAMPLES)
    add_model(command)
    about_port = "of the server (default: any free one)"
    command.add_argument("--port", type=whole(0, LARGEST_PORT), default=0, metavar="N", help=about_port)
    command.add_argument("--open", action="store_true", help="open the page in a browser")
    add_threads(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    try:
        from numpycnn.explain import server
    except ImportError as error:
        raise CommandError(
            f"draw needs Starlette and uvicorn, which are not installed ({error}); "
            "install them with: pip install starlette uvicorn"
        ) from error
    use_threads(arguments.threads)
    model = open_model(arguments.model, arguments.input_shape)
    blank = inputs.blank(model, arguments.model)

    def announce(address: str) -> None:
        item("page", address)
        say("open it in a browser on this machine; Ctrl-C ends it")
        if arguments.open:
            webbrowser.open(address)

    look = partial(look_at, model, arguments.model)
    try:
        with suppress(KeyboardInterrupt):  # which is how it is meant to end
            server.serve(model, blank, look, port=arguments.port, announce=announce)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        reason = "another program has it" if error.errno == errno.EADDRINUSE else "it is not open to you"
        raise CommandError(
            f"--port {arguments.port}: {reason}; name another, or leave the option out for one that is free"
        ) from error
    return 0


def look_at(model: Sequential, text: str, png: bytes) -> Example:
    """Return the input that a drawing is.

    Raises
    ------
    DataFormatError
        If the picture is damaged.
    ValueError
        If there is nothing in it.
    """
    try:
        return inputs.from_picture(model, text, decode_picture(png, "the drawing"), "a drawing")
    except CommandError as error:
        raise ValueError(str(error)) from error
