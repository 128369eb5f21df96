"""The check in a child process: infinite loops, exits of Python, several files, a failing check."""

from pathlib import Path

import pytest

from numpycnn.exercises.process import check_files

ENDLESS = (
    "def correlate(x, kernel, stride=1):\n    print('on')\n    while x.size > 1:\n        stride += 1\n    return x"
)
ENDS = "import os\ndef conv2d(x, weight, bias, stride=1, padding=0):\n    os._exit(7)"
RIGHT = "import numpy as np\ndef softmax(x):\n    e = np.exp(x - x.max(1)[:, None])\n    return e / e.sum(1)[:, None]"


def write(folder: Path, **texts: str) -> dict[str, Path]:
    paths = {name: folder / f"{name}.py" for name in texts}
    for name, text in texts.items():
        paths[name].write_text(text, encoding="utf-8")
    return paths


def test_verdicts_are_independent(tmp_path: Path) -> None:
    folder = tmp_path / "my answers"
    folder.mkdir()
    files = write(folder, correlate=ENDLESS, conv2d=ENDS, softmax=RIGHT)
    verdicts = check_files(files, limit=3.0)
    assert list(verdicts) == ["correlate", "conv2d", "softmax"]

    endless = verdicts["correlate"]
    assert (endless.state, endless.passed, endless.failed) == ("wrong", (), "a 1x1 kernel, which is a factor")
    first, _, shown = endless.text.partition("\n\n")
    assert first.startswith("stopped after 3 seconds in line ")
    assert first.endswith(" of correlate.py: an infinite loop? check its condition")
    assert first.split()[6] in ("3", "4")
    assert shown.startswith("x (2, 3)\n")

    ends = verdicts["conv2d"]
    assert (ends.state, ends.failed) == ("wrong", "one image, one channel, one filter, no bias")
    assert ends.text.startswith("Python exited in conv2d.py (status 7)\n\nx (1, 1, 3, 3)")

    assert verdicts["softmax"].state == "right"
    assert len(verdicts["softmax"].passed) == 6
    assert sorted(path.name for path in folder.iterdir()) == ["conv2d.py", "correlate.py", "softmax.py"]  # nothing left


def test_a_file_that_never_loads(tmp_path: Path) -> None:
    verdict = check_files(write(tmp_path, adam="while True:\n    pass"), limit=0.5)["adam"]
    assert (verdict.state, verdict.failed) == ("wrong", None)
    assert verdict.text.startswith("stopped after 0.5 seconds in line ")


def test_one_answer_may_use_another(tmp_path: Path) -> None:
    loss = """
import numpy as np
from softmax import softmax
def cross_entropy(logits, labels):
    z = logits - logits.max(1)[:, None]
    rows = np.arange(len(labels))
    p = softmax(logits)
    p[rows, labels] -= 1
    return -(z[rows, labels] - np.log(np.exp(z).sum(1))).mean(), p / len(p)
"""
    files = write(tmp_path, softmax=RIGHT, cross_entropy=loss)
    assert check_files({"cross_entropy": files["cross_entropy"]})["cross_entropy"].state == "right"


def test_a_file_of_the_learner_does_not_shadow_a_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = write(tmp_path, softmax=RIGHT, numpy="raise ImportError('mine')", json="raise ImportError('mine')")
    monkeypatch.chdir(tmp_path)
    assert check_files({"softmax": files["softmax"]})["softmax"].state == "right"


def test_a_failing_check_raises(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="the check of nothing failed") as caught:
        check_files(write(tmp_path, nothing=RIGHT))
    assert "KeyError: 'nothing'" in str(caught.value)
