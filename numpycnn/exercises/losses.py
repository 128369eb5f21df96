"""The exercises of softmax and cross-entropy."""

from typing import Any

import numpy as np

from numpycnn import functional
from numpycnn.exercises.exercise import Arguments, Case, Exercise, Mistake, one_digit
from numpycnn.functional.losses import cross_entropy as library_cross_entropy
from numpycnn.functional.softmax import log_softmax


def softmax(x: np.ndarray) -> np.ndarray:
    """Turn each row of numbers into probabilities, that is positive numbers that add up to 1.

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

    - ``exp(1000)`` is too large for any float, and the result would be "not a number". Subtracting the same number
      from a whole row changes nothing in the result: which one makes every ``exp`` harmless?
    - ``keepdims=True`` keeps the axis of a sum as an axis of size 1, so that a row can be divided by it.

    Examples
    --------
    >>> softmax(np.array([[0.0, np.log(3.0)]]))  # 1 / (1 + 3) and 3 / (1 + 3)
    array([[0.25, 0.75]])
    """
    exponential = np.exp(x - x.max(axis=1, keepdims=True))
    return exponential / exponential.sum(axis=1, keepdims=True)


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return how wrong the scores of a batch are, and the gradient of that with respect to the scores.

    With ``p = softmax(logits)`` the loss is the mean, over the batch, of minus the logarithm of the probability that
    the right class was given:

        loss = - mean over n of  log p[n, labels[n]]
        dlogits[n, k] = (p[n, k] - t[n, k]) / N      t[n, k] = 1 where k = labels[n], otherwise 0

    Parameters
    ----------
    logits : ndarray of shape (N, K)
        A score for each class; any finite numbers, also very large ones.
    labels : ndarray of int of shape (N,)
        The right classes, from 0 to K - 1.

    Returns
    -------
    loss : float
    dlogits : ndarray of shape (N, K)

    Notes
    -----
    Hints:

    - Where p is too small for a float it is 0, and its logarithm minus infinity. Work the logarithm out on paper:
      with ``z`` as the row less its maximum, ``log p[k] = z[k] - log(sum over j of exp(z[j]))``.
    - ``a[np.arange(N), labels]`` takes one number out of each row.

    Examples
    --------
    >>> loss, dlogits = cross_entropy(np.array([[0.0, np.log(3.0)]]), np.array([0]))  # p is 1/4, 3/4
    >>> round(loss, 4), dlogits  # log 4
    (1.3863, array([[-0.75,  0.75]]))
    """
    z = logits - logits.max(axis=1, keepdims=True)  # (N, K)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    n = len(logits)
    dlogits = np.exp(log_p) / n
    dlogits[np.arange(n), labels] -= 1 / n
    return float(-log_p[np.arange(n), labels].mean()), dlogits


# ------------------------------------------------------------------------------------------------------------- softmax


def _softmax_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("one row of two numbers", {"x": np.array([[0.0, 1.0]])}),
        Case("one row of four numbers", {"x": one_digit(rng, 1, 4)}),
        Case("two rows", {"x": one_digit(rng, 2, 3)}),
        Case("large numbers", {"x": np.array([[1000.0, 1001.0, 999.0]])}),
        Case("a large and a small row", {"x": np.array([[1000.0, 1001.0], [-1000.0, -1001.0]])}),
        Case("large negative numbers", {"x": np.array([[-2000.0, -2001.0, -2003.0]])}),
    ]


def _softmax_working(arguments: Arguments, output: str, index: tuple[int, ...]) -> str:
    n, k = index
    row = arguments["x"][n] - arguments["x"][n].max()
    powers = " + ".join(f"exp({value:g})" for value in row)
    return f"y[{n}, {k}] = exp({row[k]:g}) / ({powers}), with the row's maximum subtracted"


def _exponentials(x: np.ndarray) -> np.ndarray:
    return np.exp(x - x.max(axis=1, keepdims=True))


def _less_all(x: np.ndarray) -> np.ndarray:
    exponential = np.exp(x - x.max())
    return exponential / exponential.sum(axis=1, keepdims=True)


def _less_mean(x: np.ndarray) -> np.ndarray:
    exponential = np.exp(x - x.mean(axis=1, keepdims=True))
    return exponential / exponential.sum(axis=1, keepdims=True)


SOFTMAX = Exercise(
    solution=softmax,
    title="scores to probabilities, without overflow",
    stage="loss",
    page="docs/operations/softmax-and-cross-entropy.md",
    outputs={"y": "(N, K)"},
    reference=functional.softmax,
    library=(functional.softmax,),
    draw_cases=_softmax_cases,
    mistakes=(
        Mistake(
            "the exponentials are not divided by their sum",
            lambda x: np.exp(x),
        ),
        Mistake("the exponentials are not divided by their sum", _exponentials),
        Mistake(
            "this is a sigmoid, which takes each number by itself: softmax divides by the sum over the row",
            functional.sigmoid,
        ),
        Mistake(
            "the numbers are divided by their sum, but the exponential was not taken first",
            lambda x: x / x.sum(1)[:, None],
        ),
        Mistake(
            "the columns add up to 1 instead of the rows: the sum goes over axis 1, the classes",
            lambda x: softmax(x.T).T,
        ),
        Mistake(
            "all numbers together add up to 1: each row does so by itself, so the sum goes over axis 1",
            lambda x: np.exp(x - x.max()) / np.exp(x - x.max()).sum(),
        ),
        Mistake(
            "exp overflows: subtract the row's maximum first, which changes nothing in the result",
            lambda x: np.exp(x) / np.exp(x).sum(axis=1, keepdims=True),
        ),
        Mistake(
            "the maximum of the whole array is subtracted: in a row that is far below it, every exp becomes 0, and "
            "0 / 0 is not a number. Subtract the maximum of each row",
            _less_all,
        ),
    ),
    working=_softmax_working,
)

# ------------------------------------------------------------------------------------------------------- cross_entropy


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


OVERFLOW = "exp overflows: subtract the row's maximum first, which changes nothing in the result"
ADDED = (
    "a small number was added to p, or p was kept above one, to keep the logarithm from infinity: that changes the "
    "loss where it matters most. log p[k] = z[k] - log(sum of exp(z)) needs no such help"
)
CROSS_ENTROPY = Exercise(
    solution=cross_entropy,
    title="how wrong the scores are, and the gradient with which learning begins",
    stage="loss",
    page="docs/operations/softmax-and-cross-entropy.md",
    outputs={"loss": "a number", "dlogits": "(N, K)"},
    reference=lambda logits, labels: (
        library_cross_entropy(logits, labels),
        functional.cross_entropy_backward(logits, labels),
    ),
    library=(functional.cross_entropy, functional.cross_entropy_backward, log_softmax),
    draw_cases=_cross_entropy_cases,
    mistakes=(
        Mistake(
            "the minus sign of the loss is missing", lambda logits, labels: -cross_entropy(logits, labels)[0], "loss"
        ),
        Mistake(
            "the loss is minus the probability: its logarithm is missing",
            lambda logits, labels: -softmax(logits)[np.arange(len(labels)), labels].mean(),
            "loss",
        ),
        Mistake(
            "the loss is minus the score of the right class: the logarithm of the sum over all classes is missing",
            lambda logits, labels: -logits[np.arange(len(labels)), labels].mean(),
            "loss",
        ),
        Mistake(
            "the loss is taken of all classes: only the probability of the right one, p[n, labels[n]], counts",
            lambda logits, labels: -log_softmax(logits).sum(axis=1).mean(),
            "loss",
        ),
        Mistake(
            "the loss is the sum over the batch, and should be the mean",
            lambda logits, labels: cross_entropy(logits, labels)[0] * len(labels),
            "loss",
        ),
        Mistake(
            "the loss is divided by the number of classes as well: it is the mean over the batch only",
            lambda logits, labels: cross_entropy(logits, labels)[0] / logits.shape[1],
            "loss",
        ),
        Mistake(
            "the loss has a logarithm to base 2: here it is the natural one, np.log",
            lambda logits, labels: cross_entropy(logits, labels)[0] / np.log(2),
            "loss",
        ),
        Mistake(
            "the loss has a logarithm to base 10: here it is the natural one, np.log",
            lambda logits, labels: cross_entropy(logits, labels)[0] / np.log(10),
            "loss",
        ),
        Mistake(
            "the logarithm of a probability that is 0 for a float is infinite: do not take the logarithm of the "
            "softmax, but log p[k] = z[k] - log(sum of exp(z)), with z as the row less its maximum",
            lambda logits, labels: _loss(softmax(logits), labels),
            "loss",
        ),
        Mistake(
            OVERFLOW,
            lambda logits, labels: _loss(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), labels),
            "loss",
        ),
        *(
            Mistake(ADDED, lambda logits, labels, e=e: _loss(np.maximum(softmax(logits), e), labels), "loss")
            for e in (1e-15, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7)
        ),
        Mistake(
            "dlogits is the softmax alone: 1 has to be subtracted at the right class",
            lambda logits, labels: softmax(logits) / len(labels),
            "dlogits",
        ),
        Mistake(
            "dlogits has the wrong sign: it is p - t, so that a step against it raises the score of the right class",
            lambda logits, labels: -_dlogits(logits, labels),
            "dlogits",
        ),
        Mistake(
            "dlogits is not divided by N: the loss is a mean over the batch, so each example has 1/N of it",
            lambda logits, labels: _dlogits(logits, labels) * len(labels),
            "dlogits",
        ),
        Mistake(
            "dlogits has 1 subtracted everywhere: only at the right class of each row, [np.arange(N), labels]",
            lambda logits, labels: (softmax(logits) - 1) / len(labels),
            "dlogits",
        ),
        Mistake(
            "dlogits has 1 subtracted in whole columns: [:, labels] takes all rows, [np.arange(N), labels] one number "
            "of each row",
            lambda logits, labels: (softmax(logits) - np.isin(np.arange(logits.shape[1]), labels)) / len(labels),
            "dlogits",
        ),
        Mistake(
            "dlogits is (p - 1) / N at the right class and 0 elsewhere: the other classes' scores count too, by p / N",
            lambda logits, labels: _dlogits(logits, labels) * (np.arange(logits.shape[1]) == labels[:, None]),
            "dlogits",
        ),
        Mistake(OVERFLOW, _naive_gradient, "dlogits"),
    ),
    working=_cross_entropy_working,
)
