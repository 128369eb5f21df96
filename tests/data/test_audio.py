"""WAV files of every kind, and spectrograms against the formula with a plain Fourier transform."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn.data.audio import MAX_BYTES, SpectrogramReader, decode_wav, mel_filters
from numpycnn.errors import DataFormatError
from tests.data.small import tone, wav_bytes
from tests.mutations import bounded_memory, mutate_bytes

RAMP = np.linspace(-0.9, 0.9, 50)


class TestDecode:
    @pytest.mark.parametrize(
        ("samples", "step"),
        [
            (np.uint8(np.rint(128 + 128 * RAMP)), 1 / 128),
            (np.int16(np.rint(32768 * RAMP)), 1 / 32768),
            (np.int32(np.rint(2**31 * RAMP)), 2**-31),
            (RAMP.astype(np.float32), 1e-7),
            (RAMP, 1e-16),
        ],
        ids=["8 bits", "16 bits", "32 bits", "float32", "float64"],
    )
    def test_every_kind_of_sample(self, samples: np.ndarray, step: float) -> None:
        rate, wave = decode_wav(wav_bytes(samples, 11025), "a.wav")
        assert rate == 11025
        assert wave.dtype == np.float64
        np.testing.assert_allclose(wave, RAMP, atol=step)

    def test_24_bits(self) -> None:
        values = np.array([1 << 22, -(1 << 23), 100])
        body = b"".join(int(value).to_bytes(3, "little", signed=True) for value in values)
        header = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 24000, 3, 24) + b"data" + struct.pack("<I", 9)
        content = b"RIFF" + struct.pack("<I", len(header) + 10) + header + body + b"\0"
        assert decode_wav(content, "a.wav")[1].tolist() == [0.5, -1, 100 / 2**23]

    def test_an_unknown_chunk_is_skipped(self) -> None:
        content = wav_bytes(tone(440))
        extra = b"tool" + struct.pack("<I", 4) + b"info"
        content = content[:4] + struct.pack("<I", len(content) - 8 + len(extra)) + content[8:12] + extra + content[12:]
        assert len(decode_wav(content, "a.wav")[1]) == 4000

    @pytest.mark.parametrize(
        ("whole", "length"),
        [(2**32 - 1, 2**32 - 1), (None, 2**32 - 1), (0x7FFFFFFF + 36, 0x7FFFFFFF), (0x7FFFF024, 0x7FFFF000), (0, 0)],
    )
    @pytest.mark.parametrize("cut", [0, 1])
    @pytest.mark.parametrize("extra", [b"", b"LIST" + struct.pack("<I", 3) + b"abc\0"])
    def test_a_length_that_was_unknown_to_the_writer(
        self, whole: int | None, length: int, cut: int, extra: bytes
    ) -> None:
        """As programs write that record into a pipe; a sample may be incomplete at the end."""
        content = wav_bytes(tone(440))
        place = content.index(b"data")
        riff = content[4:8] if whole is None else struct.pack("<I", whole)
        content = b"RIFF" + riff + content[8:place] + extra + b"data" + struct.pack("<I", length) + content[place + 8 :]
        _, wave = decode_wav(content[: len(content) - cut], "a.wav")
        assert np.array_equal(wave, tone(440)[: 4000 - cut] / 32768)

    @pytest.mark.parametrize("form", ["RIFF", "RIFX"])
    @pytest.mark.parametrize("whole", [None, 0, 2**32 - 1])
    @pytest.mark.parametrize("length", [None, 2**32 - 1])
    @pytest.mark.parametrize("after", [b"", b"LIST", b"id3 "])
    def test_lengths_and_chunks_after_the_samples(
        self, form: str, whole: int | None, length: int | None, after: bytes
    ) -> None:
        """A length of None is the right one. The chunk after the samples is loud, and has an odd length."""
        order = "<" if form == "RIFF" else ">"
        samples = tone(440).astype(f"{order}i2").tobytes()
        head = b"WAVEfmt " + struct.pack(f"{order}IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16) + b"data"
        rest = after and after + struct.pack(f"{order}I", 401) + b"\x7f" * 401 + b"\0"
        body = head + struct.pack(f"{order}I", len(samples) if length is None else length) + samples + rest
        content = form.encode() + struct.pack(f"{order}I", len(body) if whole is None else whole) + body
        rate, wave = decode_wav(content, "a.wav")
        assert rate == 8000
        assert np.array_equal(wave, tone(440) / 32768)

    def test_samples_that_look_like_a_chunk(self) -> None:
        content = bytearray(wav_bytes(tone(440)))
        content[40:44] = b"\xff" * 4
        content[200:208] = b"LIST\x10\0\0\0"
        assert len(decode_wav(bytes(content), "a.wav")[1]) == 4000

    @pytest.mark.parametrize("between", [b"", b"LIST" + struct.pack("<I", 3) + b"abc\0"])
    def test_two_chunks_of_samples_are_refused(self, between: bytes) -> None:
        content = wav_bytes(tone(440)) + between + b"data" + struct.pack("<I", 8) + bytes(8)
        with pytest.raises(
            DataFormatError, match=r"^a\.wav: expected one chunk of samples in a WAV file, found several"
        ):
            decode_wav(content, "a.wav")

    @pytest.mark.parametrize(
        ("content", "text"),
        [
            (b"", r"a\.wav: expected a WAV file, found another kind or a damaged one"),
            (b"hello", "expected a WAV file, found another kind"),
            (b"\xff\xfb" + bytes(500), "expected a WAV file, found another kind"),
            (wav_bytes(tone(440))[:30], "expected a WAV file, found another kind or a damaged one"),
            (wav_bytes(tone(440))[:36], r"expected a WAV file, found .* \(Unexpected end of file"),
            (wav_bytes(tone(440))[:2000], "expected a whole WAV file, found a truncated one"),
            (wav_bytes(tone(440)[:0]), "expected a recording, found an empty one"),
            (wav_bytes(np.zeros(500, np.int16)), "expected sound, found silence"),
            (wav_bytes(np.full(500, 128, np.uint8)), "expected sound, found silence"),
            (wav_bytes(np.stack([tone(440)] * 2, axis=1)), "expected one channel, found 2; mix the recording down"),
            (wav_bytes(np.array([0.5, np.nan])), "expected finite samples"),
            (wav_bytes(tone(440), 1), "expected 4,000 to 192,000 samples a second, found 1"),
            (wav_bytes(np.ones(4000 * 61, np.uint8), 4000), "expected a recording of at most 60 s, found one of 61 s"),
        ],
    )
    def test_invalid_recordings_are_refused(self, content: bytes, text: str) -> None:
        with pytest.raises(DataFormatError, match=text):
            decode_wav(content, "a.wav")

    @pytest.mark.parametrize("kind", [np.int16, np.uint8, np.float32])
    def test_mutated_files_give_a_wave_or_a_format_error(self, kind: type) -> None:
        rng = np.random.default_rng(0)
        content = wav_bytes(np.clip(tone(440, 0.02) / 100, 1, 120).astype(kind))
        refused = 0
        with bounded_memory(200):
            for _ in range(2000):
                try:
                    rate, wave = decode_wav(mutate_bytes(content, rng, 60), "a.wav")
                except DataFormatError as error:
                    refused += str(error).startswith("a.wav: ")
                else:
                    assert np.isfinite(wave).all()
                    assert len(wave) <= 60 * rate
        assert refused > 500


def mel(hertz: Any) -> Any:
    return 2595 * np.log10(1 + hertz / 700)


class TestFilters:
    def test_bands_are_evenly_spaced_on_the_mel_scale(self) -> None:
        filters = mel_filters(20, 4096, 8000)
        middles = mel(filters.argmax(axis=1) * 8000 / 4096)
        np.testing.assert_allclose(np.diff(middles), mel(4000) / 21, atol=4)

    def test_neighbors_share_each_frequency(self) -> None:
        filters = mel_filters(20, 4096, 8000)
        frequencies = np.arange(2049) * 8000 / 4096
        inner = (mel(frequencies) > mel(4000) / 21) & (mel(frequencies) < 20 * mel(4000) / 21)
        np.testing.assert_allclose(filters.sum(axis=0)[inner], 1)

    def test_no_band_of_the_default_is_empty(self) -> None:
        reader = SpectrogramReader()
        assert (mel_filters(reader.mels, reader.fft, reader.rate).max(axis=1) > 0.5).all()


def plain_spectrogram(wave: np.ndarray, reader: SpectrogramReader) -> np.ndarray:
    """The formula, one window at a time."""
    half = reader.window // 2
    padded = np.pad(wave.astype(float), (half, reader.window))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(reader.window) / reader.window)
    filters = mel_filters(reader.mels, reader.fft, reader.rate)
    columns = []
    for start in range(0, reader.samples, reader.hop):
        spectrum = np.fft.rfft(padded[start : start + reader.window] * window, reader.fft)
        columns.append(filters @ np.abs(spectrum) ** 2)
    power = np.stack(columns, axis=1)
    return np.maximum(1 + 10 * np.log10(power / power.max() + 1e-300) / reader.decibels, 0)


class TestSpectrogram:
    @pytest.mark.parametrize(
        "reader",
        [SpectrogramReader(), SpectrogramReader(samples=1001, window=100, hop=33, fft=128, mels=7, decibels=40.0)],
    )
    def test_the_formula(self, reader: SpectrogramReader) -> None:
        rng = np.random.default_rng(0)
        waves = rng.normal(size=(3, reader.samples)) * np.linspace(1e-4, 1, reader.samples)
        found = reader.spectrograms(waves)
        assert found.shape == (3, *reader.shape)
        assert found.dtype == np.float32
        for image, wave in zip(found, waves, strict=True):
            np.testing.assert_allclose(image[0], plain_spectrogram(wave, reader), atol=1e-5)

    def test_chunks_do_not_change_the_result(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reader = SpectrogramReader(samples=500, hop=100)
        waves = np.random.default_rng(0).normal(size=(7, 500))
        whole = reader.spectrograms(waves)
        monkeypatch.setattr("numpycnn.data.audio.CHUNK", 3)
        np.testing.assert_allclose(reader.spectrograms(waves), whole, atol=1e-6)
        assert reader.spectrograms(waves[:0]).shape == (0, 1, 40, 5)

    @pytest.mark.parametrize("hertz", [300, 1000, 3000])
    def test_a_tone_is_a_line_in_its_band(self, hertz: float) -> None:
        reader = SpectrogramReader()
        image = reader.spectrograms(reader.stretch(8000, tone(hertz, 1.0))[np.newaxis])[0, 0]
        assert abs(image[:, 20].argmax() + 1 - 41 * mel(hertz) / mel(4000)) < 1
        assert image.max() == pytest.approx(1, abs=1e-6)

    def test_loudness_makes_no_difference(self) -> None:
        reader = SpectrogramReader()
        wave = np.random.default_rng(0).normal(size=6000)
        quiet, loud = (reader.spectrograms(reader.stretch(8000, wave * f)[np.newaxis]) for f in (1e-3, 1e3))
        np.testing.assert_allclose(quiet, loud, atol=1e-5)


class TestStretch:
    READER = SpectrogramReader(samples=100, hop=10)

    @pytest.mark.parametrize("rate", [8000, 16000, 44100])
    @pytest.mark.parametrize(
        "loudness", [np.float64(1e-300), np.float64(1.7e308), np.float32(1e-30), np.float32(3.4e38)]
    )
    def test_the_quietest_and_the_loudest_recording(self, rate: int, loudness: np.floating) -> None:
        signs = np.sign(np.sin(0.3 * np.arange(rate // 2))).astype(loudness.dtype)
        reader = SpectrogramReader()
        loud, other = (
            reader.spectrograms(reader.stretch(*decode_wav(wav_bytes(wave, rate), "a.wav"))[np.newaxis])
            for wave in (signs, loudness * signs)
        )
        np.testing.assert_allclose(other, loud, atol=1e-4)

    @pytest.mark.parametrize("rate", [8000, 16000, 44100])
    def test_the_smallest_number_is_a_sound(self, rate: int) -> None:
        reader = SpectrogramReader()
        signs = np.sign(np.sin(0.3 * np.arange(rate // 2)))
        _, wave = decode_wav(wav_bytes(5e-324 * signs, rate), "a.wav")
        assert np.array_equal(reader.stretch(rate, wave), reader.stretch(rate, signs))

    def test_a_short_recording_is_centered(self) -> None:
        found = self.READER.stretch(8000, np.full(41, 0.5))
        assert found.dtype == np.float32
        assert np.flatnonzero(found).tolist() == list(range(29, 70))
        assert found.max() == 1

    def test_the_loudest_part_of_a_long_recording_is_used(self) -> None:
        wave = np.full(1000, 0.01)
        wave[640:700] = 0.5
        found = self.READER.stretch(8000, wave)
        assert (found > 0.9).sum() == 60
        assert len(found) == 100

    @pytest.mark.parametrize("rate", [4000, 11025, 16000, 22050, 44100, 44101, 48000, 191999])
    def test_other_rates_are_resampled(self, rate: int) -> None:
        reader = SpectrogramReader()
        waves = [reader.stretch(r, tone(1000, 0.8, r) + 0.1 * tone(300, 0.8, r)) for r in (rate, 8000)]
        found, expected = reader.spectrograms(np.stack(waves))[
            :, 0, :, 15:45
        ]  # without the edges, which contain clicks
        loud = expected > 0.5
        np.testing.assert_allclose(found[loud], expected[loud], atol=0.01)


class TestReader:
    def test_reads_a_file_as_the_data_set_was_made(self, tmp_path: Path) -> None:
        (tmp_path / "a.wav").write_bytes(wav_bytes(tone(440, 0.3)))
        reader = SpectrogramReader()
        found = reader.read(str(tmp_path / "a.wav"))
        assert found.shape == reader.shape == (1, 40, 64)
        wave = reader.stretch(*decode_wav(wav_bytes(tone(440, 0.3)), ""))
        assert np.array_equal(found, reader.spectrograms(wave[np.newaxis])[0])

    def test_missing_file_and_folder(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"none\.wav: expected a WAV file, found no such file"):
            SpectrogramReader().read(tmp_path / "none.wav")
        with pytest.raises(IsADirectoryError, match="expected a WAV file, found a folder"):
            SpectrogramReader().read(tmp_path)

    def test_a_huge_file_is_not_read(self, tmp_path: Path) -> None:
        with (tmp_path / "a.wav").open("wb") as file:
            file.truncate(MAX_BYTES + 1)
        with pytest.raises(DataFormatError, match=r"expected at most 50,000,000 bytes, found 50,000,001"):
            SpectrogramReader().read(tmp_path / "a.wav")

    def test_settings_survive_json(self) -> None:
        reader = SpectrogramReader(mels=20, decibels=60.0)
        settings = json.loads(json.dumps(reader.to_json()))
        assert settings.pop("kind") == "spectrogram"
        assert SpectrogramReader(**settings) == reader

    @pytest.mark.parametrize(
        ("settings", "text"),
        [
            ({"mels": 0}, "expected mels from 1 to 512, got 0"),
            ({"mels": 4.0}, r"expected mels from 1 to 512, got 4\.0"),
            ({"rate": True}, "expected rate from 4000 to 192000, got True"),
            ({"decibels": float("nan")}, r"expected decibels from 1\.0 to 300\.0, got nan"),
            ({"fft": 1 << 40}, "expected fft from 2 to 16384"),
            ({"window": 1024}, "expected window <= fft"),
            ({"samples": 100}, "and hop <= samples"),
        ],
    )
    def test_invalid_settings(self, settings: dict, text: str) -> None:
        with pytest.raises(ValueError, match=text):
            SpectrogramReader(**settings)
