"""Write a part of numpycnn yourself, and have it checked."""

import argparse
from pathlib import Path
from typing import Any

from numpycnn._tables import format_table
from numpycnn.cli.console import CommandError, item, refusing, say, terminal_width
from numpycnn.exercises import EXERCISES, Exercise, Verdict
from numpycnn.exercises.exercise import parts, place, write_sheet
from numpycnn.exercises.process import check_files
from numpycnn.recipes.errors import spell_path

WRONG_ANSWER = 1  # the exit status of a wrong or missing answer
HELP = "begin or check an exercise"
EXAMPLES = """\
Without a name, all exercises are listed in order, and those already begun are checked. With a name, NAME.py is written
if it does not exist: a function with its task and without its body. Write the body and give the same command again to
check it. An existing file is run and never overwritten. The exit status is 0 if the answer is right, and 1 if it is
wrong or missing.

examples:
  numpycnn exercise
  numpycnn exercise correlate
  numpycnn exercise correlate --solution
"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    command.add_argument(
        "name", metavar="NAME", nargs="?", choices=list(EXERCISES), help=f"one of {', '.join(EXERCISES)}"
    )
    command.add_argument(
        "--to", metavar="FOLDER", default=".", help="where the files are (default: the current folder)"
    )
    command.add_argument("--solution", action="store_true", help="show numpycnn's own code and its location")


def run(arguments: argparse.Namespace) -> int:
    """List the exercises, begin one, check it, or show its solution."""
    folder = Path(arguments.to)
    if arguments.solution and arguments.name is None:
        raise CommandError("--solution: expected the NAME of an exercise (see numpycnn exercise --help)")
    if not folder.is_dir():
        raise CommandError(f"--to {spell_path(folder)}: expected an existing folder")
    if arguments.name is None:
        return show_list(folder)
    exercise, path = EXERCISES[arguments.name], folder / f"{arguments.name}.py"
    if arguments.solution:
        return show_solution(exercise)
    if path.is_dir():
        raise CommandError(f"{spell_path(path)}: expected a file, found a folder")
    return check(exercise, path) if path.exists() else begin(exercise, path)


def show_list(folder: Path) -> int:
    """Print the exercises with their states."""
    begun = {name: folder / f"{name}.py" for name in EXERCISES if (folder / f"{name}.py").is_file()}
    verdicts = check_files(begun)
    rows: list[tuple[str, str, str]] = []
    stage = None
    for number, (name, exercise) in enumerate(EXERCISES.items(), 1):
        if exercise.stage != stage:
            rows += [("", "", "")] * (stage is not None) + [(exercise.stage, "", "")]
            stage = exercise.stage
        state = verdicts[name].state if name in verdicts else "not begun"
        rows.append((f"  {number:2d}  {name}", state, exercise.title))
    say(format_table(None, rows, align=("left", "left", "left"), width=terminal_width()))
    right = [name for name, verdict in verdicts.items() if verdict.state == "right"]
    say(f"\n{len(right)} of {len(EXERCISES)} are right in {spell_path(folder.resolve())}")
    following = next((name for name in EXERCISES if name not in right), None)
    if following:
        say(f"next: numpycnn exercise {following}")
    return 0


def begin(exercise: Exercise, path: Path) -> int:
    """Write the sheet of an exercise."""
    with refusing(FileExistsError, prefix=f"{spell_path(path)}: "):
        write_sheet(exercise, path)
    head(exercise, path)
    say("written: a function with its task and without its body; write that, then give the same command again")
    return WRONG_ANSWER


def check(exercise: Exercise, path: Path) -> int:
    """Check an answer, and say what is wrong with it."""
    verdict = check_files({exercise.name: path})[exercise.name]
    head(exercise, path)
    show(exercise, verdict)
    return 0 if verdict.state == "right" else WRONG_ANSWER


def head(exercise: Exercise, path: Path) -> None:
    """Print the name, the file and the page of an exercise."""
    number = list(EXERCISES).index(exercise.name) + 1
    item("exercise", f"{exercise.name}, {number} of {len(EXERCISES)}: {exercise.title}")
    item("file", spell_path(path))
    item("read", f"{exercise.page} in the repository")


def show(exercise: Exercise, verdict: Verdict) -> None:
    """Print the cases, and what is wrong with the last of them."""
    say()
    for about in verdict.passed:
        say(f"  right  {about}")
    if verdict.failed is not None and verdict.state == "wrong":
        say(f"  WRONG  {verdict.failed}\n")
    if verdict.state != "right":
        say(verdict.text)
        return
    say(f"\nright: the same as numpycnn's own on all {len(verdict.passed)} cases")
    say(f"compare: numpycnn exercise {exercise.name} --solution")
    names = list(EXERCISES)
    if exercise.name != names[-1]:
        say(f"next: numpycnn exercise {names[names.index(exercise.name) + 1]}")


def show_solution(exercise: Exercise) -> int:
    """Print numpycnn's answer, and where the operation is in the library."""
    for number, function in enumerate(exercise.source):
        item("" if number else "solution", _place(function))
    item("library", _place(exercise.library))
    for function in exercise.source:
        definition, body = parts(function)
        say(f"\n{definition.partition(chr(10) + '    ' + chr(34) * 3)[0]}\n{body}")
    return 0


def _place(thing: Any) -> str:
    path, first, last = place(thing)
    return f"{spell_path(path)}, lines {first} to {last}: {thing.__name__}"
