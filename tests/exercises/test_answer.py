"""Load and call the file of a learner: errors are short, with the lines of the learner only."""

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


def test_output_and_warnings_are_captured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "import numpy as np\ndef softmax(x):\n    print('a', x.shape)\n    print('b')\n    return np.log(0 * x)"
    found = answer(tmp_path, text)
    assert found.aside == (
        "NumPy warning in line 5: divide by zero encountered in log\nprinted by the function:\n  a (1, 2)\n  b"
    )
    assert capsys.readouterr().out == ""


def test_long_output_is_truncated(tmp_path: Path) -> None:
    found = answer(tmp_path, "def softmax(x):\n    for i in range(100_000):\n        print(i)\n    return x")
    assert found.aside.startswith("printed by the function:\n  0\n  1\n")
    assert len(found.aside.replace("\n  ", "\n")) <= MOST_PRINTED + 30


NOT_LOADED = [
    ("def softmax(x)\n    return x", 'softmax.py cannot be loaded\n  File "softmax.py", line 1\n    def softmax(x)\n'),
    (b"\x00\x01\xff", "softmax.py cannot be loaded\nSyntaxError: "),
    (b"x = '\xff'", "SyntaxError: "),
    (
        "import no_such_module",
        '  File "softmax.py", line 1, in <module>\n    import no_such_module\nModuleNotFoundError',
    ),
    ("raise NotImplementedError", "line 1, in <module>\n    raise NotImplementedError\nNotImplementedError"),
    ("exit()", "SystemExit"),
    ("def soft_max(x): pass", "softmax.py has no function softmax; the exercise needs def softmax(x)"),
    ("softmax = 3", "softmax.py: expected softmax to be a Python function, found int"),
    ("softmax = max", "softmax.py: expected softmax to be a Python function, found builtin_function"),
    (
        "def softmax(z, axis=1): pass",
        "the parameters were changed: expected def softmax(x), found def softmax(z, axis=1)",
    ),
]


@pytest.mark.parametrize(("text", "report"), NOT_LOADED)
def test_a_file_that_cannot_be_loaded(tmp_path: Path, text: str | bytes, report: str) -> None:
    with pytest.raises(AnswerError) as caught:
        answer(tmp_path, text)
    assert report in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_a_traceback_has_only_the_lines_of_the_learner(tmp_path: Path) -> None:
    helper = "import numpy as np\ndef helper(x):\n    return np.stack([])\n"
    text = f"{helper}def softmax(x):\n    print('here')\n    return helper(x)"
    with pytest.raises(AnswerError) as caught:
        answer(tmp_path, text)
    report = str(caught.value)
    assert report.startswith(
        'softmax raises an exception\n  File "softmax.py", line 6, in softmax\n    return helper(x)\n'
    )
    assert '  File "softmax.py", line 3, in helper\n    return np.stack([])\n' in report
    assert report.endswith("ValueError: need at least one array to stack\n\nprinted by the function:\n  here")
    assert report.count("File ") == 2


def test_an_array_changed_in_place(tmp_path: Path) -> None:
    with pytest.raises(AnswerError) as caught:
        answer(tmp_path, "def softmax(x):\n    x -= x.max()\n    return x")
    assert '  File "softmax.py", line 2, in softmax\n    x -= x.max()' in str(caught.value)
    assert "likely: the line above modifies an array of the caller in place" in str(caught.value)


def test_an_empty_body(tmp_path: Path) -> None:
    with pytest.raises(NotBegunError, match="the body is empty"):
        answer(tmp_path, "def softmax(x):\n    raise NotImplementedError")


def test_another_unfinished_function_is_an_exception(tmp_path: Path) -> None:
    text = "def other(x):\n    raise NotImplementedError\ndef softmax(x):\n    return other(x)"
    with pytest.raises(AnswerError, match="softmax raises an exception") as caught:
        answer(tmp_path, text)
    assert not isinstance(caught.value, NotBegunError)


def test_keyboard_interrupt_propagates(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        answer(tmp_path, "def softmax(x):\n    raise KeyboardInterrupt")


def test_a_signature_has_no_types() -> None:
    assert signature(EXERCISES["max_pool"].solution) == "max_pool(x, kernel_size, stride=None, padding=0)"
