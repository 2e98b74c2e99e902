from __future__ import annotations

import dataclasses
import io
import re
import xml.etree.ElementTree as ET
import zipfile

import mido
import pytest

from domain.clip import DRAFT, MADE_FROM, ClipFailure, ClipRequest
from domain.description import Description
from domain.errors import ForbiddenError, NotFoundError, UserError
from generation.composer import account
from generation.genome.realise import plan_of
from generation.musicxml import fifths, to_musicxml
from generation.planning.plan import make_plan
from generation.writing.arrange import arrange
from prompts.reader import read
from service.clips import not_again, request_of
from service.exports import ENDINGS, ExportKind, capo, made, play_view, spelt
from tests.bot.fakes import make_clip
from tests.fakes import ABLE, INFO, generator_state
from tests.service.conftest import ANN, BOB, actor

PROMPTS = (
    "swing jazz with a flute and piano in D minor",
    "slow waltz in 3/4 in Eb major",
    "techno in F# minor",
    "folk in 6/8",
    "progressive rock in 7/8",
    "bossa nova in E dorian",
)


def composed(prompt: str, seed: int = 5, seconds: float = 8.0):
    plan = make_plan(read(prompt), seed, seconds)
    score = arrange(plan)
    return score, account(plan, score, "none")


def request(prompt: str = PROMPTS[0]) -> ClipRequest:
    _, told = composed(prompt)
    return ClipRequest(prompt=prompt, seed=5, seconds=8.0, description=told["genome"])


# Sheet music ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompt", PROMPTS)
def test_sheet_music_is_whole(prompt):
    score, told = composed(prompt)
    description = Description.from_json(told["genome"])
    root = ET.fromstring(to_musicxml(score, description))  # noqa: S314 - our own
    assert root.tag == "score-partwise"
    parts = root.findall("part")
    listed = [one.get("id") for one in root.findall("part-list/score-part")]
    assert [one.get("id") for one in parts] == listed
    assert len(parts) == len(score.parts)
    assert len({len(part.findall("measure")) for part in parts}) == 1
    bar = description.metre[0] * 16 // description.metre[1]
    instruments = {one.get("id") for one in root.iter("score-instrument")}
    for part, own in zip(parts, score.parts, strict=True):
        for measure in part.findall("measure"):
            lengths = [
                int(note.findtext("duration"))
                for note in measure.findall("note")
                if note.find("chord") is None
            ]
            assert sum(lengths) == bar
        check_ties(part)
        used = {one.get("id") for one in part.iter("instrument")}
        assert used <= instruments
        written = [key_of(note) for note in part.iter("note") if note.find("pitch") is not None]
        assert set(written) == (set() if own.percussion else {note.pitch for note in own.notes})
    chords = [one for bar in description.bars for one in bar.chords]
    assert len(list(root.iter("harmony"))) == len(chords)
    assert parts[0].find("measure/direction//rehearsal").text == description.bars[0].section


def check_ties(part: ET.Element) -> None:
    """Every tie that starts is stopped by the next note of the same pitch, at once."""
    open_: set[int] = set()
    for note in part.iter("note"):
        if note.find("pitch") is None:
            continue
        key, ties = key_of(note), {one.get("type") for one in note.findall("tie")}
        assert ("stop" in ties) == (key in open_)
        open_.discard(key)
        if "start" in ties:
            open_.add(key)
    assert not open_


def key_of(note: ET.Element) -> int:
    pitch = note.find("pitch")
    steps = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
    alter = int(pitch.findtext("alter") or 0)
    return 12 * (int(pitch.findtext("octave")) + 1) + steps[pitch.findtext("step")] + alter


def test_swing_is_written_straight():
    score, told = composed(PROMPTS[0])
    description = Description.from_json(told["genome"])
    assert description.swing > 0.2
    quarter = 60 / score.quarter_bpm
    drums = next(part for part in score.parts if part.percussion)
    late = score.downbeat + quarter * (4 + (1 + description.swing) / 2)
    note = dataclasses.replace(drums.notes[0], start=late, seconds=0.1)
    one = dataclasses.replace(score, parts=(dataclasses.replace(drums, notes=(note,)),))
    root = ET.fromstring(to_musicxml(one, description))  # noqa: S314 - our own
    second = root.find("part").findall("measure")[1]
    before = second.findall("note")[0]
    assert before.find("rest") is not None
    assert before.findtext("duration") == "2"
    assert "Swing" in root.findtext(".//words")


@pytest.mark.parametrize(
    ("tonic", "mode", "sharps"),
    [
        ("C", "major", 0),
        ("D", "minor", -1),
        ("E", "dorian", 2),
        ("F#", "major", 6),
        ("C#", "phrygian", 3),
    ],
)
def test_key_signatures(tonic, mode, sharps):
    assert fifths(tonic, mode) == sharps


# Files ------------------------------------------------------------------------------------------------


def test_midi_has_the_notes_of_the_clip():
    asked = request()
    data = made(asked, ExportKind.MIDI, "auto", "")
    score = arrange(plan_of(Description.from_json(asked.description)))
    file = mido.MidiFile(file=io.BytesIO(data))
    played = sum(
        one.type == "note_on" and one.velocity > 0 for track in file.tracks for one in track
    )
    assert played == sum(len(part.notes) for part in score.parts)


def test_a_clip_without_a_description_is_composed_from_its_words():
    asked = dataclasses.replace(request(), description=None)
    assert made(asked, ExportKind.MUSICXML, "auto", "").startswith(b"<?xml")


def test_stems_are_a_zip_with_a_file_for_each_player():
    asked = dataclasses.replace(request("solo piano ballad"), description=None, seconds=4.0)
    data = made(asked, ExportKind.STEMS, "numpy", "")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert any("piano" in name for name in archive.namelist())


def test_a_description_that_cannot_be_played_is_a_failure():
    assert isinstance(
        made(dataclasses.replace(request(), description={}), "midi", "auto", ""), ClipFailure
    )


async def test_exports_are_for_who_may_hear_the_clip(stage):
    await stage.start()
    clip = (await stage.shown())[0]
    exports = stage.services.exports
    for kind in (ExportKind.MIDI, ExportKind.STEMS, ExportKind.MUSICXML):
        file = await exports.export(ANN, clip.id, kind)
        assert file.data == f"{kind} {clip.seed}".encode()
        assert file.filename.endswith(ENDINGS[kind])
        assert "exactly the notes" in file.note
    assert (await exports.export(ANN, clip.id, ExportKind.WAV)).data.startswith(b"RIFF")
    with pytest.raises(NotFoundError):
        await exports.export(actor(2, channel=11), clip.id, ExportKind.MIDI)
    view = await stage.services.moods.open(ANN, "lofi")
    await (await stage.services.moods.listen(ANN, view.panel_id)).done()
    private = (await stage.services.moods.look(ANN, view.panel_id)).clip
    with pytest.raises(ForbiddenError):
        await exports.export(BOB, private.id, ExportKind.MIDI)


async def test_another_version_of_the_composer_says_so(stage):
    await stage.start()
    clip = (await stage.shown())[0]
    newer = dataclasses.replace(INFO, version="2")
    stage.device.generators = [generator_state(info=newer)]
    with pytest.raises(UserError, match="made by fake 1, and fake 2 plays today"):
        await stage.services.exports.export(ANN, clip.id, ExportKind.MIDI)


@pytest.mark.parametrize("left", ["composer", "fake"])
async def test_a_model_has_no_notes_whether_it_is_offered_or_not(stage, left):
    await stage.start()
    clip = (await stage.shown())[0]
    able = dataclasses.replace(ABLE, notes=left == "composer")
    stage.device.generators = [generator_state(name=left, capabilities=able)]
    with pytest.raises(UserError, match="no notes of that clip: fake made it as sound"):
        await stage.services.exports.export(ANN, clip.id, ExportKind.MIDI)


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ({"name": "composer"}, "fake, which made it, does not play here any more"),
        ({"capabilities": None}, "fake, which made it, has not played since I was started"),
        (
            {"capabilities": dataclasses.replace(ABLE, repeats=False)},
            "fake would make another one of the same words",
        ),
        ({"info": dataclasses.replace(INFO, version="2")}, "the generator has changed since"),
    ],
)
async def test_a_clip_that_cannot_be_rendered_again_comes_as_it_was_posted(stage, state, why):
    await stage.start()
    clip = (await stage.shown())[0]
    stage.device.generators = [generator_state(**state)]
    file = await stage.services.exports.export(ANN, clip.id, ExportKind.WAV)
    assert file.note == f"The MP3 as it was posted; {why}."
    assert file.filename.endswith(".mp3")
    assert file.data == await stage.services.clips.audio(clip)


def test_what_was_made_from_another_sound_is_not_made_again():
    clip = make_clip(description={MADE_FROM: "continue"}, generator="fake", generator_version="1")
    assert "another clip's sound" in not_again(clip, generator_state())
    draft = make_clip(description={DRAFT: True}, generator="fake", generator_version="1")
    assert not_again(draft, generator_state()) == ""
    assert request_of(draft).draft


async def test_what_cannot_be_made_says_why(stage):
    await stage.start()
    clip = (await stage.shown())[0]
    stage.device.fail = lambda _: "no ink"
    with pytest.raises(UserError, match="no ink"):
        await stage.services.exports.export(ANN, clip.id, ExportKind.MUSICXML)


# How to play ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompt", PROMPTS)
def test_how_to_play_has_every_bar_once(prompt):
    _, told = composed(prompt)
    view = play_view(make_clip(description=told))
    bars = [bar for _, section in view.sections for bar in section]
    assert [sounding(bar.split()) for bar in bars] == [sounding(bar) for bar in told["chords"]]
    assert sounding([view.key.split()[0]]) == sounding([told["tonic"]])
    flats = fifths(told["tonic"], told["mode"]) < 0
    assert not re.search(r"\b[A-G]#" if flats else r"\b[A-G]b", " ".join(bars))
    assert dict(view.instruments).keys() == told["instruments"].keys()


@pytest.mark.parametrize(
    "description", [{}, {"tempo": 84}, {"chords": 3, "tonic": "C", "mode": "major"}]
)
def test_a_clip_that_wrote_nothing_down_gets_a_sentence(description):
    with pytest.raises(UserError, match="cannot say how to play"):
        play_view(make_clip(description=description))


def sounding(names: list[str]) -> list[str]:
    """Chords by the same spelling."""
    return [spelt(one, flats=True) for one in names]


def test_capo():
    assert capo("C", "major") is None
    assert capo("Eb", "major") == (1, "D")
    assert capo("C#", "major") == (1, "C")
    assert capo("C", "minor") == (3, "Am")
    assert capo("F#", "dorian") == (2, "Em")
