"""``python -m numpycnn`` is the command ``numpycnn``."""

if __name__ == "__main__":
    import sys

    from numpycnn.cli import main

    sys.exit(main())
