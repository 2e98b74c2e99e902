import io

import mido
import numpy as np
import pytest

from domain.errors import GenerationError
from generation.audio import Audio
from generation.encode import FORMATS, LABEL, decode, encode, media_type, read_tags, waveform
from generation.generator import Composition
from generation.midi import to_midi
from generation.untitled import untitled


@pytest.fixture(scope="module")
def short(clips):
    return Audio(
        samples=np.ascontiguousarray(clips["funk"].audio.samples[:66_150]), sample_rate=44_100
    )


@pytest.mark.parametrize("extension", list(FORMATS))
def test_files_come_back_as_they_went(short, extension):
    back = decode(encode(short, extension=extension))
    assert back.sample_rate == (48_000 if extension in {"ogg", "opus"} else 44_100)
    assert abs(back.seconds - short.seconds) < 0.002
    assert back.channels == 2
    if back.sample_rate == 44_100:
        error = back.samples[2000:60_000] - short.samples[2000:60_000]
        loud = np.sqrt(np.mean(short.samples**2))
        assert np.sqrt(np.mean(error**2)) < (0.15 if extension == "mp3" else 0.001) * loud


@pytest.mark.parametrize("extension", list(FORMATS))
def test_files_say_that_a_machine_made_them(short, extension):
    tags = read_tags(encode(short, extension=extension, title="Grüße 🎷", comment="seed 3"))
    assert tags["title"] == "Grüße 🎷"
    assert tags["comment"] == f"{LABEL}. seed 3"


@pytest.mark.parametrize("extension", list(FORMATS))
@pytest.mark.parametrize("title", ["slow jazz with piano, 92 bpm", "Grüße 🎷", "", "x" * 300])
def test_a_title_can_be_hidden(short, extension, title):
    named = encode(short, extension=extension, title=title)
    hidden = untitled(named)
    assert len(hidden) == len(named)
    assert title.encode() not in hidden or not title
    tags = read_tags(hidden)
    assert tags.get("title", "").strip() in {
        "Untitled clip",
        "Untitled clip"[: len(title.encode())].strip(),
    }
    assert tags["comment"] == LABEL
    assert np.array_equal(decode(hidden).samples, decode(named).samples)


def test_what_has_no_title_stays_as_it_is():
    for data in (b"this is text", b"", b"OggS" + bytes(40), b"RIFF" + bytes(20), b"ID3"):
        assert untitled(data) == data


def test_an_mp3_is_of_the_stated_quality(short):
    data = encode(short)
    assert 150 < len(data) * 8 / short.seconds / 1000 < 215
    assert media_type("mp3") == "audio/mpeg"


def test_a_hostile_title_harms_nothing(short):
    tags = read_tags(encode(short, title="a\x00b\n" + "x" * 5000))
    assert tags["title"].startswith("a b")
    assert len(tags["title"]) <= 500


def test_unknown_kinds_are_refused(short):
    with pytest.raises(GenerationError, match="mp3"):
        encode(short, extension="m4a")
    with pytest.raises(GenerationError, match="audio file"):
        decode(b"this is text")
    with pytest.raises(GenerationError, match="audio file"):
        read_tags(b"")


def test_waveform_is_drawable(short):
    peaks = waveform(short, 100)
    assert len(peaks) == 100
    assert max(peaks) == 1.0
    assert min(peaks) >= 0.0
    tiny = Audio(samples=np.zeros((3, 1), dtype=np.float32), sample_rate=44_100)
    assert waveform(tiny, 256) == (0.0, 0.0, 0.0)


def test_midi_holds_the_score(clips):
    clip = clips["latin"]
    file = mido.MidiFile(file=io.BytesIO(to_midi(clip)))
    assert file.type == 1
    names = [track.name for track in file.tracks]
    assert len(names) == len(clip.notes.parts) + 1
    tempo = next(m for m in file.tracks[0] if m.type == "set_tempo")
    assert abs(mido.tempo2bpm(tempo.tempo) - clip.notes.quarter_bpm) < 0.05
    metre = next(m for m in file.tracks[0] if m.type == "time_signature")
    assert (metre.numerator, metre.denominator) == clip.notes.metre
    channels = set()
    for track, part in zip(file.tracks[1:], clip.notes.parts, strict=True):
        programs = [m for m in track if m.type == "program_change"]
        assert len(programs) == 1
        assert (programs[0].channel == 9) == part.percussion
        assert programs[0].channel not in channels
        channels.add(programs[0].channel)
        assert sum(m.type == "note_on" for m in track) == len(part.notes)
        assert sum(m.type == "note_off" for m in track) == len(part.notes)
    # The file begins on a bar line, the clip perhaps within that bar.
    lead_in = max(0.0, -clip.notes.downbeat)
    assert abs(file.length - lead_in - clip.notes.seconds) < 1.0


def test_midi_needs_a_score(clips):
    bare = Composition(audio=clips["folk"].audio, loudness=-16.0, description={}, notes=None)
    with pytest.raises(GenerationError, match="score"):
        to_midi(bare)
