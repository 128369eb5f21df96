"""The exercises on optimizers: one update of the weights from their gradient."""

from functools import partial
from typing import Any

import numpy as np

from numpycnn import optim, plain
from numpycnn.exercises.exercise import Case, Exercise, known_mistakes, one_digit


def sgd(
    value: np.ndarray, grad: np.ndarray, velocity: np.ndarray, lr: float, momentum: float = 0.9
) -> tuple[np.ndarray, np.ndarray]:
    """Take one step of stochastic gradient descent with momentum.

    The velocity is a sum of all gradients so far, decayed by the factor ``momentum`` in each step. The weights move
    against it:

        new velocity = momentum * velocity + grad
        new value = value - lr * new velocity

    Parameters
    ----------
    value, grad, velocity : ndarray of any shape
        The weights, the gradient of the loss with respect to them, and the velocity after the previous step; 0
        before the first step.
    lr : float
        Learning rate.
    momentum : float
        0 is plain gradient descent.

    Returns
    -------
    value, velocity : ndarray of that shape
        The new values, in new arrays: do not modify the arguments.

    Notes
    -----
    Hints:

    - The two lines above, in this order, are the solution.
    - ``value -= ...`` would modify the array of the caller; ``value = value - ...`` makes a new one.

    Examples
    --------
    >>> sgd(np.array([1.0]), np.array([2.0]), np.array([4.0]), lr=0.1, momentum=0.5)  # v = 2 + 2; 1 - 0.1*4
    (array([0.6]), array([4.]))
    """
    value, velocity = value.copy(), velocity.copy()  # changed in place
    plain.sgd_step(value, grad, velocity, lr=lr, momentum=momentum)
    return value, velocity


def adam(
    value: np.ndarray,
    grad: np.ndarray,
    mean: np.ndarray,
    square: np.ndarray,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Take one step of Adam: against the mean gradient, divided by its root mean square.

    Adam keeps running means of the gradient and of its square for each weight. They start at 0, so that in the first
    steps they are too small, by the factor ``1 - beta^step``; dividing by it corrects this (bias correction).

        new mean = b1 * mean + (1 - b1) * grad                corrected mean = new mean / (1 - b1^step)
        new square = b2 * square + (1 - b2) * grad^2          corrected square = new square / (1 - b2^step)
        new value = value - lr * corrected mean / (sqrt(corrected square) + eps)

    Parameters
    ----------
    value, grad, mean, square : ndarray of any shape
        The weights, the gradient of the loss with respect to them, and the two running means after the previous
        step; 0 before the first step.
    step : int
        The number of this step; the first is 1.
    lr : float
        Learning rate.
    betas : tuple of float
        ``(b1, b2)``, the decay of the running means.
    eps : float
        Avoids division by zero.

    Returns
    -------
    value, mean, square : ndarray of that shape
        The new values, in new arrays: do not modify the arguments. The means are returned without the correction.

    Notes
    -----
    Hints:

    - In the first step from zeros, corrected mean and corrected square are the gradient and its square, and the step is
      ``lr`` times its sign: a good first test.

    Examples
    --------
    >>> zero = np.zeros(1)
    >>> value, mean, square = adam(np.array([1.0]), np.array([-4.0]), zero, zero, step=1, lr=0.5)
    >>> value.round(6), mean.round(6), square.round(6)  # 1 + 0.5; 0.1*(-4); 0.001*16
    (array([1.5]), array([-0.4]), array([0.016]))
    """
    value, mean, square = value.copy(), mean.copy(), square.copy()  # changed in place
    plain.adam_step(value, grad, mean, square, step=step, lr=lr, betas=betas, eps=eps)
    return value, mean, square


def _sgd_cases(rng: np.random.Generator) -> list[Case]:
    def case(about: str, shape: tuple[int, ...], first: bool = False, **settings: float) -> Case:
        value, grad, velocity = (one_digit(rng, *shape) + 0.1 for _ in range(3))
        arrays = {"value": value, "grad": grad, "velocity": np.zeros(shape) if first else velocity}
        return Case(about, {**arrays, "lr": 0.5, **settings})

    return [
        case("the first step, without momentum", (3,), first=True, momentum=0.0),
        case("the first step, with momentum", (3,), first=True, momentum=0.5),
        case("a later step", (3,), momentum=0.5),
        case("weights in a matrix", (2, 3), lr=0.1),
    ]


SGD = Exercise(
    solution=sgd,
    title="a step of gradient descent, with momentum",
    stage="step",
    page="docs/operations/optimizers.md",
    outputs={"value": "that of value", "velocity": "that of value"},
    source=(plain.sgd_step,),
    library=optim.SGD,
    draw_cases=_sgd_cases,
    mistakes=known_mistakes(
        sgd,
        value={
            "the step has the wrong sign: the gradient points uphill, so it is value - lr * velocity": {
                "lr": lambda lr: -lr
            },
            "the learning rate is missing: value - lr * velocity": {"lr": 1.0},
            "the gradient has the factor (1 - momentum), which makes the velocity a mean: here it is momentum * "
            "velocity + grad, as in most frameworks": lambda grad, momentum, **a: sgd(
                grad=(1 - momentum) * grad, momentum=momentum, **a
            )[0],
            "the step uses the old velocity: compute the new one first": lambda value, velocity, lr, **_: (
                value - lr * velocity
            ),
            "the step uses the gradient alone: it must use the new velocity": {"momentum": 0.0},
            "this is Nesterov momentum: here the step is lr * new velocity": lambda value, grad, lr, momentum, **a: (
                value - lr * (grad + momentum * sgd(value, grad, lr=lr, momentum=momentum, **a)[1])
            ),
            "the velocity contains the learning rate (momentum * velocity + lr * grad). For a constant rate that is "
            "equivalent; here, as in most frameworks, the rate multiplies the "
            "velocity": lambda value, grad, velocity, lr, momentum: value - momentum * velocity - lr * grad,
        },
        velocity={
            "value is right, but the returned velocity is the old one: return the new one, for the next "
            "step": lambda velocity, **_: velocity,
            "value is right, but the velocity contains the learning rate: it is momentum * velocity + "
            "grad": lambda lr, **a: lr * sgd(lr=lr, **a)[1],
            "value is right, but the velocity has the wrong sign: it is momentum * velocity + grad, and is "
            "subtracted": lambda **a: -sgd(**a)[1],
        },
    ),
)


def _adam_cases(rng: np.random.Generator) -> list[Case]:
    def case(about: str, shape: tuple[int, ...], step: int, **settings: Any) -> Case:
        value, grad, mean = (one_digit(rng, *shape) + 0.05 for _ in range(3))
        square = 1.0 + rng.integers(1, 5, shape)
        kept = {"mean": mean, "square": square} if step > 1 else {"mean": np.zeros(shape), "square": np.zeros(shape)}
        return Case(about, {"value": value, "grad": grad, **kept, "step": step, **settings})

    return [
        case("the first step", (3,), 1, lr=0.5, betas=(0.5, 0.8)),
        case("the third step", (3,), 3, lr=0.5, betas=(0.5, 0.8)),
        case("a large eps", (3,), 2, lr=0.5, betas=(0.5, 0.8), eps=0.5),
        case("weights in a matrix, and the usual settings", (2, 3), 5, lr=0.1),
    ]


def _adam(
    value: np.ndarray,
    grad: np.ndarray,
    mean: np.ndarray,
    square: np.ndarray,
    step: int,
    lr: float,
    betas: tuple[float, float],
    eps: float,
    *,
    correct: tuple[bool, bool] = (True, True),
    root: Any = lambda square, eps: np.sqrt(square) + eps,
) -> np.ndarray:
    """Return the new value, with less of the correction, or another divisor."""
    b1, b2 = betas
    mean, square = b1 * mean + (1 - b1) * grad, b2 * square + (1 - b2) * grad**2
    corrected = mean / (1 - b1**step) if correct[0] else mean
    return value - lr * corrected / root(square / (1 - b2**step) if correct[1] else square, eps)


def _square_of_mean(**a: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    mean, (b1, b2) = adam(**a)[1], a["betas"]
    square = (b2 * a["square"] + (1 - b2) * a["grad"]) ** 2
    corrected = mean / (1 - b1 ** a["step"]), square / (1 - b2 ** a["step"])
    return a["value"] - a["lr"] * corrected[0] / np.sqrt(corrected[1]), mean, square


ADAM = Exercise(
    solution=adam,
    title="a step with its own size for each weight",
    stage="step",
    page="docs/operations/optimizers.md",
    outputs={"value": "that of value", "mean": "that of value", "square": "that of value"},
    source=(plain.adam_step,),
    library=optim.Adam,
    draw_cases=_adam_cases,
    mistakes=known_mistakes(
        adam,
        {
            "square is the square of the mean: it must be the running mean of the squares, (1 - b2) * "
            "grad**2": _square_of_mean
        },
        value={
            "the bias correction is missing: mean and square start at 0, so divide them by 1 - b1^step and 1 - "
            "b2^step": partial(_adam, correct=(False, False)),
            "the mean is not corrected: divide it by 1 - b1^step": partial(_adam, correct=(False, True)),
            "the square is not corrected: divide it by 1 - b2^step": partial(_adam, correct=(True, False)),
            "the correction counts one step too many: step is 1 in the first step": {"step": lambda step: step + 1},
            "the correction counts one step too few, and divides by 1 - 1 = 0 in the first step: step starts at "
            "1": lambda step, **a: _adam(step=step - 1, **a),
            "the square root is missing": partial(_adam, root=lambda square, eps: square + eps),
            "eps is inside the square root: add it to the root": partial(
                _adam, root=lambda square, eps: np.sqrt(square + eps)
            ),
            "eps is not used": {"eps": 0.0},
            "the two betas are swapped: the first is for the mean, the second for the square": {
                "betas": lambda betas: betas[::-1]
            },
            "the step has the wrong sign: the gradient points uphill, so subtract it": {"lr": lambda lr: -lr},
        },
        mean={
            "value is right, but the corrected mean is returned: the correction is for this step only, "
            "return the mean without it": lambda step, betas, **a: (
                adam(step=step, betas=betas, **a)[1] / (1 - betas[0] ** step)
            ),
            "value is right, but the old mean is returned: return the new one": lambda mean, **_: mean,
        },
        square={
            "value is right, but the corrected square is returned: the correction is for this step only, return "
            "the square without it": lambda step, betas, **a: (
                adam(step=step, betas=betas, **a)[2] / (1 - betas[1] ** step)
            ),
            "value is right, but the old square is returned: return the new one": lambda square, **_: square,
        },
    ),
)
