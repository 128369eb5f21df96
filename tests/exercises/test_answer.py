"""The reader's file: what cannot be loaded or called is told in a few lines, with the reader's own lines only."""

from pathlib import Path

import numpy as np
import pytest

from numpycnn.exercises import EXERCISES
from numpycnn.exercises.answer import MOST_PRINTED, AnswerError, Call, NotBegunError, call, load, signature

SOFTMAX = EXERCISES["softmax"]
ARGUMENTS = {"x": np.array([[0.0, 1.0]])}


def answer(tmp_path: Path, text: str | bytes) -> Call:
    path = tmp_path / "softmax.py"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return call(load(SOFTMAX, path), ARGUMENTS, "softmax", tmp_path)


def test_a_function_is_called(tmp_path: Path) -> None:
    found = answer(tmp_path, "def softmax(x):\n    return 2 * x")
    np.testing.assert_array_equal(found.result, [[0.0, 2.0]])
    assert found.aside == ""


def test_what_is_printed_and_warned_of_stands_aside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "import numpy as np\ndef softmax(x):\n    print('a', x.shape)\n    print('b')\n    return np.log(0 * x)"
    found = answer(tmp_path, text)
    assert found.aside == (
        "NumPy warned in line 5: divide by zero encountered in log\nprinted by the function:\n  a (1, 2)\n  b"
    )
    assert capsys.readouterr().out == ""


def test_of_much_that_is_printed_the_beginning_is_kept(tmp_path: Path) -> None:
    found = answer(tmp_path, "def softmax(x):\n    for i in range(100_000):\n        print(i)\n    return x")
    assert found.aside.startswith("printed by the function:\n  0\n  1\n")
    assert len(found.aside.replace("\n  ", "\n")) <= MOST_PRINTED + 30


NOT_LOADED = [
    ("def softmax(x)\n    return x", 'softmax.py cannot be loaded\n  File "softmax.py", line 1\n    def softmax(x)\n'),
    (b"\x00\x01\xff", "softmax.py cannot be loaded\nSyntaxError: "),
    (b"x = '\xff'", "SyntaxError: (unicode error) 'utf-8' codec can't decode byte 0xff"),
    (
        "import no_such_module",
        '  File "softmax.py", line 1, in <module>\n    import no_such_module\nModuleNotFoundError',
    ),
    ("raise NotImplementedError", "line 1, in <module>\n    raise NotImplementedError\nNotImplementedError"),
    ("exit()", "SystemExit"),
    ("def soft_max(x): pass", "softmax.py has no function softmax; the exercise needs def softmax(x)"),
    ("softmax = 3", "softmax.py: expected softmax to be a function written there, found int"),
    ("softmax = max", "softmax.py: expected softmax to be a function written there, found builtin_function"),
    (
        "def softmax(z, axis=1): pass",
        "the parameters were changed: expected def softmax(x), found def softmax(z, axis=1)",
    ),
]


@pytest.mark.parametrize(("text", "said"), NOT_LOADED)
def test_a_file_that_cannot_be_loaded(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(AnswerError) as caught:
        answer(tmp_path, text)
    assert said in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_an_exception_is_told_with_the_own_lines_only(tmp_path: Path) -> None:
    helper = "import numpy as np\ndef helper(x):\n    return np.stack([])\n"
    text = f"{helper}def softmax(x):\n    print('here')\n    return helper(x)"
    with pytest.raises(AnswerError) as caught:
        answer(tmp_path, text)
    said = str(caught.value)
    assert said.startswith(
        'softmax raises an exception\n  File "softmax.py", line 6, in softmax\n    return helper(x)\n'
    )
    assert '  File "softmax.py", line 3, in helper\n    return np.stack([])\n' in said
    assert said.endswith("ValueError: need at least one array to stack\n\nprinted by the function:\n  here")
    assert said.count("File ") == 2


def test_an_array_changed_in_place(tmp_path: Path) -> None:
    with pytest.raises(AnswerError) as caught:
        answer(tmp_path, "def softmax(x):\n    x -= x.max()\n    return x")
    assert '  File "softmax.py", line 2, in softmax\n    x -= x.max()' in str(caught.value)
    assert "likely: the line above changes an array in place that belongs to the caller" in str(caught.value)


def test_a_body_that_is_left_out(tmp_path: Path) -> None:
    with pytest.raises(NotBegunError, match="nothing is filled in yet"):
        answer(tmp_path, "def softmax(x):\n    raise NotImplementedError")


def test_another_unfinished_function_is_an_exception(tmp_path: Path) -> None:
    text = "def other(x):\n    raise NotImplementedError\ndef softmax(x):\n    return other(x)"
    with pytest.raises(AnswerError, match="softmax raises an exception") as caught:
        answer(tmp_path, text)
    assert not isinstance(caught.value, NotBegunError)


def test_ctrl_c_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        answer(tmp_path, "def softmax(x):\n    raise KeyboardInterrupt")


def test_a_signature_is_written_without_types() -> None:
    assert signature(EXERCISES["max_pool"].solution) == "max_pool(x, kernel_size, stride=None, padding=0)"
