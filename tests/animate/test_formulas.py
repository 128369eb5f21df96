"""Each formula, evaluated as arithmetic, gives the result that it states."""

import re
from math import prod
from typing import Any

import numpy as np
import pytest

from numpycnn.animate.board import DOT, MINUS, Block
from numpycnn.animate.formulas import average, maximum, norm, pooled, sum_of_products, transposed, winner
from numpycnn.animate.steps import convolution_steps, pooling_steps, transposed_steps

ABOUT = "\N{ALMOST EQUAL TO}"


def text(block: Block) -> str:
    """Return a block as one line of ASCII: "-" for minus, "_" for an uncounted tap, "." for times."""
    pieces = [
        f" {block.joint(i, j)} " + "".join(part.words for part in phrase)
        for i, row in enumerate(block.rows)
        for j, phrase in enumerate(row)
    ]
    line = re.sub(r" +", " ", "".join(pieces)).strip()
    return line.replace(MINUS, "-").replace("\N{EN DASH}", "_").replace(DOT, ".").replace(ABOUT, "~")


def texts(blocks: list[Block]) -> list[str]:
    return [text(block) for block in blocks]


def evaluate(words: str) -> float:
    """Evaluate ``a . b + (-c) . d - e``."""
    first, *rest = re.split(r" ([+-]) ", words)
    total = 0.0
    for sign, term in [("+", first), *zip(rest[::2], rest[1::2], strict=True)]:
        product = prod(float(factor.strip("()")) for factor in term.split(" . "))
        total += product if sign == "+" else -product
    return total


def test_a_convolution() -> None:
    _, steps = convolution_steps([[3, 0], [1, 2]], [[2, 1], [-1, -2]])
    assert texts(sum_of_products(steps[0], np.array([[2, 1], [-1, -2]]))) == [
        "3 . 2 + 0 . 1 + 1 . (-1) + 2 . (-2)",
        "=",
        "6 + 0 - 1 - 4",
        "= 1",
    ]


def test_negative_factors_are_in_brackets() -> None:
    weight = np.array([[-3, 4]])
    _, steps = convolution_steps([[-1, -2]], weight)
    assert texts(sum_of_products(steps[0], weight)) == ["(-1) . (-3) + (-2) . 4", "=", "3 - 8", "= -5"]


def test_formulas_of_a_convolution_evaluate_to_the_result(rng: np.random.Generator) -> None:
    for _ in range(30):
        x, weight = rng.integers(-9, 10, (4, 5)), rng.integers(-9, 10, (2, 3))
        _, steps = convolution_steps(x, weight, padding=1, stride=2)
        for step in steps:
            factors, equals, products, result = texts(sum_of_products(step, weight))
            stated = float(result.removeprefix("= "))
            assert equals == "="
            assert evaluate(factors) == evaluate(products) == stated == step.result


def test_rounded_numbers_have_an_approximation_sign() -> None:
    weight = np.array([[1 / 3, 1]])
    _, steps = convolution_steps([[1.0, 2.0]], weight)
    assert texts(sum_of_products(steps[0], weight))[1::2] == ["~", "~ 2.33"]
    _, steps = pooling_steps([[1, 1, 2]], (1, 3), kind="avg")
    assert texts(average(steps[0])) == ["1 + 1 + 2", "divided by 3", "~ 1.33"]


def test_the_maximum_is_bold() -> None:
    _, steps = pooling_steps([[1, 5], [5, -2]], 2, stride=1, padding=((0, 0), (1, 0)))
    assert texts(maximum(steps[0])) == ["largest of", "_ 1 _ 5", "= 5"]
    assert winner(steps[0]) == (1, 1)
    assert winner(steps[1]) == (0, 1)  # the first of equal values
    bold = [part.bold for row in maximum(steps[1])[1].rows for phrase in row for part in phrase]
    assert bold == [False, True, False, False]


def test_an_average_states_its_divisor() -> None:
    _, steps = pooling_steps([[-4, 2]], 2, kind="avg", padding=1, count_include_pad=False)
    assert texts(average(steps[0])) == ["_ + _ + _ - 4", "divided by 1", "= -4"]
    _, steps = pooling_steps([[-4, 2]], 2, kind="avg", padding=1)
    assert texts(average(steps[0])) == ["0 + 0 + 0 - 4", "divided by 4", "= -1"]


@pytest.mark.parametrize(
    ("p", "written"),
    [
        (1, ["|-3| + |4|", "= 7"]),
        (2, ["|-3|² + |4|²", "= 25 ,", "√25", "= 5"]),
        (3, ["|-3|³ + |4|³", "= 91 ,", "∛91", "~ 4.5"]),
        (4, ["|-3|^4 + |4|^4", "= 337 ,", "337^(1/4)", "~ 4.28"]),
    ],
)
def test_norms(p: float, written: list[str]) -> None:
    _, steps = pooling_steps([[-3, 4]], (1, 2), kind="lp", p=p)
    assert texts(norm(steps[0], p)) == written
    assert texts(pooled(steps[0], "lp", p)) == written


@pytest.mark.parametrize(
    ("p", "written"),
    [
        (1, ["|-3| + _", "= 3 . 2/1 = 6"]),
        (2, ["|-3|² + _", "= 9 . 2/1 = 18 ,", "√18", "~ 4.24"]),
    ],
)
def test_the_norm_of_an_incomplete_window(p: float, written: list[str]) -> None:
    _, steps = pooling_steps([[1, 2, -3]], (1, 2), kind="lp", p=p, ceil_mode=True)
    assert texts(norm(steps[1], p)) == written
    _, steps = pooling_steps([[2, -3]], (1, 2), kind="lp", p=p, padding=((0, 0), (0, 1)), stride=1)
    assert texts(norm(steps[1], p))[0] == "|-3| + _".replace("|-3|", written[0].split()[0])
    assert texts(norm(steps[1], p))[1].startswith("= 3" if p == 1 else "= 9 ,")  # zeros of the padding are included


def test_the_kinds_of_pooling() -> None:
    for kind, expected in (("max", "largest of"), ("avg", "-3 + 4")):
        _, steps = pooling_steps([[-3, 4]], (1, 2), kind=kind)
        assert texts(pooled(steps[0], kind, 2))[0] == expected


def test_a_transposed_convolution() -> None:
    _, steps = transposed_steps([[2, -1]], [[10, 1]])
    assert [texts(transposed(step)) for step in steps] == [["0 + 20 = 20 0 + 2 = 2"], ["2 - 10 = -8 0 - 1 = -1"]]


def test_all_formulas_of_a_film_have_one_form(rng: np.random.Generator) -> None:
    def form(blocks: list[Block]) -> list[list[int]]:
        return [[len(row) for row in block.rows] for block in blocks]

    x: Any = rng.normal(size=(5, 6))
    weight = rng.normal(size=(2, 3))
    _, convolved = convolution_steps(x, weight, padding=1, dilation=2)
    assert len({str(form(sum_of_products(step, weight))) for step in convolved}) == 1
    for kind in ("max", "avg", "lp"):
        _, pools = pooling_steps(x, 3, kind=kind, stride=2, padding=1, ceil_mode=True)
        assert len({str(form(pooled(step, kind, 2))) for step in pools}) == 1
