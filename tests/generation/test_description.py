import json

import pytest

from domain.chords import QUALITIES, ChordAt
from domain.description import BarDescription, Description, Levels, VoiceDescription
from domain.errors import DescriptionError
from domain.facets import TONICS
from generation.planning.chords import INTERVALS, from_chord, quality_of, settle, to_chord
from generation.planning.theory import Chord

VOICE = {"name": "lead", "role": "lead", "instrument": "flute", "style": "folk", "tune": (1, 2)}
LEAD = VoiceDescription(**VOICE)
BAR = BarDescription(section="A", chords=(ChordAt(root="C"),), voices=("lead",))
END = BarDescription(section="end", chords=(ChordAt(root="C"),), voices=("lead",))


def piece(**changes):
    values = {
        "family": "folk",
        "tempo": 100.0,
        "tonic": "C",
        "mode": "major",
        "seconds": 8.0,
        "voices": (LEAD,),
        "bars": (BAR, BAR, END),
    }
    return Description(**{**values, **changes})


def test_json_and_back():
    drums = VoiceDescription(
        **{**VOICE, "name": "kit", "role": "drums", "instrument": "kit_jazz"},
        asked=False,
        pieces=("clave",),
        without=("crash",),
        groove=False,
    )
    bar = BarDescription(
        section="A",
        source=7,
        chords=(ChordAt(root="Eb", quality="m(maj7)"), ChordAt(root="B", quality="9", beat=2.5)),
        voices=("kit", "lead"),
        density=3.25,
        velocity=70.5,
    )
    made = piece(voices=(drums, LEAD), bars=(bar, END), words=("warm",), levels=Levels(energy=0.1))
    assert Description.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_form_names_sections_with_their_bars():
    assert piece().form == (("A", 2), ("end", 1))
    assert piece().voice("lead") is LEAD
    with pytest.raises(DescriptionError):
        piece().voice("tuba")


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"tempo": 0.0}, "tempo"),
        ({"tempo": 900.0}, "tempo"),
        ({"tempo": float("nan")}, "tempo"),
        ({"metre": (25, 8)}, "metre"),
        ({"metre": (4, 3)}, "metre"),
        ({"pickup": 5}, "pickup"),
        ({"pickup": 1}, "bars[0].section"),
        ({"bars": ()}, "bars"),
        ({"bars": (BAR,) * 10_000}, "bars"),
        ({"bars": (BAR, BAR)}, "bars[1].section"),
        ({"bars": (END, END)}, "bars[0].section"),
        ({"voices": ()}, "voices"),
        ({"voices": (LEAD, LEAD)}, "voices"),
        (
            {"voices": tuple(VoiceDescription(**{**VOICE, "name": str(n)}) for n in range(90))},
            "voices",
        ),
        ({"bars": (BarDescription(section="end", voices=("lead",)),)}, "bars[0].chords"),
        ({"bars": (BarDescription(section="end", voices=("tuba",)),)}, "bars[0].voices"),
        ({"family": "polka"}, "family"),
        ({"tune": (-1, 0)}, "tune"),
    ],
)
def test_what_is_no_piece_cannot_be_built(changes, where):
    with pytest.raises(DescriptionError) as caught:
        piece(**changes)
    assert caught.value.where == where


@pytest.mark.parametrize("name", ["density", "pitch", "velocity", "duration"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 500.0])
def test_numbers_of_a_bar_have_ranges(name, value):
    with pytest.raises(DescriptionError) as caught:
        BarDescription(section="A", **{name: value})
    assert caught.value.where == f"bar.{name}"


@pytest.mark.parametrize(
    ("text", "name"), [("Db7@2", "C#7@2"), (" Am7 ", "Am7"), ("E#m(maj7)@0.5", "Fm(maj7)@0.5")]
)
def test_chords_are_read_as_they_are_written(text, name):
    assert str(ChordAt.parse(text)) == name


@pytest.mark.parametrize("text", ["", "H", "C13", "C@", "C@-1", "c"])
def test_what_is_no_chord_is_refused(text):
    with pytest.raises(DescriptionError):
        ChordAt.parse(text)


@pytest.mark.parametrize("quality", QUALITIES)
def test_every_quality_has_its_own_tones(quality):
    assert quality_of(INTERVALS[quality]) == quality
    for root in (0, 7):
        chord = to_chord(ChordAt(root=TONICS[root], quality=quality))
        assert from_chord(chord, 2.0) == ChordAt(root=TONICS[root], quality=quality, beat=2.0)
        assert chord.name == TONICS[root] + quality


def test_chords_without_a_name_keep_their_third_and_seventh():
    assert quality_of((0, 3, 7, 10, 13)) == "m7"
    assert quality_of((0, 4, 8, 11)) in {"aug", "maj7"}
    assert settle(Chord(2, (0, 4, 7, 10, 18))) == Chord(2, (0, 4, 7, 10))
