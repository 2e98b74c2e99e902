"""Makes a description of what people and language models write, and lists every change."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from domain.chords import ChordAt
from domain.description import (
    FORMAT,
    LEVELS,
    MAX_BARS,
    MAX_SECONDS,
    MAX_SOURCE,
    MAX_VOICES,
    NOTE_VALUES,
    SECTIONS,
    TEMPO,
    BarDescription,
    Description,
    Levels,
    VoiceDescription,
)
from domain.errors import DescriptionError
from domain.facets import FAMILIES, MODES, TONICS
from generation.genome.mend_voices import mend_voices
from generation.genome.mending import MISSING, Mender, Repair, as_number, read_tonic
from generation.genome.reach import NUMBERS, reach_of_bar
from generation.genome.realise import RING, grid_of, seconds_of
from generation.planning.metres import suits, usual
from generation.planning.styles import style
from generation.planning.theory import MINOR_MODES

_KNOWN = frozenset(field.name for field in dataclasses.fields(Description)) | {"format"}
_SECTION_WORDS = {
    "end": "outro", "pre chorus": "build", "prechorus": "build", "buildup": "build", "build up": "build",
    "hook": "chorus",
    "refrain": "chorus", "middle 8": "bridge", "breakdown": "break", "interlude": "break", "coda": "outro",
    "ending": "outro", "opening": "intro", "head": "A", "theme": "A", "pickup": "upbeat", "upbeat": "intro",
}  # fmt: skip
_MODE_WORDS = {
    "maj": "major",
    "ionian": "major",
    "min": "minor",
    "aeolian": "minor",
    "natural_minor": "minor",
}


def repair(data: Any) -> tuple[Description, tuple[Repair, ...]]:
    """Return the description that was meant, and every change that it took.

    The result passes ``generation.genome.grammar.check``. A description that passes it already is returned as it is.

    Args:
        data: What ``json.loads`` made of it.

    Raises:
        DescriptionError: There is nothing to go by: no object, or one with neither bars nor voices.
    """
    if not isinstance(data, Mapping):
        raise DescriptionError("description", "an object with names and values belongs here")
    if not data.get("bars") and not data.get("voices"):
        raise DescriptionError("description", "nothing to play: give it bars, voices or both")
    mender = Mender()
    given = mender.mapping("description", data)
    for key in given:
        if key not in _KNOWN:
            mender.note(key[:40], given[key], "left out", "nothing has this name")
    if given.get("format", FORMAT) != FORMAT:
        mender.note("format", given["format"], FORMAT, "this program writes this format")
    head = _head(mender, given)
    voices = mend_voices(mender, given.get("voices", MISSING), head.family)
    head = dataclasses.replace(head, voices=voices)
    bars = _bars(mender, given.get("bars", MISSING), head)
    return _whole(mender, given, head, bars), tuple(mender.repairs)


def _head(mender: Mender, given: Mapping[str, Any]) -> Description:
    """Mend what belongs to the piece; its voice and bars are stand-ins."""
    family = mender.choice("family", given.get("family", MISSING), FAMILIES, "pop")
    own = style(family)
    low, high = own.tempo
    tonic = given.get("tonic", MISSING)
    if tonic not in TONICS:
        found = read_tonic(tonic) or "C"
        mender.note("tonic", tonic, found, "a tonic such as C or F#")
        tonic = found
    mode = given.get("mode", MISSING)
    if isinstance(mode, str):
        mode = _MODE_WORDS.get(mode.lower().replace(" ", "_"), mode)
    tempo = mender.number("tempo", given.get("tempo", MISSING), TEMPO, round((low + high) / 2, 1))
    levels = mender.mapping("levels", given.get("levels", {}))
    return Description(
        family=family,
        tempo=tempo,
        tonic=str(tonic),
        mode=mender.choice("mode", mode, MODES, "major"),
        metre=_metre(mender, given.get("metre", MISSING), family),
        swing=mender.number("swing", given.get("swing", own.swing), (0.0, 0.5), own.swing),
        swing_unit=8
        if mender.whole("swing_unit", given.get("swing_unit", own.swing_unit), (8, 16), 16) < 12
        else 16,
        seconds=MAX_SECONDS,
        levels=_levels(mender, levels),
        words=mender.words("words", given.get("words", ()), 40),
        tune=mender.tune("tune", given.get("tune", MISSING), family),
        voices=(
            VoiceDescription(name="x", role="lead", instrument="x", style=family, tune=(0, 0)),
        ),
        bars=(BarDescription(section="end"),),
    )


def _levels(mender: Mender, given: Mapping[str, Any]) -> Levels:
    for name in given:
        if name not in LEVELS:
            mender.note(f"levels.{name}"[:40], given[name], "left out", "there is no such level")
    return Levels(
        **{
            name: mender.number(f"levels.{name}", given[name], (0.0, 1.0), 0.5)
            for name in LEVELS
            if name in given
        }
    )


def _metre(mender: Mender, value: Any, family: str) -> tuple[int, int]:
    own = style(family)
    parts = value.split("/") if isinstance(value, str) else value
    if isinstance(parts, list | tuple) and len(parts) == 2:
        beats, unit = (as_number(part) for part in parts)
    else:
        beats, unit = as_number(value), 4.0
    if beats is None or unit is None or unit not in NOTE_VALUES:
        made = usual(own)
    else:
        made = (int(min(3 * unit, max(1, beats))), int(unit))
    if not suits(own, made):
        made = usual(own)
        why = f"{family.replace('_', ' ')} lives from this metre"
    else:
        why = "a bar has 1 to three whole notes, such as 4/4 or 7/8"
    text = f"{made[0]}/{made[1]}"
    if value != text:
        mender.note("metre", value, text, why)
    return made


def _bars(mender: Mender, value: Any, head: Description) -> list[BarDescription]:
    listed = mender.items("bars", value, MAX_BARS)
    if not listed:
        mender.note("bars", value, "4 bars", "a piece has bars")
        listed = [{"section": "A"}] * 4
    last = ChordAt(root=head.tonic, quality="m" if head.mode in MINOR_MODES else "")
    home = last
    out: list[BarDescription] = []
    for number, item in enumerate(listed):
        where = f"bars[{number}]"
        given = mender.mapping(where, {"chords": item} if isinstance(item, str | list) else item)
        bar = _bar(mender, where, given, head, (number, number == len(listed) - 1))
        if not bar.chords and any(head.voice(name).role != "drums" for name in bar.voices):
            mender.note(
                f"{where}.chords",
                given.get("chords", MISSING),
                str(last),
                "pitched voices need a chord",
            )
            bar = dataclasses.replace(bar, chords=(last,))
        if bar.chords:
            last = dataclasses.replace(bar.chords[-1], beat=0.0)
        out.append(bar)
    if out[-1].section != "end":
        mender.note(
            "bars", f"{len(out)} bars", f"{len(out) + 1} bars", "the final chord was missing"
        )
        out = out[: MAX_BARS - 1]
        out.append(
            BarDescription(section="end", source=len(out), chords=(home,), voices=out[-1].voices)
        )
    if not any(bar.voices for bar in out):
        names = tuple(voice.name for voice in head.voices)
        mender.note("bars", "nobody plays", "everybody plays", "somebody has to")
        out = [dataclasses.replace(bar, voices=names, chords=bar.chords or (home,)) for bar in out]
    return out


def _bar(
    mender: Mender, where: str, given: Mapping[str, Any], head: Description, place: tuple[int, bool]
) -> BarDescription:
    number, final = place
    section = given.get("section", MISSING)
    allowed = tuple(s for s in SECTIONS if (s != "end" or final) and (s != "upbeat" or number == 0))
    if isinstance(section, str) and section not in allowed:
        plain = section.lower().replace("-", " ").replace("_", " ").rstrip(" 0123456789")
        section_now = mender.choice(
            f"{where}.section", _SECTION_WORDS.get(plain, section), allowed, "A"
        )
        if section_now == _SECTION_WORDS.get(plain):
            mender.note(f"{where}.section", section, section_now, "the nearest that there is")
    else:
        section_now = mender.choice(f"{where}.section", section, allowed, "A")
    return BarDescription(
        section=section_now,
        source=mender.whole(
            f"{where}.source", given.get("source", number), (0, MAX_SOURCE), number
        ),
        chords=_chords(mender, f"{where}.chords", given.get("chords", ()), head.metre),
        voices=_names(mender, f"{where}.voices", given.get("voices", MISSING), head.voices),
        **{
            name: _figure(mender, f"{where}.{name}", given[name])
            for name in NUMBERS
            if given.get(name) is not None
        },
    )


def _figure(mender: Mender, where: str, value: Any) -> float | None:
    found = as_number(value)
    bounds = {"density": (0.0, 48.0), "pitch": (0.0, 127.0), "velocity": (1.0, 127.0)}
    if found is None:
        mender.note(where, value, "left out", "a number belongs here; without one it is left open")
        return None
    return mender.number(where, value, bounds.get(where.rpartition(".")[2], (0.01, 64.0)), found)


def _chords(mender: Mender, where: str, value: Any, metre: tuple[int, int]) -> tuple[ChordAt, ...]:
    beats, unit = metre
    if isinstance(value, str):
        value = value.replace(",", " ").replace("|", " ").split()
    read = [(item, mender.chord(where, item)) for item in mender.items(where, value, 64)]
    named = [(item, chord) for item, chord in read if chord is not None]
    if len(named) > 1 and not any(chord.beat for _, chord in named):
        mender.note(where, value, "spread over the bar", "only one chord can begin it")
        named = [
            (item, dataclasses.replace(chord, beat=float(place * beats // len(named))))
            for place, (item, chord) in enumerate(named)
        ]
    out: dict[float, ChordAt] = {}
    for item, chord in named:
        # The finest that is played is a sixteenth.
        beat = round(chord.beat * 16 / unit) * unit / 16
        if beat >= beats:
            mender.note(where, item, "left out", f"a bar of {beats}/{unit} ends before")
        elif beat in out:
            mender.note(where, item, "left out", "another chord begins there")
        else:
            if beat != chord.beat:
                mender.note(where, item, f"beat {beat:g}", "chords begin on sixteenths")
            out[beat] = dataclasses.replace(chord, beat=beat)
    placed = [out[beat] for beat in sorted(out)]
    if list(out) != sorted(out):
        mender.note(where, value, "in order", "chords come in the order of their beats")
    if placed and placed[0].beat > 0:
        mender.note(where, str(placed[0]), "beat 0", "the first chord begins with the bar")
        placed[0] = dataclasses.replace(placed[0], beat=0.0)
    return tuple(placed)


def _names(
    mender: Mender, where: str, value: Any, voices: Sequence[VoiceDescription]
) -> tuple[str, ...]:
    if value is MISSING:
        mender.note(where, value, "everybody", "no voices were named")
        return tuple(voice.name for voice in voices)
    out: dict[str, None] = {}
    exact = {voice.name: voice.name for voice in voices}
    loose = {
        word.lower(): voice.name
        for voice in reversed(voices)
        for word in (voice.role, voice.instrument, voice.name)
    }
    for item in mender.items(where, value, 4 * MAX_VOICES):
        text = item if isinstance(item, str) else ""
        name = exact.get(text) or loose.get(text.strip().lower())
        if name is None or name in out:
            mender.note(
                where, item, "left out", "there is no such voice" if name is None else "named twice"
            )
            continue
        if name != text:
            mender.note(where, item, name, "the voice that is meant")
        out[name] = None
    return tuple(out)


def _whole(
    mender: Mender, given: Mapping[str, Any], head: Description, bars: list[BarDescription]
) -> Description:
    """Fit bars, upbeat and length to each other, and numbers to what can be reached."""
    grid = grid_of(head)
    beats = -(-grid.bar_steps // grid.beat_steps) - 1
    pickup = mender.whole(
        "pickup", given.get("pickup", 0), (0, max(0, min(beats, head.metre[0]))), 0
    )
    upbeat = bars[0].section == "upbeat"
    if upbeat and (pickup == 0 or len(bars) == 1):
        now = "intro" if len(bars) > 1 else "end"
        mender.note("bars[0].section", "upbeat", now, "there is no pickup")
        bars[0], pickup = dataclasses.replace(bars[0], section=now), 0
    elif not upbeat and pickup:
        mender.note("pickup", pickup, 0, "the first bar is no upbeat")
        pickup = 0
    room = int((MAX_SECONDS - RING - 1) / grid.bar_seconds)
    if len(bars) > room:
        mender.note(
            "bars", f"{len(bars)} bars", f"{room} bars", f"a clip lasts at most {MAX_SECONDS:.0f} s"
        )
        bars = [*bars[: max(0, room - 1)], bars[-1]]
    roles = {voice.name: voice for voice in head.voices}
    bars = [
        _reachable(mender, f"bars[{number}]", bar, roles, head.metre)
        for number, bar in enumerate(bars)
    ]
    made = dataclasses.replace(head, pickup=pickup, bars=tuple(bars))
    least = max(1.0, seconds_of(made))
    seconds = mender.number(
        "seconds",
        given.get("seconds", MISSING),
        (least, MAX_SECONDS),
        min(MAX_SECONDS, round(least + 1.5, 2)),
    )
    return dataclasses.replace(made, seconds=seconds)


def _reachable(
    mender: Mender,
    where: str,
    bar: BarDescription,
    voices: Mapping[str, VoiceDescription],
    metre: tuple[int, int],
) -> BarDescription:
    reach = reach_of_bar(bar, voices, metre)
    values: dict[str, float | None] = {}
    for name in NUMBERS:
        asked, span = getattr(bar, name), reach.of(name)
        values[name] = asked
        if asked is None:
            continue
        if span is None:
            values[name] = None
            mender.note(f"{where}.{name}", asked, "left out", "nobody plays what this is about")
        elif not span[0] - 1e-4 <= asked <= span[1] + 1e-4:
            values[name] = min(span[1], max(span[0], asked))
            mender.note(f"{where}.{name}", asked, values[name], "as near as the players get")
    return dataclasses.replace(
        bar,
        density=values["density"],
        pitch=values["pitch"],
        velocity=values["velocity"],
        duration=values["duration"],
    )
