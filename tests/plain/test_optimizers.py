"""The optimizers' steps against their formulas, number by number."""

import math

import numpy as np

from numpycnn import plain
from tests.drawn import generators
from tests.helpers import assert_close


def test_sgd_equals_the_formula() -> None:
    for rng in generators(80):
        value, grad, velocity = rng.normal(size=(3, 6))
        lr, momentum, decay = (float(n) for n in rng.random(3))
        with_momentum, nesterov = bool(rng.random() < 0.7), bool(rng.random() < 0.5)
        new_value, new_velocity = [], []
        for w, g, v in zip(value, grad, velocity, strict=True):
            g = g + decay * w
            v = momentum * v + g
            step = (g + momentum * v if nesterov else v) if with_momentum else g
            new_velocity.append(v)
            new_value.append(w - lr * step)
        settings = {"lr": lr, "weight_decay": decay}
        if with_momentum:
            plain.sgd_step(value, grad, velocity, momentum=momentum, nesterov=nesterov, **settings)
            assert_close(velocity, new_velocity)
        else:
            plain.sgd_step(value, grad, **settings)
        assert_close(value, new_value)


def test_adam_equals_the_formula() -> None:
    for rng in generators(81):
        value, grad, mean = rng.normal(size=(3, 6))
        square = rng.random(6)
        lr, b1, b2, decay = (float(n) for n in rng.random(4))
        step, eps = int(rng.integers(1, 20)), float(rng.choice([1e-8, 1e-2]))
        expected = []
        for w, g, m, s in zip(value, grad, mean, square, strict=True):
            g = g + decay * w
            m, s = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g * g
            w = w - lr * (m / (1 - b1**step)) / (math.sqrt(s / (1 - b2**step)) + eps)
            expected.append((w, m, s))
        plain.adam_step(value, grad, mean, square, step=step, lr=lr, betas=(b1, b2), eps=eps, weight_decay=decay)
        assert_close(np.array([value, mean, square]), np.transpose(expected))


def test_rmsprop_equals_the_formula() -> None:
    for rng in generators(82):
        value, grad = rng.normal(size=(2, 6))
        square = rng.random(6)
        lr, alpha, decay = (float(n) for n in rng.random(3))
        expected = []
        for w, g, s in zip(value, grad, square, strict=True):
            g = g + decay * w
            s = alpha * s + (1 - alpha) * g * g
            expected.append((w - lr * g / (math.sqrt(s) + 1e-8), s))
        plain.rmsprop_step(value, grad, square, lr=lr, alpha=alpha, weight_decay=decay)
        assert_close(np.array([value, square]), np.transpose(expected))


def test_adagrad_equals_the_formula() -> None:
    for rng in generators(83):
        value, grad = rng.normal(size=(2, 6))
        square = rng.random(6)
        lr, decay = (float(n) for n in rng.random(2))
        expected = []
        for w, g, s in zip(value, grad, square, strict=True):
            g = g + decay * w
            s = s + g * g
            expected.append((w - lr * g / (math.sqrt(s) + 1e-10), s))
        plain.adagrad_step(value, grad, square, lr=lr, weight_decay=decay)
        assert_close(np.array([value, square]), np.transpose(expected))


def test_adadelta_equals_the_formula() -> None:
    for rng in generators(84):
        value, grad = rng.normal(size=(2, 6))
        square, delta = rng.random((2, 6))
        lr, rho, decay = (float(n) for n in rng.random(3))
        eps = float(rng.choice([1e-6, 1e-2]))
        expected = []
        for w, g, s, u in zip(value, grad, square, delta, strict=True):
            g = g + decay * w
            s = rho * s + (1 - rho) * g * g
            d = g * math.sqrt(u + eps) / math.sqrt(s + eps)
            expected.append((w - lr * d, s, rho * u + (1 - rho) * d * d))
        plain.adadelta_step(value, grad, square, delta, lr=lr, rho=rho, eps=eps, weight_decay=decay)
        assert_close(np.array([value, square, delta]), np.transpose(expected))
