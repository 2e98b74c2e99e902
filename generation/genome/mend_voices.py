"""Mends the voices of a description: instruments by any name, roles that they can play, names that differ."""

from __future__ import annotations

import zlib
from typing import Any

from domain.description import MAX_VOICES, ROLES, VoiceDescription
from domain.facets import FAMILIES
from generation.genome.mending import MISSING, Mender, nearest_word
from generation.genome.reach import fits_role
from generation.planning.gm import PROGRAMS
from generation.planning.patches import Patch, find_patch, patch, patch_names, piece_names
from generation.planning.styles import style

ROLE_OF = {
    "keys": "chords", "plucked": "chords", "mallet": "lead", "sustained": "lead", "pad": "pad", "arp": "chords",
    "effects": "lead", "bass": "bass", "drums": "drums",
}  # fmt: skip
"""What a kind of instrument usually does."""
_ROLE_WORDS = {
    "melody": "lead", "vocal": "lead", "vocals": "lead", "solo": "lead", "harmony": "chords", "comp": "chords",
    "rhythm": "chords", "accompaniment": "chords", "keys": "chords", "strings": "pad", "background": "pad",
    "percussion": "drums", "beat": "drums", "countermelody": "counter", "riff": "counter", "bassline": "bass",
}  # fmt: skip
_STAND_IN = {
    "drums": "kit_standard", "bass": "finger_bass", "chords": "piano", "pad": "warm_pad", "lead": "flute",
    "counter": "clean_guitar",
}  # fmt: skip


def mend_voices(mender: Mender, value: Any, family: str) -> tuple[VoiceDescription, ...]:
    """Return the voices that were meant; the family's own when there are none.

    Args:
        mender: Notes what changes.
        value: What stood there.
        family: Of the piece.
    """
    listed = mender.items("voices", value, MAX_VOICES)
    if not listed:
        listed = [
            {"role": role, "instrument": _own(family, role)}
            for role in ("drums", "bass", "chords", "lead")
            if role != "drums" or style(family).drums is not None
        ]
        mender.note("voices", value, "the usual players", "a piece has voices")
    out: list[VoiceDescription] = []
    for number, item in enumerate(listed):
        out.append(_voice(mender, number, item, family, [voice.name for voice in out]))
    return tuple(out)


def _voice(
    mender: Mender, number: int, item: Any, family: str, taken: list[str]
) -> VoiceDescription:
    where = f"voices[{number}]"
    given = mender.mapping(where, {"instrument": item} if isinstance(item, str) else item)
    said = given.get("role", MISSING)
    if isinstance(said, str):
        said = _ROLE_WORDS.get(said.lower(), said)
    role = said if said in ROLES else None
    if role is None and isinstance(said, str):
        role = nearest_word(said, ROLES)
    found = _instrument(
        mender, f"{where}.instrument", given.get("instrument", MISSING), role, family
    )
    role = _role(mender, f"{where}.role", given.get("role", MISSING), role, found)
    name = _name(mender, f"{where}.name", given.get("name", MISSING), role, taken)
    drums = role == "drums"
    pieces, without = (
        _pieces(mender, f"{where}.{key}", given.get(key, ())) if drums else ()
        for key in ("pieces", "without")
    )
    return VoiceDescription(
        name=name,
        role=role,
        instrument=found.name,
        style=mender.choice(f"{where}.style", given.get("style", family), FAMILIES, family),
        tune=mender.tune(f"{where}.tune", given["tune"], f"{number}{name}")
        if "tune" in given
        else (zlib.crc32(name.encode()), number),
        asked=given.get("asked", True) is not False,
        pieces=pieces,
        without=without,
        groove=not drums or given.get("groove", True) is not False,
    )


def _own(family: str, role: str) -> str:
    part = getattr(style(family), role, None)
    names: tuple[str, ...] = ()
    if part is not None:
        names = part.kits if role == "drums" else part.patches
    return names[0] if names else _STAND_IN[role]


def _instrument(mender: Mender, where: str, value: Any, role: str | None, family: str) -> Patch:
    if isinstance(value, str) and value in patch_names():
        found = patch(value)
    else:
        meant = _meant(value) if isinstance(value, str) else None
        found = meant or patch(_own(family, role or "chords"))
        mender.note(
            where, value, found.name, "the nearest that there is" if meant else "this is usual"
        )
    if role == "drums" and not found.percussion:
        made = _own(family, "drums")
        mender.note(where, value, made, "drums are played on a kit")
        return patch(made)
    return found


def _meant(text: str) -> Patch | None:
    """Find an instrument by a word of prompts, by its General MIDI name, or by a similar name."""
    text = text[:60]
    found = find_patch(text)
    if found is not None:
        return found
    if text.lower() in {"drum", "drums", "_drums"}:
        return patch("kit_standard")
    program = nearest_word(text, PROGRAMS)
    if program is not None:
        return patch_of_program(PROGRAMS.index(program))
    near = nearest_word(text, patch_names())
    return patch(near) if near is not None else None


def patch_of_program(program: int) -> Patch:
    """Return the pitched patch of a General MIDI program, or of the nearest in its group of eight."""
    pitched = [found for found in map(patch, patch_names()) if not found.percussion]
    return min(
        pitched,
        key=lambda p: (p.program // 8 != program // 8, abs(p.program - program), bool(p.synth)),
    )


def _role(mender: Mender, where: str, said: Any, role: str | None, found: Patch) -> str:
    made = role or ROLE_OF[found.kind]
    if found.percussion:
        made = "drums"
    voice = VoiceDescription(
        name="x", role=made, instrument=found.name, style=FAMILIES[0], tune=(0, 0)
    )
    if not fits_role(voice):
        made = "counter"
    if made != said:
        mender.note(where, said, made, f"what {found.name!r} can play")
    return made


def _name(mender: Mender, where: str, value: Any, role: str, taken: list[str]) -> str:
    wanted = value.strip()[:34] if isinstance(value, str) else ""
    name = wanted or role
    count = 1
    while name in taken:
        count += 1
        name = f"{wanted or role} {count}"
    if name != value:
        mender.note(where, value, name, "every voice has a name of its own")
    return name


def _pieces(mender: Mender, where: str, value: Any) -> tuple[str, ...]:
    known = piece_names()
    out: dict[str, None] = {}
    for word in mender.words(where, value, 40):
        near = word if word in known else nearest_word(word, known)
        if near is None:
            mender.note(where, word, "left out", "there is no such drum piece")
            continue
        if near != word:
            mender.note(where, word, near, "the nearest that there is")
        out[near] = None
    return tuple(out)
