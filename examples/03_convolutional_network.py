"""A convolutional network
=======================

A convolutional network reads the same digits better than a dense one, with a tenth of its weights.

You learn what convolutions gain over dense layers, how training and validation are watched through learning curves, and
which digits a network takes for which. Takes 10 minutes to read and about a minute to run (``--quick``: a few
seconds).
"""

import argparse
from pathlib import Path

import numpy as np

import numpycnn as nn
from numpycnn import visualize


def train_network(model, train, validation, epochs):
    """Train with Adam; the learning rate goes up and down again over the whole training."""
    steps = epochs * -(-len(train) // 32)
    trainer = nn.Trainer(model, loss=nn.CrossEntropy(), optimizer=nn.Adam(lr=nn.OneCycleSchedule(5e-3, steps)))
    trainer.fit(train, epochs=epochs, batch_size=32, validation=validation)
    return trainer


def worst_confusions(labels, predictions, count=5):
    """Return how often which digit was taken for which, the most frequent mistakes first."""
    confusions = visualize.count_confusions(labels, predictions, 10)  # (10, 10): row true, column predicted
    np.fill_diagonal(confusions, 0)
    order = np.argsort(-confusions, axis=None, kind="stable")[:count]
    return [(int(confusions.flat[i]), i // 10, i % 10) for i in order if confusions.flat[i]]


def main(quick, out):
    train, test = nn.data.load_mnist()
    epochs = 4
    if quick:
        train, test = train[:2000], test[:1000]
    train, validation = train.split(0.9)
    print(f"{len(train):,} digits to learn from, {len(validation):,} to watch, {len(test):,} to be tested on")

    print(f"\ntiny_vgg\n{nn.models.tiny_vgg().summary()}")

    # Both see the same digits. A dense unit has a weight for each of the 784 pixels; a filter of TinyVGG has 9 for each
    # channel below it, and uses them everywhere in the picture.
    results = []
    for model in (nn.models.mlp(hidden=100), nn.models.tiny_vgg()):
        trainer = train_network(model, train, validation, epochs)
        results.append((model, trainer, trainer.evaluate(test)["accuracy"]))

    print("\nnetwork     parameters   accuracy on new digits")
    for model, _, accuracy in results:
        print(f"{model.name:10}  {model.summary().parameters:10,}   {100 * accuracy:.2f} %")

    model, trainer, _ = results[-1]
    predictions = model.predict(test.batch(slice(None))[0]).argmax(axis=1)
    print("\nmost frequent mistakes of tiny_vgg")
    for count, true, predicted in worst_confusions(test.labels, predictions):
        print(f"  {true} taken for {predicted}: {count} of {np.sum(test.labels == true):,}")

    out.mkdir(parents=True, exist_ok=True)
    visualize.learning_curves(trainer.history, path=out / "learning_curves.png")
    visualize.confusion_matrix(test.labels, predictions, test.class_names, path=out / "confusion_matrix.png")
    print(f"figures: {out / 'learning_curves.png'}, {out / 'confusion_matrix.png'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/examples"), help="folder for the figures (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="2,000 digits only, a few seconds")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.out)
