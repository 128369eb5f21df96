"""Sentences, and the phrases that decide
======================================

A convolution over the words of a sentence looks for phrases. You learn how a network tells praise from blame, which
phrases decide, and what it makes of their order: it is compared with one that looks at one word at a time, and so
knows what is said but not in which order. First on made-up sentences, whose order is all that counts, then on film
reviews. Takes 5 minutes to read and about three minutes to run (``--quick``: a few seconds, without the reviews).

Measured on 256 made-up sentences, means of three seeds with their deviations: one word at a time 50.0 +- 0.0 % are
judged rightly, which is chance, in phrases 100.0 +- 0.0 %, and in phrases once their words are shuffled 47.8 +- 2.2 %.
On 1,066 film reviews, where single words say nearly all that a small network learns, it is 76.0 +- 0.4 %, 75.0 +- 0.3 %
and 75.5 +- 0.4 %.
"""

import argparse
import itertools
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import numpycnn as nn
from numpycnn.data import Dataset, SentenceReader, tokenize

# %%
# Of the words of "the film is not dull but clever" there are four sentences, two of praise and two of blame, and only
# their order tells them apart. All four are on one side of the split: those to test with are of words that were not
# seen together, and a model that uses the words alone gets exactly half of them right.

GOOD = ("clever", "warm", "funny", "moving", "fresh", "bright", "rich", "wise")
BAD = ("dull", "cold", "loud", "long", "stale", "flat", "vain", "slow")


def made_up():
    """Return all sentences with a good and a bad word of which one is denied; a fifth of them to test with."""
    sentences, triples = [], list(itertools.product(("film", "story", "cast", "music", "ending"), GOOD, BAD))
    for subject, good, bad in np.random.default_rng(0).permutation(triples):
        for denied, meant in ((good, bad), (bad, good)):
            sentences += [f"the {subject} is not {denied} but {meant}", f"the {subject} is {meant} but not {denied}"]
    words = sorted({word for sentence in sentences for word in tokenize(sentence)})
    reader = SentenceReader(("<padding>", "<unknown>", *words), length=10)
    tokens = np.stack([reader.read(sentence) for sentence in sentences])  # (1280, 10)
    data = Dataset(tokens, np.tile([0, 0, 1, 1], len(triples)), ("blame", "praise"), name="made up", reader=reader)
    return data[:1024], data[1024:]


def train(data, widths, size, epochs, seed):
    """Train a network with filters of a width in words, 150 filters in all."""
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


def draw(axes, name, phrases):
    """Draw how much each phrase says."""
    weights, words = zip(*phrases, strict=True)
    axes.barh(words, weights, color=["#0072B2" if weight > 0 else "#D55E00" for weight in weights])
    axes.set(title=f"{name}: phrases of three words", xlabel="score of praise minus score of blame")
    axes.grid(axis="x", alpha=0.3)


def main(quick, out):
    studies = [(made_up(), 8, 20)]
    if not quick:
        studies.append((nn.data.load_sentence_polarity(), 4, 100))
    figure, panels = plt.subplots(1, len(studies), figsize=(6 * len(studies), 6), layout="constrained", squeeze=False)
    for axes, ((data, test), epochs, size) in zip(panels[0], studies, strict=True):
        print(f"{data.name}: {len(data):,} sentences, {epochs} epochs, 3 seeds; right of {len(test):,} in %\n")
        parts = {"as written": test, "words shuffled": shuffle(test, np.random.default_rng(0))}
        print(f"{'':22}   parameters   " + "   ".join(f"{part:>14}" for part in parts))
        for name, widths in {"one word": (1,), "3 to 5 words": (3, 4, 5)}.items():
            trainers = [train(data, widths, size, epochs, seed) for seed in range(3)]
            found = [[100 * trainer.evaluate(part)["accuracy"] for trainer in trainers] for part in parts.values()]
            written, mixed = (f"{np.mean(values):.2f} +- {np.std(values):.2f}" for values in found)
            parameters = f"{trainers[0].model.summary().parameters:,}"
            print(f"{name + ' at a time':22}   {parameters:>10}   {written:>14}   {mixed:>14}")

        phrases = telling_phrases(trainers[0].model, test, 8)
        lines = (f"  {weight:+.2f}  {phrase}" for weight, phrase in reversed(phrases))
        print("\nphrases of new sentences that say most", *lines, "", sep="\n")
        draw(axes, data.name, phrases)

    out.mkdir(parents=True, exist_ok=True)
    figure.savefig(out / "sentences.png", dpi=110)
    print(f"figure: {out / 'sentences.png'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/examples"), help="folder for the figure (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="made-up sentences alone, a few seconds")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.out)
