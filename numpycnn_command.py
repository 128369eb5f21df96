"""What the installed command ``numpycnn`` calls. It stands beside the package, whose import takes half a second.

Python imports the package before any module inside of it: only from here can Ctrl-C end that half second quietly.
"""


def main() -> int:
    """Import the command line, run it, and return its exit status."""
    try:
        from numpycnn.cli import main as run
    except KeyboardInterrupt:
        return 130
    return run()
