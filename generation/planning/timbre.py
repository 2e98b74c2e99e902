"""How acoustic a sound is, and what stands in for it when a piece should be more acoustic or more electronic.

Both follow from what a patch is (its own synthesis, or its General MIDI program), so that a new patch needs no entry.
"""

from __future__ import annotations

from generation.planning.patches import Patch, family_of, patch

_ELECTRIC = {
    **dict.fromkeys((2, 4, 5, 7), 0.4),  # electric pianos, clavinet
    **dict.fromkeys((16, 17, 18), 0.4),  # electric organs
    **dict.fromkeys(range(26, 32), 0.35),  # electric guitars
    **dict.fromkeys(range(33, 38), 0.45),  # electric basses
    55: 0.5,  # orchestra hit
}
_ELECTRONIC = frozenset((38, 39, 50, 51, 54, 62, 63, *range(80, 104), 118, 119))
_VOICES = frozenset((52, 53, 54, 85, 91))
_KITS = {0: 0.9, 8: 0.9, 16: 0.8, 24: 0.0, 25: 0.0}
"""Programs of the percussion bank; brushes, jazz and orchestra are wholly acoustic."""

_ACOUSTIC_FOR = {
    "drums": ("kit_brush", "kit_standard", "kit_room"),
    "bass": ("upright_bass",),
    "chords": ("piano", "nylon_guitar", "steel_guitar", "harp"),
    "pad": ("slow_strings", "harmonium", "accordion"),
    "lead": ("flute", "violin", "clarinet", "oboe", "recorder"),
    "counter": ("cello", "clarinet", "french_horn"),
}
_ELECTRONIC_FOR = {
    "drums": ("kit_808", "kit_house", "kit_techno"),
    "bass": ("synth_bass", "sub_bass"),
    "chords": ("synth_pluck", "supersaw"),
    "pad": ("warm_pad", "glass_pad"),
    "lead": ("saw_lead", "soft_lead", "square_lead"),
    "counter": ("soft_lead", "synth_pluck"),
}
_GUITARS = ("steel_guitar", "nylon_guitar")
_KEYS = ("piano",)
_REST = {
    True: ("harp", "mandolin", "cello", "clarinet", "french_horn", "recorder"),
    False: ("pulse_lead", "square_lead", "synth_strings", "warm_pad", "supersaw"),
}
"""For when the nearest kin are playing already, by whether it is to be acoustic."""


def acoustic(found: Patch) -> float:
    """Return how acoustic a patch is: 0 synthesised, about .4 electric, 1 acoustic."""
    if found.synth:
        return 0.0
    if found.percussion:
        return _KITS.get(found.program, 1.0)
    if found.program in _ELECTRONIC:
        return 0.0
    return _ELECTRIC.get(found.program, 1.0)


def sung(found: Patch) -> bool:
    """Say whether a patch is a voice: a choir, a voice pad, a singing synthesiser."""
    return (found.program in _VOICES and not found.percussion) or found.name in family_of("vocal")


def stand_ins(role: str, found: Patch, *, towards_acoustic: bool) -> tuple[str, ...]:
    """Return names of patches for ``role`` in place of one that is not acoustic, or not electronic, enough.

    They are of its kind where there is one: an electric guitar becomes an acoustic one, an electric piano a piano.
    """
    if not towards_acoustic:
        return _ELECTRONIC_FOR.get(role, ())
    if role in {"chords", "lead", "counter"} and found.kind == "plucked":
        return _GUITARS
    if role == "chords" and found.kind == "keys":
        return _KEYS
    return _ACOUSTIC_FOR.get(role, ())


def last_stand_ins(*, towards_acoustic: bool) -> tuple[str, ...]:
    """Return names of patches that do where all of ``stand_ins`` are playing already or unwanted."""
    return _REST[towards_acoustic]


def mean_acoustic(names: tuple[str, ...]) -> float:
    """Return how acoustic patches are on average; a half where there are none."""
    values = [acoustic(patch(name)) for name in names]
    return sum(values) / len(values) if values else 0.5
