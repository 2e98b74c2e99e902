import dataclasses
import io

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.chords import QUALITIES
from domain.errors import UsageError
from domain.facets import TONICS, Facets
from generation.genome.adherence import compare, f1, fidelity, nrmse
from generation.genome.describe import describe
from generation.genome.extract import extract, read_score
from generation.genome.invent import random_description
from generation.genome.measure import EARLY
from generation.genome.midi_read import read_midi
from generation.genome.realise import plan_of
from generation.genome.recognise import Heard, recognise
from generation.midi import score_to_midi
from generation.planning.chords import INTERVALS
from generation.planning.plan import make_plan
from generation.writing.arrange import arrange


def midi(*tracks, ticks=480):
    """Bytes of a file of tracks of messages with times in ticks after the one before."""
    file = mido.MidiFile(type=1, ticks_per_beat=ticks)
    for messages in tracks:
        file.tracks.append(mido.MidiTrack(messages))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def on(note, time=0, velocity=64, channel=0):
    return mido.Message("note_on", note=note, time=time, velocity=velocity, channel=channel)


def off(note, time=0, channel=0):
    return mido.Message("note_off", note=note, time=time, channel=channel)


@pytest.mark.parametrize("quality", QUALITIES)
def test_every_chord_is_recognised_by_its_tones_and_its_bass(quality):
    for root in (0, 5, 10):
        keys = [48 + root, *(60 + root + i for i in INTERVALS[quality])]
        (found,) = recognise([Heard(0.0, 4.0, key, 0.6) for key in keys], 4)
        assert (found.root, found.quality) == (TONICS[root], quality)


def test_chords_change_where_the_notes_do():
    notes = [Heard(0.0, 2.0, key, 0.6) for key in (48, 60, 64, 67)]
    notes += [Heard(2.0, 4.0, key, 0.6) for key in (43, 59, 62, 65, 67)]
    assert [str(chord) for chord in recognise(notes, 4)] == ["C", "G7@2"]
    assert recognise([], 4) == ()


def test_short_passing_tones_do_not_make_another_chord():
    notes = [Heard(0.0, 4.0, key, 0.6) for key in (45, 57, 60, 64)]
    notes += [Heard(1.5, 1.75, 71, 0.4), Heard(2.5, 2.75, 74, 0.4)]
    assert [str(chord) for chord in recognise(notes, 4)] == ["Am"]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_score_and_its_midi_file_tell_the_same(seed):
    description = random_description(np.random.default_rng(seed))
    score = arrange(plan_of(description))
    direct, read = extract(read_score(score)), extract(read_midi(score_to_midi(score)))
    assert (direct.tempo, direct.metre) == (read.tempo, read.metre)
    assert direct.tempo == pytest.approx(description.tempo, abs=0.011)
    assert read.metre == description.metre
    assert len(direct.bars) == len(read.bars)
    for number, (one, other) in enumerate(zip(direct.bars, read.bars, strict=True)):
        assert one.instruments == other.instruments
        assert one.density == other.density
        assert one.velocity == pytest.approx(other.velocity)
        if one.duration is not None:
            # A file begins on its first bar line: what is played a little before it loses just that much.
            lost = _before_the_file(score) if number == 0 else 0.0
            assert one.duration - lost == pytest.approx(other.duration, abs=0.01)


def _before_the_file(score):
    """Quarters that a pitched note of the first bar sounds before the bar line, on average."""
    sounds = [one for one in read_score(score).sounds if not one.percussion]
    quarters = score.metre[0] * 4 / score.metre[1]
    first = [one for one in sounds if one.start + EARLY / 4 < quarters]
    return sum(max(0.0, -one.start) for one in first) / len(first)


@pytest.mark.parametrize("metre", [(4, 4), (7, 8), (6, 8), (2, 2)])
def test_midi_names_tempo_metre_key_sections_and_parts(metre):
    plan = make_plan(Facets(family="pop", metre=metre, tonic="F#", mode="dorian"), 1, 20.0)
    score = arrange(plan)
    data = score_to_midi(score)
    piece = read_midi(data)
    assert piece.metre == metre
    assert piece.key == "F#m"
    assert [name for _, name in piece.sections] == [name for name, _ in describe(plan, score).form]
    quarters = metre[0] * 4 / metre[1]
    assert all(abs(at / quarters - round(at / quarters)) < 1e-9 for at, _ in piece.sections)
    names = [t.name for t in mido.MidiFile(file=io.BytesIO(data)).tracks[1:]]
    assert names == [f"{part.name}: {part.patch}" for part in score.parts]


def test_more_parts_than_channels_are_kept_apart():
    score = arrange(make_plan(Facets(family="pop"), 1, 4.0))
    part = next(p for p in score.parts if not p.percussion)
    many = tuple(dataclasses.replace(part, program=n, name=f"voice {n}") for n in range(18))
    piece = read_midi(score_to_midi(dataclasses.replace(score, parts=many)))
    assert len(piece.sounds) == 18 * len(part.notes)
    assert len({sound.instrument for sound in piece.sounds}) == 18


def test_the_pedal_holds_what_is_let_go():
    pedal = mido.Message("control_change", control=64, value=127)
    up = mido.Message("control_change", control=64, value=0, time=480)
    piece = read_midi(midi([pedal, on(60), off(60, 240), up]))
    assert [sound.length for sound in piece.sounds] == [1.5]


def test_drums_have_no_pitch_and_an_empty_bar_no_mean():
    data = midi([on(36, channel=9), off(36, 120, 9), on(60, 4 * 480 * 2 - 120), off(60, 480)])
    bars = extract(read_midi(data)).bars
    assert [bar.instruments for bar in bars] == [("drum",), (), ("Acoustic Grand Piano",)]
    assert (bars[0].pitch, bars[0].duration, bars[0].density) == (None, None, 0.25)
    assert (bars[1].velocity, bars[1].chords, bars[1].density) == (None, (), 0.0)
    assert (bars[2].pitch, bars[2].duration) == (60.0, 1.0)


def test_a_metre_that_nobody_could_count_is_read_as_common_time():
    for numerator, denominator in ((250, 2), (4, 2**20)):
        odd = mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator)
        piece = read_midi(midi([odd, on(60), off(60, 480)]))
        assert piece.metre == (4, 4)
    with pytest.raises(UsageError, match="hours"):
        read_midi(midi([on(60), off(60, 480 * 20_001)]))


@pytest.mark.parametrize(
    "data", [b"", b"RIFF0000", b"MThd", midi([]), midi([on(60)])[:-9], b"\0" * 4_000_001]
)
def test_what_is_no_midi_file_is_refused_in_words(data):
    with pytest.raises(UsageError, match="MIDI"):
        read_midi(data)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_files_are_read_or_refused(data):
    score = arrange(make_plan(Facets(family="folk"), 1, 3.0))
    raw = bytearray(score_to_midi(score))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        extract(read_midi(bytes(raw)))
    except UsageError as error:
        assert str(error)


def test_metrics_are_those_of_sets_and_of_errors_over_means():
    assert f1(set(), set()) == 1.0
    assert f1({"a", "b"}, {"a"}) == pytest.approx(2 / 3)
    assert f1({"a"}, {"b"}) == 0.0
    assert nrmse([(10.0, 10.0), (10.0, 8.0)]) == pytest.approx(np.sqrt(2.0) / 10)
    assert nrmse([]) == 0.0


def test_another_piece_is_no_match():
    one, other = (random_description(np.random.default_rng(seed)) for seed in (1, 2))
    found = compare(one, extract(read_score(arrange(plan_of(other)))))
    assert found.instrument_f1 < 0.6
    assert found.chord_f1 < 0.5
    assert not found.tempo


def test_random_descriptions_are_kept_to():
    found = [fidelity(seed) for seed in range(40)]
    assert np.mean([f.instrument_f1 for f in found]) >= 0.99
    assert np.mean([f.chord_f1 for f in found]) >= 0.97
    for name in ("density", "velocity", "pitch", "duration"):
        assert np.mean([getattr(f, name) for f in found]) <= 0.05
    assert all(f.tempo and f.metre for f in found)
