"""The exercises on softmax and cross-entropy."""

from typing import Any

import numpy as np

from numpycnn import functional, plain
from numpycnn.exercises.exercise import Arguments, Case, Exercise, known_mistakes, one_digit
from numpycnn.plain import log_softmax


def softmax(x: np.ndarray) -> np.ndarray:
    """Convert each row of scores to probabilities: positive values with sum 1.

        y[n, k] = exp(x[n, k]) / sum over j of exp(x[n, j])

    Parameters
    ----------
    x : ndarray of shape (N, K)
        Any finite numbers, also very large ones.

    Returns
    -------
    ndarray of shape (N, K)

    Notes
    -----
    Hints:

    - ``exp(1000)`` overflows, and the result is nan. Subtracting the same number from a whole row does not change the
      result: which number prevents every overflow?
    - ``keepdims=True`` keeps the axis of a sum as an axis of size 1, so that a row can be divided by it.

    Examples
    --------
    >>> softmax(np.array([[0.0, np.log(3.0)]]))  # 1 / (1 + 3) and 3 / (1 + 3)
    array([[0.25, 0.75]])
    """
    return plain.softmax(x, axis=1)


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the cross-entropy loss of a batch and its gradient with respect to the logits.

    With ``p = softmax(logits)`` the loss is the mean over the batch of the negative log-probability of the true class:

        loss = - mean over n of  log p[n, labels[n]]
        dlogits[n, k] = (p[n, k] - t[n, k]) / N      t[n, k] = 1 where k = labels[n], otherwise 0

    Parameters
    ----------
    logits : ndarray of shape (N, K)
        A score for each class; any finite numbers, also very large ones.
    labels : ndarray of int of shape (N,)
        The true classes, from 0 to K - 1.

    Returns
    -------
    loss : float
    dlogits : ndarray of shape (N, K)

    Notes
    -----
    Hints:

    - Where p underflows to 0, its logarithm is minus infinity. Simplify the logarithm on paper: with ``z`` as the row
      minus its maximum, ``log p[k] = z[k] - log(sum over j of exp(z[j]))``.
    - ``a[np.arange(N), labels]`` selects one element of each row.

    Examples
    --------
    >>> loss, dlogits = cross_entropy(np.array([[0.0, np.log(3.0)]]), np.array([0]))  # p is 1/4, 3/4
    >>> round(loss, 4), dlogits  # log 4
    (1.3863, array([[-0.75,  0.75]]))
    """
    return plain.cross_entropy(logits, labels), plain.cross_entropy_backward(logits, labels)


def _softmax_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("one row of two scores", {"x": np.array([[0.0, 1.0]])}),
        Case("one row of four scores", {"x": one_digit(rng, 1, 4)}),
        Case("two rows", {"x": one_digit(rng, 2, 3)}),
        Case("large numbers", {"x": np.array([[1000.0, 1001.0, 999.0]])}),
        Case("a large and a small row", {"x": np.array([[1000.0, 1001.0], [-1000.0, -1001.0]])}),
        Case("large negative scores", {"x": np.array([[-2000.0, -2001.0, -2003.0]])}),
    ]


def _softmax_working(arguments: Arguments, output: str, index: tuple[int, ...]) -> str:
    n, k = index
    row = arguments["x"][n] - arguments["x"][n].max()
    powers = " + ".join(f"exp({value:g})" for value in row)
    return f"y[{n}, {k}] = exp({row[k]:g}) / ({powers}), with the row's maximum subtracted"


def _less_all(x: np.ndarray) -> np.ndarray:
    exponential = np.exp(x - x.max())
    return exponential / exponential.sum(axis=1, keepdims=True)


SOFTMAX = Exercise(
    solution=softmax,
    title="probabilities from scores, without overflow",
    stage="loss",
    page="docs/operations/softmax-and-cross-entropy.md",
    outputs={"y": "(N, K)"},
    source=(plain.softmax,),
    library=functional.softmax,
    draw_cases=_softmax_cases,
    mistakes=known_mistakes(
        softmax,
        {
            "the exponentials are not divided by their sum": (
                lambda x: np.exp(x),
                lambda x: np.exp(x - x.max(axis=1, keepdims=True)),
            ),
            "this "
            "is a sigmoid, which takes each number by itself: softmax divides by the sum over the row": plain.sigmoid,
            "the scores are divided by their sum: take the exponential first": lambda x: x / x.sum(1)[:, None],
            "the columns have sum 1 instead of the rows: sum over axis 1, the classes": lambda x: softmax(x.T).T,
            "the whole array has sum 1: each row must, so sum over axis 1": lambda x: (
                np.exp(x - x.max()) / np.exp(x - x.max()).sum()
            ),
            "exp overflows: subtract the maximum of the row first, which does not change the result": lambda x: (
                np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
            ),
            "the maximum of the whole array is subtracted: in a row "
            "far below it, every exp underflows to 0, and 0 / 0 is nan. Subtract the maximum of each row": _less_all,
        },
    ),
    working=_softmax_working,
)


def _cross_entropy_cases(rng: np.random.Generator) -> list[Case]:
    def case(about: str, logits: np.ndarray, *labels: int) -> Case:
        return Case(about, {"logits": logits, "labels": np.array(labels)})

    return [
        case("one example, two classes", np.array([[1.0, 2.0]]), 0),
        case("four classes", one_digit(rng, 1, 4), 2),
        case("a batch of three", one_digit(rng, 3, 4), 3, 0, 1),
        case("large numbers", np.array([[1000.0, 1001.0], [-1000.0, -1002.0]]), 0, 1),
        case("a class of probability 0", np.array([[0.0, 1000.0, 1.0]]), 0),
    ]


def _cross_entropy_working(arguments: Arguments, output: str, index: tuple[int, ...]) -> str:
    logits, labels = arguments["logits"], arguments["labels"]
    if output == "loss":
        terms = -log_softmax(logits)[np.arange(len(labels)), labels]
        return (
            f"loss = ({' + '.join(f'{term:.6g}' for term in terms)}) / {len(labels)}, the mean of -log p[n, labels[n]]"
        )
    n, k = index
    target = int(labels[n] == k)
    return f"dlogits[{n}, {k}] = (p - t) / N = ({softmax(logits)[n, k]:.6g} - {target}) / {len(labels)}"


def _loss(probabilities: np.ndarray, labels: np.ndarray) -> Any:
    return -np.log(probabilities[np.arange(len(labels)), labels]).mean()


def _naive_gradient(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    p[np.arange(len(labels)), labels] -= 1
    return p / len(labels)


def _dlogits(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return cross_entropy(logits, labels)[1]


OVERFLOW = "exp overflows: subtract the maximum of the row first, which does not change the result"
ADDED = (
    "p is clipped, or has a small number added, so that the logarithm is finite: that changes the "
    "loss where it is largest. log p[k] = z[k] - log(sum of exp(z)) is finite without it"
)
CROSS_ENTROPY = Exercise(
    solution=cross_entropy,
    title="the loss of the scores, and its gradient",
    stage="loss",
    page="docs/operations/softmax-and-cross-entropy.md",
    outputs={"loss": "a number", "dlogits": "(N, K)"},
    source=(plain.cross_entropy, plain.cross_entropy_backward, plain.log_softmax),
    library=functional.cross_entropy,
    draw_cases=_cross_entropy_cases,
    mistakes=known_mistakes(
        cross_entropy,
        loss={
            "the minus sign of the loss is missing": lambda logits, labels: -cross_entropy(logits, labels)[0],
            "the loss is minus the probability: its logarithm is missing": lambda logits, labels: (
                -softmax(logits)[np.arange(len(labels)), labels].mean()
            ),
            "the loss is minus the score of the true class: the logarithm of the "
            "sum over all classes is missing": lambda logits, labels: -logits[np.arange(len(labels)), labels].mean(),
            "the loss sums over all classes: only the probability "
            "of the true one, p[n, labels[n]], counts": lambda logits, labels: -log_softmax(logits).sum(axis=1).mean(),
            "the loss is the sum over the batch instead of the mean": lambda logits, labels: (
                cross_entropy(logits, labels)[0] * len(labels)
            ),
            "the loss is divided by the number of classes as well: it is "
            "the mean over the batch only": lambda logits, labels: cross_entropy(logits, labels)[0] / logits.shape[1],
            "the loss has the logarithm to base 2: use the natural one, np.log": lambda logits, labels: (
                cross_entropy(logits, labels)[0] / np.log(2)
            ),
            "the loss has the logarithm to base 10: use the natural one, np.log": lambda logits, labels: (
                cross_entropy(logits, labels)[0] / np.log(10)
            ),
            "the logarithm of a probability that underflows to 0 is infinite: instead of the logarithm of the softmax, "
            "compute log p[k] = z[k] - log(sum "
            "of exp(z)), with z as the row minus its maximum": lambda logits, labels: _loss(softmax(logits), labels),
            OVERFLOW: lambda logits, labels: _loss(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), labels),
            ADDED: tuple(
                lambda logits, labels, e=e: _loss(np.maximum(softmax(logits), e), labels)
                for e in (1e-15, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7)
            ),
        },
        dlogits={
            "dlogits is the softmax alone: subtract 1 at the true class": lambda logits, labels: (
                softmax(logits) / len(labels)
            ),
            "dlogits has the wrong sign: it is p - t, so "
            "that a descent step raises the score of the true class": lambda logits, labels: -_dlogits(logits, labels),
            "dlogits is not divided by N: the loss is a mean over the "
            "batch, so each example has the factor 1/N": lambda logits, labels: _dlogits(logits, labels) * len(labels),
            "dlogits has 1 subtracted everywhere: only at the true "
            "class of each row, [np.arange(N), labels]": lambda logits, labels: (softmax(logits) - 1) / len(labels),
            "dlogits has 1 subtracted in whole columns: [:, labels] selects all rows, [np.arange(N), labels] one "
            "element of each "
            "row": lambda logits, labels: (softmax(logits) - np.isin(np.arange(logits.shape[1]), labels)) / len(labels),
            "dlogits is (p - 1) / N at the true class and 0 elsewhere: the other classes have "
            "p / N": lambda logits, labels: _dlogits(logits, labels) * (np.arange(logits.shape[1]) == labels[:, None]),
            OVERFLOW: _naive_gradient,
        },
    ),
    working=_cross_entropy_working,
)
