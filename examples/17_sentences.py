"""Sentences, and the phrases that decide
======================================

A convolution over the words of a sentence looks for phrases. You learn how a network tells praise from blame, which
phrases it goes by, and what it makes of their order: it is compared with one that looks at one word at a time, and so
knows what is said but not in which order. Takes 5 minutes to read and about a minute to run (``--quick``: a few
seconds, on sentences that are made up).

Measured on 256 made-up sentences, whose order is all that counts, means of three seeds with their deviations: one word
at a time 44.5 +- 2.2 % are judged rightly, no more than by guessing, in phrases 100.0 +- 0.0 %, and in phrases once
their words are shuffled 49.1 +- 1.5 %. On 1,066 film reviews, where single words say nearly all that a small network
learns, it is 75.8 %, 74.8 % and 75.5 %, with one seed.
"""

import argparse
import itertools
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import numpycnn as nn
from numpycnn.data import Dataset, SentenceReader, tokenize

VERMILION, BLUE = "#D55E00", "#0072B2"

# %%
# Where the film reviews are not at hand, sentences like "the film is not dull but clever" stand in: the order of their
# words is all that tells praise from blame. No two of them are the same, so those to test with are new.

GOOD = ("clever", "warm", "funny", "moving", "fresh", "bright", "rich", "wise")
BAD = ("dull", "cold", "loud", "long", "stale", "flat", "vain", "slow")


def made_up():
    """Return all sentences with a good and a bad word of which one is denied; a fifth of them to test with."""
    labels, sentences = [], []
    for subject, good, bad in itertools.product(("film", "story", "cast", "music", "ending"), GOOD, BAD):
        for label, denied, meant in ((0, good, bad), (1, bad, good)):
            for first, second in ((f"not {denied}", meant), (meant, f"not {denied}")):
                labels.append(label)
                sentences.append(f"the {subject} is {first} but {second}")
    words = sorted({word for sentence in sentences for word in tokenize(sentence)})
    reader = SentenceReader(("<padding>", "<unknown>", *words), length=10)
    tokens = np.stack([reader.read(sentence) for sentence in sentences])  # (N, 10)
    return Dataset(tokens, np.array(labels), ("blame", "praise"), name="made up", reader=reader).split(0.8)


def train(data, widths, size, epochs, seed):
    """Train a network whose filters look at so many words at a time, 150 filters in all."""
    sizes = {"vocabulary": len(data.reader.words), "embedding_dim": size, "filters": 150 // len(widths)}
    model = nn.models.text_cnn(data.features.shape[1:], 2, widths=widths, **sizes, seed=seed)
    rate = nn.OneCycleSchedule(2e-3, epochs * -(-len(data) // 50))
    trainer = nn.Trainer(model, loss=nn.CrossEntropy(), optimizer=nn.Adam(lr=rate), seed=seed)
    trainer.fit(data, epochs=epochs, batch_size=50, progress=False)
    return trainer


def shuffle(data, rng):
    """Return the data set with the words of each sentence in a random order."""
    tokens = data.features.copy()
    for row in tokens:
        row[: np.count_nonzero(row)] = rng.permutation(row[row > 0])
    return data.replace(images=tokens)


# %%
# A filter's largest output times its weight in the last layer is what it adds to the verdict, and where that output is
# the largest is the phrase it has found.


def telling_phrases(model, data, count):
    """Return what the phrases that say most weigh, and the phrases; a weight for blame is negative."""
    embedding, permute, phrases, _, dense = model.layers
    convolution, relu, _ = phrases.branches[0].layers
    verdict = np.array([-1, 1]) @ dense.weight.value[:, : convolution.out_channels]  # (F,), praise less blame
    y = relu(convolution(permute(embedding(data.features))))  # (N, F, L - 2)
    weights, places = y.max(axis=2) * verdict, y.argmax(axis=2)  # (N, F)
    found = {}
    for n, f in enumerate(np.abs(weights).argmax(axis=1)):
        phrase = data.reader.write(data.features[n, places[n, f] : places[n, f] + 3])
        found[phrase] = max(found.get(phrase, 0), weights[n, f], key=abs)
    ordered = sorted((float(weight), phrase) for phrase, weight in found.items())
    return ordered[:count] + ordered[-count:]


def draw(phrases, path):
    """Draw how much each phrase says."""
    figure, axes = plt.subplots(figsize=(7, 0.32 * len(phrases) + 1), dpi=110, layout="constrained")
    weights, words = zip(*phrases, strict=True)
    axes.barh(words, weights, color=[BLUE if weight > 0 else VERMILION for weight in weights])
    axes.set(title="phrases that decide", xlabel="for blame (left), for praise (right)")
    axes.grid(axis="x", alpha=0.3)
    figure.savefig(path)


def main(quick, out):
    if quick:
        (data, test), epochs, size, seeds = made_up(), 8, 20, range(3)
    else:
        (data, test), epochs, size, seeds = nn.data.load_sentence_polarity(), 4, 100, range(1)
    print(f"{data.name}: {len(data):,} sentences, {epochs} epochs, {len(seeds)} seeds; right of {len(test):,} in %\n")
    parts = {"as written": test, "words shuffled": shuffle(test, np.random.default_rng(0))}
    print(f"{'':22}   " + "   ".join(f"{part:>14}" for part in parts))
    for name, widths in {"one word": (1,), "3 to 5 words": (3, 4, 5)}.items():
        trainers = [train(data, widths, size, epochs, seed) for seed in seeds]
        found = [[100 * trainer.evaluate(part)["accuracy"] for trainer in trainers] for part in parts.values()]
        written, mixed = (f"{np.mean(values):.2f} +- {np.std(values):.2f}" for values in found)
        print(f"{name + ' at a time':22}   {written:>14}   {mixed:>14}")

    phrases = telling_phrases(trainers[0].model, test, 8)
    lines = (f"  {weight:+.2f}  {phrase}" for weight, phrase in reversed(phrases))
    print("\nphrases of new sentences that say most", *lines, sep="\n")
    out.mkdir(parents=True, exist_ok=True)
    draw(phrases, out / "sentences.png")
    print(f"\nfigure: {out / 'sentences.png'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/examples"), help="folder for the figure (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="1,024 sentences made up, a few seconds")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.out)
