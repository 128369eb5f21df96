"""A dense network
===============

A dense network learns to read digits, once without and once with L2 regularisation.

You learn how a network is put together with ``add()``, what one-hot encoding is and why the loss can do without it, and
what a penalty on large weights does: the loss on digits that the network has seen goes up, that on new ones goes down.
Takes 10 minutes to read and half a minute to run (``--quick``: a few seconds).
"""

import argparse

import numpy as np

import numpycnn as nn
import numpycnn.functional as F


def dense_network():
    """784 pixels, 100 hidden units, 10 scores: every unit sees all of what is below it."""
    model = nn.Sequential(input_shape=(1, 28, 28), seed=0)
    model.add(nn.Flatten())  # (N, 784)
    model.add(nn.Dense(100))
    model.add(nn.ReLU())
    model.add(nn.Dense(10))  # (N, 10), one score (logit) for each digit
    return model


def show_one_hot(train):
    """Compute the loss of an untrained network from one-hot rows, and again from the labels themselves."""
    x, labels = train.batch(slice(0, 3))
    targets = F.one_hot(labels, 10)  # (3, 10)
    print(f"labels {labels} as one-hot rows\n{targets.astype(int)}")
    scores = dense_network().predict(x)
    by_rows = -(targets * F.log_softmax(scores)).sum() / len(targets)  # the 1 picks the log-probability of the label
    by_labels = F.cross_entropy(scores, labels)
    np.testing.assert_allclose(by_rows, by_labels, rtol=1e-5)
    print(f"cross-entropy from the rows {by_rows:.4f}, from the labels {by_labels:.4f}\n")


def main(quick):
    train, test = nn.data.load_mnist()
    epochs, batch_size, penalty = 10, 32, 3e-4
    if quick:
        train, test, penalty = train[:2000], test[:1000], 1e-3  # the fewer the digits, the more a penalty helps
    print(f"{len(train):,} digits to learn from, {len(test):,} new ones to be tested on")
    show_one_hot(train)
    print(f"{dense_network().summary()}\n")

    steps = epochs * -(-len(train) // batch_size)
    print("L2 penalty   seen digits: loss, accuracy   new digits: loss, accuracy   mean |weight|")
    for l2 in (0.0, penalty):
        model = dense_network()
        trainer = nn.Trainer(
            model,
            loss=nn.CrossEntropy(l2=l2),  # + l2 / 2 * sum of w^2: its gradient pulls each weight towards 0
            optimizer=nn.Adam(lr=nn.OneCycleSchedule(3e-3, steps)),
        )
        trainer.fit(train, epochs=epochs, batch_size=batch_size, progress=False)
        seen, new = trainer.evaluate(train), trainer.evaluate(test)
        weights = [array for name, array in model.state().items() if name.endswith("weight")]
        size = np.mean(np.abs(np.concatenate([array.ravel() for array in weights])))
        print(
            f"{l2:<10g}   {seen['loss']:17.4f}, {100 * seen['accuracy']:6.2f} %   "
            f"{new['loss']:16.4f}, {100 * new['accuracy']:6.2f} %   {size:13.4f}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="2,000 digits only, a few seconds")
    main(parser.parse_args().quick)
