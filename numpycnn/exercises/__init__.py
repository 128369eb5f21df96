"""Exercises: functions with an empty body, and a check that shows where an answer differs and the likely cause.

The order is that of a training step: forward pass, loss, backward pass, optimizer step.
"""

from numpycnn.exercises import columns, convolution, convolution_gradient, losses, normalization, pooling, steps
from numpycnn.exercises.checking import Verdict, check
from numpycnn.exercises.exercise import Exercise

__all__ = ["EXERCISES", "Exercise", "Verdict", "check"]

#: All exercises by name, in the recommended order.
EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise
    for exercise in (
        convolution.CORRELATE,
        convolution.CONV2D,
        columns.IM2COL,
        pooling.MAX_POOL,
        normalization.BATCH_NORM,
        losses.SOFTMAX,
        losses.CROSS_ENTROPY,
        pooling.MAX_POOL_BACKWARD,
        convolution_gradient.CONV2D_BACKWARD,
        normalization.BATCH_NORM_BACKWARD,
        steps.SGD,
        steps.ADAM,
    )
}
