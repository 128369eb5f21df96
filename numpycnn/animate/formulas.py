"""The arithmetic of a sliding window: a formula for each step, in the colours of the figures."""

from collections.abc import Iterable

import numpy as np

from numpycnn.animate.board import DOT, FAINT, MINUS, Block, Phrase, Text, format_number, is_exact, value_text
from numpycnn.animate.steps import Step, TransposedStep
from numpycnn.visualize.style import BLUE, GREEN, GREY, INK, VERMILION

NOTHING: Phrase = (Text("\N{EN DASH}", FAINT),)  # for a tap that is not counted
POWERS: dict[float, str] = {1: "", 2: "\N{SUPERSCRIPT TWO}", 3: "\N{SUPERSCRIPT THREE}"}
ROOTS: dict[float, str] = {2: "\N{SQUARE ROOT}", 3: "\N{CUBE ROOT}"}


def _sign(*numbers: float | np.ndarray) -> str:
    """Return an equals sign, or an approximation sign if a number on either side was rounded."""
    exact = all(is_exact(value) for array in numbers for value in np.ravel(array))
    return "=" if exact else "\N{ALMOST EQUAL TO}"


def _words(*texts: Text | str) -> Block:
    return Block([[tuple(Text(text, GREY) if isinstance(text, str) else text for text in texts)]])


def _result(sign: str, value: float) -> Block:
    return _words(f"{sign}  ", value_text(value, GREEN, bold=True))


def _factor(value: float, colour: str) -> Phrase:
    """Format a factor, in brackets if negative."""
    text = value_text(value, colour)
    return (Text("(", GREY), text, Text(")", GREY)) if value < 0 else (text,)


def _signed_sum(rows: Iterable[Iterable[tuple[float, str] | None]]) -> Block:
    """Format numbers with plus and minus between them; None is not counted."""
    phrases, joints = [], []
    for number, row in enumerate(rows):
        terms = list(row)
        joints.append([MINUS if term and term[0] < 0 else "+" for term in terms])
        phrases.append([NOTHING if term is None else (value_text(abs(term[0]), term[1]),) for term in terms])
        if number == 0 and terms[0] is not None:  # the first term carries its own sign
            phrases[0][0] = (value_text(*terms[0]),)
    return Block(phrases, joints)


def sum_of_products(step: Step, weight: np.ndarray) -> list[Block]:
    """Format ``x w + x w + ... = product + product + ... = result``, one line per row of the kernel."""
    factors = [
        [
            (*_factor(x, BLUE if inside else GREY), Text(f" {DOT} ", GREY), *_factor(w, VERMILION))
            for x, w, inside in zip(*row, strict=True)
        ]
        for row in zip(step.seen, weight, step.inside, strict=True)
    ]
    return [
        Block(factors, "+"),
        _words(_sign(step.seen, weight, step.terms)),
        _signed_sum([(float(term), INK) for term in row] for row in step.terms),
        _result(_sign(step.terms, step.result), step.result),
    ]


def winner(step: Step) -> tuple[int, int] | None:
    """Return the first tap with the maximum."""
    places = np.argwhere(step.inside & (step.seen == step.result))
    return (int(places[0][0]), int(places[0][1])) if len(places) else None


def maximum(step: Step) -> list[Block]:
    """Format the values under the window, the maximum in bold; padding is not counted."""
    first = winner(step)
    rows: list[list[Phrase]] = [[NOTHING] * len(step.columns) for _ in step.rows]
    for i, j in np.argwhere(step.inside):
        won = (i, j) == first
        rows[i][j] = (value_text(step.seen[i, j], INK if won else BLUE, bold=won),)
    return [_words("largest of"), Block(rows), _result(_sign(step.result), step.result)]


def average(step: Step) -> list[Block]:
    """Format the sum and its divisor."""
    rows = (
        [(float(x), BLUE if inside else GREY) if counted else None for x, inside, counted in zip(*row, strict=True)]
        for row in zip(step.seen, step.inside, step.counted, strict=True)
    )
    divided = _words(f"divided by {step.counted.sum()}")
    return [_signed_sum(rows), divided, _result(_sign(step.seen, step.result), step.result)]


def norm(step: Step, p: float) -> list[Block]:
    """Format the powers of the magnitudes, their sum (scaled up if the window is incomplete) and its root."""
    power, summed = POWERS.get(p, f"^{format_number(p)}"), float(step.terms.sum())
    whole, counted = step.counted.size, int(step.counted.sum())
    total = summed * whole / counted
    scaled: tuple[Text | str, ...] = ()
    if counted < whole:
        scaled = (value_text(summed), f" {DOT} {whole}/{counted}  {_sign(summed, total)}  ")
    powers: list[list[Phrase]] = [
        [
            (Text("|", GREY), value_text(x, BLUE), Text(f"|{power}", GREY)) if inside else NOTHING
            for x, inside in zip(*row, strict=True)
        ]
        for row in zip(step.seen, step.inside, strict=True)
    ]
    if p == 1:
        result = value_text(step.result, GREEN, bold=True)
        return [Block(powers, "+"), _words(f"{_sign(step.seen, step.result)}  ", *scaled, result)]
    root, exponent = (ROOTS[p], "") if p in ROOTS else ("", f"^(1/{format_number(p)})")
    return [
        Block(powers, "+"),
        _words(f"{_sign(step.seen, summed)}  ", *scaled, value_text(total), " ,"),
        _words(root, value_text(total), exponent),
        _result(_sign(total, step.result), step.result),
    ]


def pooled(step: Step, kind: str, p: float) -> list[Block]:
    """Format a step of one kind of pooling."""
    if kind == "lp":
        return norm(step, p)
    return maximum(step) if kind == "max" else average(step)


def transposed(step: TransposedStep) -> list[Block]:
    """Format ``before + value * weight = after`` for each output under the copy of the kernel."""
    rows = []
    for i, row in enumerate(step.rows):
        phrases: list[Phrase] = []
        for j, column in enumerate(step.columns):
            term, before, after = (
                float(a) for a in (step.terms[i, j], step.before[row, column], step.after[row, column])
            )
            plus, equals = MINUS if term < 0 else "+", _sign(term, before, after)
            phrases.append(
                (
                    value_text(before, GREY),
                    Text(f" {plus} ", GREY),
                    value_text(abs(term), VERMILION),
                    Text(f" {equals} ", GREY),
                    value_text(after, GREEN, bold=True),
                )
            )
        rows.append(phrases)
    return [Block(rows, "   ")]
