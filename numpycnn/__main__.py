"""``python -m numpycnn`` is the command ``numpycnn``."""

if __name__ == "__main__":
    import sys

    try:
        from numpycnn.cli import main
    except KeyboardInterrupt:  # the imports take a moment
        sys.exit(130)
    sys.exit(main())
