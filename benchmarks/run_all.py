"""Run all benchmarks, one after the other, and write their output to one page with a description of the machine."""

import argparse
import ast
import subprocess
import sys
from pathlib import Path

from machine import describe, use_threads

HERE = Path(__file__).parent

TITLES = {
    "train_step.py": "Training steps and predictions",
    "memory.py": "Peak memory of a training",
    "cold_start.py": "The first seconds",
    "kernels.py": "Operations",
    "tricks.py": "What each trick buys",
    "scaling.py": "How the cost grows",
    "augment.py": "Augmentation",
    "large.py": "Networks for large pictures",
}

FOREWORD = """# Results

Written by `make bench`; nothing here is typed by hand. The times hold for this machine at that time. Compare the
ratios: the measured calls took turns. [Performance](../docs/performance.md) explains them.
"""


def lesson(script: str) -> str:
    """Return the docstring of a benchmark."""
    return ast.get_docstring(ast.parse((HERE / script).read_text(encoding="utf-8"))) or ""


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE / "results.md")
    parser.add_argument("--figure", type=Path, default=HERE.parent / "docs" / "figures" / "scaling.png")
    parser.add_argument("--only", nargs="+", choices=TITLES, default=list(TITLES), metavar="SCRIPT")
    parser.add_argument("--quick", action="store_true", help="few and small cases, to see that it works")
    args = parser.parse_args(argv)
    use_threads(None)
    pages = [FOREWORD, describe() + "\n"]
    for script in args.only:
        further = ["--figure", str(args.figure)] if script == "scaling.py" else []
        command = [sys.executable, str(HERE / script), *(["--quick"] if args.quick else []), *further]
        print(f"\n## {TITLES[script]}\n", flush=True)
        pages.append(f"\n## {TITLES[script]}\n\n{lesson(script)}\n\n")
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                pages.append(line)
        if process.returncode:
            sys.exit(f"{script} failed; nothing is written")
    args.out.write_text("".join(pages), encoding="utf-8")


if __name__ == "__main__":
    main()
