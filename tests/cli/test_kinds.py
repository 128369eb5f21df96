"""Train, evaluate and predict, for each kind of data: pictures in folders, recordings, sentences."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import numpycnn
from numpycnn import Dense, Embedding, Flatten, Sequential
from numpycnn.data import SentenceReader
from numpycnn.models import MODELS
from numpycnn.recipes import training
from tests.data.small import pack, picture_bytes, tone, wav_bytes

Run = Callable[..., Any]


def bag(input_shape: tuple[int, ...], classes: int, *, vocabulary: int, seed: int = 0) -> Sequential:
    """A network of sentences: a vector for each word, and a dense layer on all of them."""
    return Sequential([Embedding(vocabulary, 4), Flatten(), Dense(classes)], input_shape=input_shape, seed=seed)


@pytest.fixture(params=["pictures", "recordings", "sentences"])
def kind(request: pytest.FixtureRequest, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """One of the kinds, made up and easy to learn, at the paths in `KINDS`."""
    rng = np.random.default_rng(0)
    if request.param == "pictures":
        files = {
            f"{name}/{i}.png": picture_bytes(rng.integers(90 * c, 90 * c + 70, (9 + i, 12, 3)).astype(np.uint8))
            for c, name in enumerate(("cat", "dog", "fox"))
            for i in range(15)
        }
        pack(tmp_path / "pets", "folder", files)
        (tmp_path / "one").write_bytes(files["dog/3.png"])
    elif request.param == "recordings":
        files = {
            f"recordings/{digit}_{speaker}_{i}.wav": wav_bytes(tone(300 + 350 * digit, 0.3 + 0.02 * i))
            for digit in range(10)
            for speaker in ("anna", "bert")
            for i in range(9)
        }
        pack(tmp_path / "fsdd.zip", "zip", files)
        (tmp_path / "one").write_bytes(files["recordings/1_anna_2.wav"])
    else:
        words = {"neg": ("dull", "bad", "poor"), "pos": ("bright", "good", "rich")}
        for name, own in words.items():
            lines = [f"a {own[i % 3]} film of some {own[(i + 1) % 3]} kind" for i in range(40)]
            (tmp_path / f"rt-polarity.{name}").write_text("\n".join(lines))
        monkeypatch.setitem(MODELS, "bag", bag)
    return str(request.param)


# Data set, options, an input from the training set, and its class.
KINDS: dict[str, tuple[str, list[str], str, str]] = {
    "pictures": ("pets", ["--model", "mlp", "--size", "8,6"], "one", "dog"),
    "recordings": ("spoken_digits", ["--model", "mlp", "--data", "."], "one", "1"),
    "sentences": (
        "sentence_polarity",
        ["--model", "bag", "--data", ".", "--batch-size", "6"],
        "a good film of some good kind",
        "positive",
    ),
}


def test_each_kind_is_trained_evaluated_and_predicted(run: Run, kind: str) -> None:
    dataset, options, example, expected = KINDS[kind]
    data = [option for option in options if option in ("--data", ".")]
    outcome = run("train", dataset, *options, "--epochs", "10", "--lr", "0.02")
    assert outcome.status == 0, outcome.err
    folder = Path("runs") / dataset
    nouns = {"pictures": "images"}.get(kind, kind)
    assert f" {nouns} to train with, " in outcome.out
    assert " are the test set" in outcome.out
    result = json.loads((folder / "result.json").read_text())
    assert result["test_accuracy"] > 0.9
    assert result["data_note"]
    mistakes = "misclassified.txt" if kind == "sentences" else "misclassified.png"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["model.safetensors", "history.csv", "learning_curves.png", "confusion_matrix.png", mistakes, "result.json"]
    )
    assert f"{mistakes}, result.json" in outcome.out

    outcome = run("evaluate", folder, dataset, *data)
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.splitlines()[-1] == f"test accuracy {100 * result['test_accuracy']:.2f} %"
    assert f"class     {nouns}" in outcome.out or f"class  {nouns}" in outcome.out

    outcome = run("predict", "--model", folder, example)
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.splitlines()[:3:2] == [
        f"model     {folder}, trained on {dataset}",
        f"{example}: {expected} ({outcome.out.split('(')[1].split(')')[0]})",
    ]
    answer = json.loads(run("predict", "--json", "--model", folder, example).out)
    assert answer[kind][0][kind[:-1]] == example
    assert answer[kind][0]["class"] == expected


def test_the_model_file_holds_everything_for_a_prediction(run: Run, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the file: no data set, and no vocabulary file."""
    dataset, options, example, expected = KINDS[kind]
    assert run("train", dataset, *options, "--epochs", "10", "--lr", "0.02", "--out", "out").status == 0
    alone = Path("alone.safetensors")
    (Path("out") / "model.safetensors").rename(alone)
    for path in [*Path("pets").rglob("*.png"), *Path().glob("rt-polarity*"), *Path().glob("fsdd.zip")]:
        path.unlink()
    monkeypatch.delenv("NUMPYCNN_DATA")
    assert f"{example}: {expected} (" in run("predict", "--model", alone, example).out
    reader = numpycnn.load_model(alone).metadata["reader"]
    assert reader["kind"] == {"pictures": "picture", "recordings": "spectrogram", "sentences": "sentence"}[kind]


def test_an_interrupted_training_of_each_kind_is_resumed(run: Run, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, options, _, _ = KINDS[kind]

    def press(*arguments: object, **settings: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training, "write_results", press)
        assert run("train", dataset, *options, "--epochs", "1").status == 130
    data = [option for option in options if option in ("--data", ".")]
    outcome = run("train", dataset, *data, "--resume")
    assert outcome.status == 0, outcome.err
    assert f"output    runs/{dataset}\n" in outcome.out


@pytest.mark.parametrize("kind", ["pictures"], indirect=True)
@pytest.mark.usefixtures("kind")
class TestPictures:
    def test_a_path_anywhere(self, run: Run, tmp_path: Path) -> None:
        outcome = run("train", f"{tmp_path}/pets/", "--model", "mlp", "--epochs", "1", "--size", "8,6")
        assert outcome.status == 0
        assert "output    runs/pets\n" in outcome.out
        assert run("evaluate", "runs/pets", "./pets").status == 0  # in the size that the model was trained with

    def test_resume_with_other_pictures_is_refused(
        self, run: Run, refused: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def press(*arguments: object, **settings: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(training, "write_results", press)
            assert run("train", "pets", "--model", "mlp", "--epochs", "1").status == 130
        first = min(Path("pets").rglob("*.png"))
        content = first.read_bytes()
        first.write_bytes(picture_bytes(np.full((6, 9, 3), 99, np.uint8)))  # as many pictures, of the same names
        text = "than the one found in pets: files were changed since; restore them, or train anew with --force"
        refused(run("train", "pets", "--resume"), text)
        first.write_bytes(content)
        assert run("train", "pets", "--resume").status == 0

    def test_resume_keeps_its_size(self, run: Run, refused: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        def press(*arguments: object, **settings: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(training, "write_results", press)
            assert run("train", "pets", "--model", "mlp", "--epochs", "1", "--size", "8,6").status == 130
        text = "--size 9,9: the training to be resumed has --size 8,6; leave the option out, or train anew"
        refused(run("train", "pets", "--resume", "--size", "9,9"), text)
        refused(
            run("predict", "one"),
            "is unfinished; finish it with: numpycnn train pets --out runs/pets --resume; or use the model",
        )

    def test_a_broken_picture_is_named_or_left_out(self, run: Run, refused: Run) -> None:
        Path("pets/cat/bad.png").write_bytes(b"no picture")
        options = ["--model", "mlp", "--epochs", "1", "--size", "8,6"]
        refused(run("train", "pets", *options), "pets/cat/bad.png: expected a PNG or JPEG picture, found another kind")
        assert not Path("runs").exists()
        outcome = run("train", "pets", *options, "--skip-broken")
        assert outcome.status == 0
        assert outcome.err.startswith("note: pets: 1 of 46 pictures were skipped: pets/cat/bad.png: expected")

    def test_options_of_folders(self, run: Run, refused: Run) -> None:
        refused(run("train", "mnist", "--size", "9,9"), "--size 9,9 is for folders of pictures, not for mnist")
        refused(
            run("train", "pets", "--size", "9"), "argument --size: expected height and width such as 64,64, got '9'"
        )
        refused(run("train", "pets", "--data", "."), "--data . is for a named data set, and pets is a path already")

    def test_a_model_for_other_pictures(self, run: Run, refused: Run, trained: Path) -> None:
        refused(run("evaluate", trained, "pets"), "expected a model for inputs of shape (3, 64, 64), those of pets")


@pytest.mark.parametrize("kind", ["recordings"], indirect=True)
@pytest.mark.usefixtures("kind")
class TestRecordings:
    def test_a_network_for_sentences(self, run: Run, refused: Run) -> None:
        text = "text_cnn takes sentences and nothing else, and the examples of spoken_digits are recordings"
        refused(run("train", "spoken_digits", "--data", ".", "--model", "text_cnn"), text)

    def test_unreadable_recordings_do_not_stop_the_others(self, run: Run) -> None:
        assert run("train", "spoken_digits", "--data", ".", "--model", "mlp", "--epochs", "1").status == 0
        Path("stereo.wav").write_bytes(wav_bytes(np.stack([tone(440)] * 2, axis=1)))
        Path("empty.wav").write_bytes(wav_bytes(tone(440)[:0]))
        Path("text.wav").write_text("no sound")
        outcome = run("predict", "none.wav", "stereo.wav", "empty.wav", "text.wav", ".", "one")
        assert outcome.status == 2
        errors = outcome.err.splitlines()
        assert [line.split(": ")[2] for line in errors] == ["none.wav", "stereo.wav", "empty.wav", "text.wav", "."]
        assert "found no such file" in errors[0]
        assert "expected one channel, found 2" in errors[1]
        assert "found an empty one" in errors[2]
        assert "\none: " in outcome.out


@pytest.mark.parametrize("kind", ["sentences"], indirect=True)
@pytest.mark.usefixtures("kind")
class TestSentences:
    OPTIONS = ("--model", "bag", "--data", ".", "--epochs", "1")

    def test_invalid_sentences_do_not_stop_the_others(self, run: Run) -> None:
        assert run("train", "sentence_polarity", *self.OPTIONS).status == 0
        outcome = run("predict", "", " . . . ", "word " * 65, "a good film")
        assert outcome.status == 2
        assert [line.partition("found ")[2] for line in outcome.err.splitlines()] == [
            "no words in ''",
            "no words in ' . . . '",
            "65 in 'word word word word word word word word word word word wo...'; shorten it",
        ]
        assert "\na good film: " in outcome.out

    def test_a_file_in_place_of_a_sentence_is_refused(self, run: Run, refused: Run) -> None:
        assert run("train", "sentence_polarity", *self.OPTIONS).status == 0
        Path("photo.jpg").touch()
        outcome = run("predict", "photo.jpg", "good " + "a" * 300)
        assert outcome.status == 2
        assert outcome.err == (
            "numpycnn: error: photo.jpg: expected a sentence in quotation marks, got the name of a file\n"
        )

    def test_a_sentence_of_unknown_words_is_noted(self, run: Run) -> None:
        assert run("train", "sentence_polarity", *self.OPTIONS).status == 0
        outcome = run("predict", "un chien", "good")
        assert outcome.status == 0
        assert outcome.err == "note: un chien: none of the words of 'un chien' is in the vocabulary\n"
        page = run("explain", "runs/sentence_polarity", "un chien", "--out", "page.html")
        assert (page.status, page.err) == (0, "")
        assert "none of the words of" in Path("page.html").read_text(encoding="utf-8")

    def test_the_surest_mistakes_are_listed(self, run: Run) -> None:
        Path("rt-polarity.pos").write_text(Path("rt-polarity.neg").read_text())  # the classes are indistinguishable
        assert run("train", "sentence_polarity", *self.OPTIONS).status == 0
        lines = Path("runs/sentence_polarity/misclassified.txt").read_text().splitlines()
        assert lines[0].endswith(" of 8 misclassified")
        assert len(lines) == 2 + int(lines[0].split()[0])
        sure = [float(line.split(", ")[2].split(" %")[0]) for line in lines[2:]]
        assert sure == sorted(sure, reverse=True)
        assert all(line.split(": ")[-1].startswith("a ") for line in lines[2:])

    def test_a_model_with_another_vocabulary(self, run: Run, refused: Run) -> None:
        assert run("train", "sentence_polarity", *self.OPTIONS).status == 0
        path = Path("rt-polarity.pos")
        path.write_text(path.read_text().replace("bright", "brilliant"))
        refused(
            run("evaluate", "runs/sentence_polarity", "sentence_polarity", "--data", "."),
            "expected a model for sentences as sentence_polarity has them, got one whose sentences were made with "
            "other settings or another vocabulary",
        )

    def test_a_network_for_another_kind(self, run: Run, refused: Run) -> None:
        text = "lenet takes no sentences, and the examples of sentence_polarity are sentences"
        refused(run("train", "sentence_polarity", "--model", "lenet", "--data", "."), text)
        text = "bag takes sentences and nothing else, and the examples of mnist are images"
        refused(run("train", "mnist", "--model", "bag"), text)
        assert not Path("runs").exists()

    def test_the_vocabulary_is_in_the_model(self, run: Run) -> None:
        assert run("train", "sentence_polarity", *self.OPTIONS).status == 0
        reader = numpycnn.data.reader_from(
            numpycnn.load_model("runs/sentence_polarity/model.safetensors").metadata["reader"]
        )
        assert isinstance(reader, SentenceReader)
        assert {"film", "good", "bad"} <= set(reader.words)
