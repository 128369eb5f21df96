"""Look into a trained network
===========================

What it sees, what it has learned, and why it says what it says.

You learn to follow a picture through every layer, to find which part of it an answer comes from in two ways that know
nothing of each other, and to write a look of your own with the gradient at any layer. Takes 15 minutes to read and half
a minute to run (``--quick``: a few seconds).
"""

import argparse
from pathlib import Path

import numpy as np

import numpycnn as nn
from numpycnn import visualize


def train_network(train):
    """Go through the digits once, and keep how far each step moved the weights."""
    model, updates = nn.models.tiny_vgg(), nn.training.UpdateRatios()
    rate = nn.OneCycleSchedule(5e-3, steps=-(-len(train) // 32))
    trainer = nn.Trainer(model, loss=nn.CrossEntropy(), optimizer=nn.Adam(lr=rate), callbacks=[updates])
    trainer.fit(train, epochs=1, progress=False)
    return model, updates


def overlap(first, second, share=0.2):
    """Return how many of the strongest places of two maps are the same, from 0 to 1; by chance it would be `share`."""
    count = int(share * first.size)
    strongest = [set(np.argsort(-values, axis=None)[:count].tolist()) for values in (first, second)]
    return len(strongest[0] & strongest[1]) / count


def main(quick, out):
    train, test = nn.data.load_mnist()
    if quick:
        train, test = train[:2000], test[:500]
    model, updates = train_network(train)
    x, labels = test.batch(slice(None))
    shares = visualize.class_probabilities(model, x)  # (N, 10)
    correct = shares.argmax(axis=1) == labels  # (N,)
    print(f"{len(train):,} digits seen once, accuracy on new ones {100 * correct.mean():.2f} %")
    pictures, digits = x[correct][:3], labels[correct][:3]  # (3, 1, 28, 28), (3,)

    print("\nwhat the layers make of a picture: shape, share of zeros")
    for passage in visualize.follow(model, pictures[:1]).values():
        print(f"  {passage.title:12}  {passage.y.shape[1:]!s:13}  {100 * np.mean(passage.y == 0):5.1f} %")

    print("\nwhat the middle unit of a layer sees of the picture")
    for place in ("0", "2", "4", "5", "7", "9"):
        (top, bottom), (left, right) = visualize.find_field(model, place)
        print(f"  {place}: rows {top} to {bottom - 1}, columns {left} to {right - 1}")

    # Two answers to the question which part matters: one goes back through the layers, one only looks at the outputs.
    saliency = visualize.measure_saliency(model, pictures, smooth=20)  # (3, 28, 28)
    harm = 1 - visualize.occlude(model, pictures, size=5)  # (3, 28, 28): probability of other classes
    print("\nof the fifth of the pixels that matters most, saliency and occlusion agree on (by chance: 20 %)")
    for label, one, other in zip(digits, saliency, harm, strict=True):
        print(f"  a {label}: {100 * overlap(one, other):.0f} %")

    # A look of your own: the gradient of the strongest number in a layer, down to the pixels of that unit's box.
    def strongest(y):
        return (y == y.max()).astype(y.dtype)

    dx, passages = visualize.follow_back(model, pictures[:1], strongest, at="7")
    row, column = np.argwhere(passages["7"].y[0] == passages["7"].y.max())[0][1:]
    (top, bottom), (left, right) = visualize.find_field(model, "7", unit=(row, column))
    outside = dx.copy()
    outside[:, :, top:bottom, left:right] = 0
    assert np.any(dx)
    assert not np.any(outside)
    print(f"\nthe strongest unit of layer 7 is at ({row}, {column}); no pixel outside of its box moves it")

    out.mkdir(parents=True, exist_ok=True)
    names = test.class_names
    visualize.feature_maps(model, pictures[0], class_names=names, path=out / "feature_maps.png")
    visualize.filter_detect_condense(model, pictures[0], path=out / "filter_detect_condense.png")
    visualize.receptive_fields(model, x[:100], path=out / "receptive_fields.png")
    visualize.saliency_map(model, pictures, smooth=20, class_names=names, path=out / "saliency.png")
    visualize.occlusion_map(model, pictures, size=5, class_names=names, path=out / "occlusion.png")
    visualize.activation_maximization(model, class_names=names, path=out / "activation_maximization.png")
    visualize.least_certain(test.images, shares, names, labels=labels, path=out / "least_certain.png")
    visualize.update_ratios(updates.ratios, path=out / "update_ratios.png")
    print(f"figures: eight files in {out}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/examples"), help="folder for the figures (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="2,000 digits only, a few seconds")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.out)
