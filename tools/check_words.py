"""Check code and prose against a list of phrases and names to avoid: the word list of the prose style.

Prints ``file:line: found -> suggestion`` for each, and exits with 1 if there are any. Only phrases without a good use
are listed. Underscores count as spaces, so names of tests are checked too. A match of the group ``fine`` is accepted.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACES = ("numpycnn", "docs", "examples", "benchmarks", "tests", "tools", "README.md", "CONTRIBUTING.md")
ENDINGS = (".py", ".md", ".js", ".html", ".css")
EXCLUDED = {
    "docs/tour/": "still to be rewritten as a whole",
    "benchmarks/results.md": "written by `make bench`",
    "docs/results.md": "written by `make results`",
    "tools/check_words.py": "the list itself",
}
COMPARED = "longer|more|less|fewer|larger|smaller|faster|slower|higher|lower|better|worse|greater|later|earlier"
PHRASES = {
    rf"(?:(?P<fine>there|here) )?(?:is|are|was|were) no (?!(?:{COMPARED})\b)[a-z]+": "is not a ...",
    r"so many": "the number, or the name of the argument",
    r"from [01] on": "at least 0, at least 1, or counted from 0",
    r"goes by": "depends on, or uses",
    r"that of which": "a noun",
    r"lies down|lie down": "blocks, or sleeps",
    r"nothing but to": "only",
    r"to be had": "available, or found",
    r"(?:is|are|was|were) told": "gets, or is given",
    r"(?:the|its|their) way back": "the backward pass",
    r"lets? go of": "releases",
    r"turned round": "flipped, or reversed",
    r"bent functions?": "activation function, or nonlinearity",
    r"<{7}|>{7}": "resolve the conflict that a merge left",
}
NAMES = {
    "spell": "format",
    "filled_up": "pad_to_multiple",
    "deal_out": "pack",
    "take_back": "unpack",
    "whole_number": "check_int",
    "see_images": "input_transform",
    "answer_images": "output_transform",
}


def compile_phrase(phrase: str) -> re.Pattern[str]:
    """Return a pattern for whole words, separated by spaces, underscores or line breaks."""
    words = phrase.replace(" ", r"[\s#_]+")
    return re.compile(rf"(?<![A-Za-z]){words}(?![A-Za-z])", re.IGNORECASE)


RULES = [
    *((compile_phrase(phrase), suggestion) for phrase, suggestion in PHRASES.items()),
    *((re.compile(rf"\b{name}\b"), suggestion) for name, suggestion in NAMES.items()),
]


def find_words(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield line number, found phrase and suggestion."""
    for rule, suggestion in RULES:
        for match in rule.finditer(text):
            if not match.groupdict().get("fine"):
                yield text.count("\n", 0, match.start()) + 1, " ".join(match[0].split()), suggestion


def main() -> int:
    """Check the files that git tracks, and new ones that it does not ignore."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *PLACES]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    count = 0
    for name in names:
        if name.endswith(ENDINGS) and not name.startswith(tuple(EXCLUDED)) and (ROOT / name).is_file():
            for line, found, suggestion in sorted(find_words((ROOT / name).read_text(encoding="utf-8"))):
                print(f"{name}:{line}: {found!r} -> {suggestion}")
                count += 1
    return min(count, 1)


if __name__ == "__main__":
    sys.exit(main())
