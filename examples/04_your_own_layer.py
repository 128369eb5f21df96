"""A layer of your own
===================

Written, its gradients checked, trained, saved and loaded.

You learn the three hooks that make a layer, how one call checks all its gradients, what that call says about a mistake,
and how a file with your layer in it is loaded. Takes 10 minutes to read and a few seconds to run.
"""

import argparse
from pathlib import Path

import numpy as np

import numpycnn as nn


class Scale(nn.Layer):
    """Multiply each channel with a learned factor, ``y = weight * x``."""

    def __init__(self, spread=0.5, *, name=None):
        super().__init__(name=name)
        self.spread = spread  # every argument is kept under its own name: saving relies on it

    def _build(self, input_shape, rng):
        """Make the parameters for inputs of a shape (without the batch axis); return the output shape."""
        channels = input_shape[0]
        # Without a generator the weights are about to be loaded. With one they are not all 1, at which a backward that
        # forgets them would look right.
        factors = np.ones(channels) if rng is None else rng.uniform(1 - self.spread, 1 + self.spread, channels)
        self.weight = nn.Parameter(factors.astype(self.dtype))
        self._factor_shape = (channels,) + (1,) * (len(input_shape) - 1)  # (C, 1, 1) beside x (N, C, H, W)
        return input_shape

    def _forward(self, x, *, training, differentiable):
        """Return the output, and what the backward will need."""
        return x * self.weight.value.reshape(self._factor_shape), x

    def _backward(self, dy, x):
        """Set the gradient of each parameter; return that of the input."""
        all_but_channels = (0, *range(2, x.ndim))
        self.weight.grad[...] = (dy * x).sum(axis=all_but_channels)  # a factor meets every x of its channel
        return dy * self.weight.value.reshape(self._factor_shape)


class ForgetfulScale(Scale):
    """The same with a mistake: the gradient of the input forgets the factor."""

    def _backward(self, dy, x):
        super()._backward(dy, x)
        return dy


def stripes(count, rng):
    """Return noisy pictures (N, 1, 12, 12) of stripes: label 0 where they lie, 1 where they stand."""
    labels = rng.integers(0, 2, count)
    waves = np.sin(np.arange(12) * 1.5 + rng.uniform(0, 6, (count, 1)))  # (N, 12)
    pictures = np.where(labels[:, None, None] == 0, waves[:, :, None], waves[:, None, :])  # (N, 12, 12)
    noisy = pictures + rng.normal(0, 0.8, pictures.shape)
    return noisy[:, None].astype(np.float32), labels


def main(out):
    print("1. the gradients of Scale, held against central differences")
    print(nn.check_gradients(Scale(), input_shape=(3, 4, 5)))

    print("\n2. what the check says about a mistake")
    try:
        nn.check_gradients(ForgetfulScale(), input_shape=(3, 4, 5))
    except nn.GradientError as error:
        print(error)
    else:
        raise AssertionError("the mistake was not found")

    print("\n3. a network with the layer learns to tell lying stripes from standing ones")
    rng = np.random.default_rng(0)
    train, test = stripes(600, rng), stripes(200, rng)
    model = nn.Sequential(
        [nn.Conv2D(4, kernel_size=3), Scale(name="factors"), nn.ReLU(), nn.GlobalAvgPool(), nn.Dense(2)],
        input_shape=(1, 12, 12),
        seed=0,
    )
    nn.check_gradients(model, input_shape=(1, 12, 12))  # a whole model is checked in the same way
    before = model[1].weight.value.copy()
    trainer = nn.Trainer(model, loss=nn.CrossEntropy(), optimizer=nn.Adam(lr=0.02))
    trainer.fit(train, epochs=5, progress=False)
    print(f"factors {before.round(2)} became {model[1].weight.value.round(2)}")
    print(f"accuracy on new stripes {100 * trainer.evaluate(test)['accuracy']:.1f} %")

    print("\n4. saved and loaded")
    out.mkdir(parents=True, exist_ok=True)
    path = out / "stripes.safetensors"
    model.save(path)
    try:
        nn.load_model(path)  # a file may not name code that the program has not offered
    except nn.DataFormatError as error:
        print(f"without layers=[Scale]: {error}")
    twin = nn.load_model(path, layers=[Scale])
    np.testing.assert_array_equal(twin.predict(test[0]), model.predict(test[0]))
    print("with layers=[Scale]: the same outputs, bit for bit")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/examples"), help="folder for the model (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="accepted by all examples; this one is quick anyway")
    main(parser.parse_args().out)
