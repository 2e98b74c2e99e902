from __future__ import annotations

import dataclasses

import pytest

from bot import mood_face, words_play
from bot.ids import parse
from domain.features import RANGES, Features
from domain.ids import ClipId
from service.exports import play_view
from service.mood import MoodView
from service.mood_session import Kind, Session
from tests.bot.fakes import make_clip

LONG = "`*~|🎷 saxophone " * 100


def view(kind: Kind = Kind.MOOD, **features) -> MoodView:
    now = Features(**features)
    session = Session(kind=kind, start=LONG, base=Features(), features=now, seed=1, seconds=8.0)
    return MoodView(
        panel_id=2**62, session=session, mode="phrygian_dominant", metre=(7, 8), words=()
    )


@pytest.mark.parametrize("end", [0, 1])
def test_everything_fits_at_both_ends(end):
    values = {name: RANGES[name][end] for name in RANGES}
    shown = view(**values)
    shown = dataclasses.replace(
        shown, clip=make_clip(2**62, None), note=LONG, words=(LONG,) * 20, posted=True
    )
    assert len(mood_face.face(shown)) <= 2000
    assert "phrygian dominant · 7/8" in mood_face.face(shown)
    bars = {
        line.count("█") for line in mood_face.chart(shown).split("\n") if "░" in line or "█" in line
    }
    assert bars == {10 * end}
    for row in mood_face.panel_view(shown).to_components():
        assert len(row["components"]) <= 5
        for item in row["components"]:
            assert parse(item["custom_id"]) is not None
            options = item.get("options", [])
            assert len(options) <= 25
            assert all(len(one["label"]) <= 100 for one in options)
            assert len({one["value"] for one in options}) == len(options)


async def test_buttons_follow_the_state():
    def labels(shown):
        rows = mood_face.panel_view(shown).to_components()
        return [item.get("label") for row in rows for item in row["components"]]

    idle, longer = view(), view(Kind.LONGER)
    assert "Listen" in labels(idle)
    assert "Post it" not in labels(idle)
    busy = dataclasses.replace(idle, ticket_id=5)
    assert "Cancel" in labels(busy)
    assert labels(longer) == ["Make it"]
    made = dataclasses.replace(longer, clip=make_clip(ClipId(5), None))
    assert labels(made) == ["Post it", "Breed from this", "Keep"]


def test_how_to_play_fits_however_long_the_piece_is():
    told = {
        "tonic": "C#",
        "mode": "major",
        "tempo": 84,
        "metre": [4, 4],
        "swing": 0.3,
        "chords": [["C#maj7", "F#m7b5", "A#m(maj7)"]] * 500,
        "sections": [["verse", 8]] * 62,
        "instruments": {"lead": [LONG]},
    }
    text = words_play.play_text(play_view(make_clip(description=told, prompt=LONG)))
    assert len(text) <= 2000
    assert text.count("```") == 2
    assert "Key of Db major" in text
    assert "Dbmaj7" in text
