"""List the data sets with their location, size, license and checksum. With a name, fetch that one."""

import argparse
from pathlib import Path

from numpycnn.cli.console import item, refusing, say
from numpycnn.data import CATALOG
from numpycnn.data.source import DatasetNotFoundError, Found, Source, fetch_all, is_known, locate
from numpycnn.recipes.errors import spell_path

HELP = "list the data sets, or fetch one"
EXAMPLES = """\
A data set is searched for in the folder NUMPYCNN_DATA, in the folders of system packages, and in the cache
(NUMPYCNN_CACHE, or the user's own). A download is checked against its published SHA-256 before it is kept; an
interrupted download is resumed.

examples:
  numpycnn data
  numpycnn data fashion_mnist
"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    command.add_argument("name", metavar="NAME", nargs="?", choices=list(CATALOG), help=f"one of {', '.join(CATALOG)}")


def run(arguments: argparse.Namespace) -> int:
    """Print the list, or fetch one data set and describe it."""
    if arguments.name is not None:
        source = CATALOG[arguments.name].source
        found = locate(source)
        show(source, found if found and not found.fetched else fetch(source, cached=found is not None))
        return 0
    for number, entry in enumerate(CATALOG.values()):
        if number:
            say()
        show(entry.source, locate(entry.source))
    return 0


def fetch(source: Source, *, cached: bool) -> Found:
    """Return the files of a data set, from the cache if they are valid, or from its mirrors."""
    if source.published and not cached:
        say(f"{source.title}: {megabytes(sum(file.size for file in source.published))} to fetch")
    with refusing(DatasetNotFoundError):
        return fetch_all(source)


def show(source: Source, found: Found | None) -> None:
    """Print the description of a data set."""
    say(f"{source.name}: {source.about}")
    if found is None:
        size = megabytes(sum(file.size for file in source.published))
        how = f"numpycnn data {source.name} fetches {size}" if source.published else f"get it from {source.homepage}"
        item("found", f"not on this machine; {how}", indent=2)
    else:
        files = f"{len(found.paths)} files" if len(found.paths) > 1 else found.paths[0].name
        item("found", f"{spell_path(found.folder)} ({files}, {megabytes(sum(map(size_of, found.paths)))})", indent=2)
    item("license", source.licence, indent=2)
    if found is not None:
        item("checksum", checksum(found), indent=2)
        if found.form.note:
            item("note", found.form.note, indent=2)


def checksum(found: Found) -> str:
    """Return the result of the checksum test in words."""
    match is_known(found):
        case None:
            return "none is published for this form"
        case True:
            return "SHA-256 as expected"
        case _:
            return "WRONG: the SHA-256 is not the expected one; replace or remove the files"


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


def megabytes(size: int) -> str:
    """Format a size in megabytes."""
    return f"{size / 1e6:.1f} MB"
