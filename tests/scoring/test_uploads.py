from __future__ import annotations

import io
import struct
import tracemalloc

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import UploadError, UploadFault, UserError
from scoring.features import FeatureEncoder
from scoring.uploads import LARGEST, read_windows
from tests.scoring.synth import Piece, play

RATE = 44100


def tune(seconds=6.0, channels=2, rate=RATE):
    clip = play(Piece(), seconds=min(seconds, 6.0), rate=rate)
    repeats = -(-int(seconds * rate) // len(clip))
    long = np.tile(clip, (repeats, 1))[: int(seconds * rate)]
    return np.repeat(long[:, :1], channels, axis=1) if channels != 2 else long


def written(samples, *, form="WAV", subtype=None, rate=RATE):
    out = io.BytesIO()
    channels = samples.shape[1]
    with soundfile.SoundFile(out, "w", rate, channels, subtype, format=form) as file:
        for start in range(0, len(samples), 65536):
            file.write(samples[start : start + 65536])
    return out.getvalue()


def fault(source, **limits):
    with pytest.raises(UploadError) as caught:
        list(read_windows(source, **limits))
    return caught.value


def header_of_hours(hours):
    """The header of a WAV file, 48 kHz stereo, whose sound is to follow."""
    size = int(hours * 3600 * 48000 * 4)
    form = struct.pack("<IHHIIHH", 16, 1, 2, 48000, 192000, 4, 16)
    return b"RIFF" + struct.pack("<I", size + 36) + b"WAVEfmt " + form + b"data" + struct.pack(
        "<I", size
    ), size


@pytest.mark.parametrize(
    ("form", "subtype", "rate"),
    [
        ("WAV", "PCM_16", 44100),
        ("WAV", "FLOAT", 96000),
        ("FLAC", None, 44100),
        ("MP3", None, 44100),
        ("OGG", "VORBIS", 44100),
        ("OGG", "OPUS", 48000),
        ("AIFF", None, 22050),
    ],
)
def test_what_people_send_is_heard(form, subtype, rate):
    (window,) = read_windows(written(tune(rate=rate), form=form, subtype=subtype, rate=rate))
    assert window.sample_rate == rate
    assert window.samples.dtype == np.float32
    assert len(window.samples) == pytest.approx(6 * rate, rel=0.02)
    assert np.abs(window.samples).max() > 0.3
    assert FeatureEncoder().encode(window.samples, rate).shape[0] == 1


@pytest.mark.parametrize("channels", [1, 2, 4, 8])
def test_more_channels_than_two_become_one(channels):
    (window,) = read_windows(written(tune(channels=channels)))
    assert window.samples.shape[1] == (channels if channels <= 2 else 1)


@pytest.mark.parametrize("form", ["WAV", "FLAC", "MP3"])
def test_a_long_file_is_heard_in_windows_from_its_beginning_to_its_end(form):
    rate = 8000
    whole = tune(150.0, rate=rate)[:, :1]
    windows = list(read_windows(written(whole, form=form, rate=rate), most=3))
    assert [round(window.start) for window in windows] == [0, 60, 120]
    assert all(len(window.samples) == 30 * rate for window in windows)
    for window in windows:
        start = round(window.start * rate)
        assert np.corrcoef(window.samples[:, 0], whole[start : start + 30 * rate, 0])[0, 1] > 0.97


def test_three_hours_are_refused_at_once_and_heard_in_little_memory_where_allowed(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("scoring.uploads.LARGEST", 4 * 2**30)
    head, size = header_of_hours(3)
    track = tmp_path / "long.wav"
    sound = (tune(2.0, rate=48000) * 32767).astype("<i2").tobytes()
    with track.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + size)
        file.seek(len(head) + size // 2 // 4 * 4)
        file.write(sound * 20)
    assert fault(track).fault is UploadFault.TOO_LONG
    assert "180 minutes" in str(fault(track))
    tracemalloc.start()
    (window,) = read_windows(track, longest=4 * 3600.0, most=7)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert window.start == pytest.approx(1.5 * 3600, abs=31)
    assert peak < 80 * 2**20


def test_a_file_that_is_named_like_raw_samples_is_read_by_its_content(tmp_path):
    for name in ("track.raw", "track.mp3", "track"):
        track = tmp_path / name
        track.write_bytes(written(tune()))
        assert len(list(read_windows(track))) == 1


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "no sound file"),
        (b"hello, this is my band " * 900, "no sound file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(900), "picture"),
        (b"\0\0\0\x20ftypM4A " + bytes(900), "M4A"),
        (b"\x1aE\xdf\xa3" + bytes(900), "WebM"),
        (b"MThd\0\0\0\x06\0\1\0\1\0\x60MTrk", "MIDI"),
        (b"PK\x03\x04" + bytes(900), "archive"),
    ],
)
def test_what_is_no_sound_is_named(content, word):
    error = fault(content)
    assert error.fault is UploadFault.WRONG_TYPE
    assert word in str(error)
    assert "MP3, WAV" in str(error)


@pytest.mark.parametrize(
    "content",
    [
        b"RIFF" + bytes(1000),
        written(np.full((4000, 1), 0.1, np.float32))[:20],
        b"fLaC" + bytes(range(256)) * 12,
        b"OggS" + bytes(range(256)) * 12,
        b"ID3\3\0\0\0\0\0\0" + bytes(range(256)) * 12,
    ],
)
def test_a_file_of_which_only_the_head_is_right_is_damaged(content):
    assert fault(content).fault is UploadFault.CORRUPT


@pytest.mark.parametrize("form", ["WAV", "FLAC", "MP3", "OGG"])
def test_of_half_a_file_the_half_is_heard(form):
    data = written(tune(6.0), form=form)
    seconds = sum(len(one.samples) for one in read_windows(data[: len(data) // 2])) / RATE
    assert 1.5 < seconds <= 6.0


def test_a_file_that_cannot_be_searched_in_is_heard_from_its_beginning():
    whole = written(tune(60.0), form="FLAC")
    torn = whole[: len(whole) // 8]
    windows = list(read_windows(torn))
    assert windows
    assert windows[0].start == 0.0


def test_a_file_that_does_not_say_how_long_it_is_is_heard():
    data = bytearray(written(tune(50.0), form="FLAC"))
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    windows = list(read_windows(bytes(data), most=3))
    heard = [len(window.samples) / RATE for window in windows]
    assert heard == pytest.approx([30.0, 20.0], abs=0.3)


def test_short_silent_and_big_files_are_named():
    short = fault(written(tune(0.4)))
    assert short.fault is UploadFault.TOO_SHORT
    assert "0.40 s" in str(short)
    assert fault(written(np.zeros((3 * RATE, 2), np.float32))).fault is UploadFault.SILENT
    assert fault(written(tune() * 1e-4, subtype="FLOAT")).fault is UploadFault.SILENT
    assert fault(bytes(LARGEST + 1)).fault is UploadFault.TOO_BIG


def test_a_silent_beginning_is_left_out():
    data = written(np.concatenate([np.zeros((40 * RATE, 2), np.float32), tune(40.0)]))
    starts = [window.start for window in read_windows(data, most=3)]
    assert starts
    assert min(starts) > 20


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_samples_that_are_no_sound_are_damage(value):
    samples = tune()
    samples[2000] = value
    assert fault(written(samples, subtype="FLOAT")).fault is UploadFault.CORRUPT


@pytest.mark.parametrize(("place", "value"), [(24, 3), (24, 2**31 - 1), (22, 200)])
def test_an_absurd_header_is_refused_in_words(place, value):
    data = bytearray(written(tune()))
    width = 4 if place == 24 else 2
    data[place : place + width] = value.to_bytes(width, "little")
    error = fault(bytes(data))
    assert error.fault is UploadFault.WRONG_TYPE
    assert "Hz" in str(error)


def test_a_file_that_is_gone_is_named(tmp_path):
    assert "gone.mp3" in str(fault(tmp_path / "gone.mp3"))
    assert isinstance(fault(tmp_path), UserError)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), form=st.sampled_from(["WAV", "FLAC", "MP3", "OGG"]))
def test_damage_anywhere_ends_in_sound_or_in_a_sentence(data, form):
    content = bytearray(written(tune(2.0, rate=22050), form=form, rate=22050))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        junk = data.draw(st.binary(min_size=1, max_size=64))
        content[place : place + len(junk)] = junk
    try:
        for window in read_windows(bytes(content)):
            assert np.isfinite(window.samples).all()
    except UploadError as error:
        assert str(error).endswith(".")
