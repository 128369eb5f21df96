"""The public names, their arguments and their results are those of the table `tests/signatures.txt`."""

from tests.signatures import TABLE, table


def test_public_signatures_are_those_of_the_table() -> None:
    expected, actual = TABLE.read_text(encoding="utf-8").splitlines(), table().splitlines()
    removed, added = sorted(set(expected) - set(actual)), sorted(set(actual) - set(expected))
    assert (removed, added) == ([], []), "if this is meant: python -m tests.signatures"
    assert expected == actual


def test_every_function_says_what_it_returns() -> None:
    lines = [line.partition("(") for line in table().splitlines() if "(" in line]
    functions = ["".join(line) for line in lines if line[0].rpartition(".")[2].islower()]
    assert len(functions) > 300
    assert [line for line in functions if " -> " not in line] == []
