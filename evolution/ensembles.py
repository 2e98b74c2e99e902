"""Which instruments may stand in for each other, and what a prompt calls them.

Descriptions name the composer's sounds; breeding knows no more of them than this table says. A sound that it does not
have is kept as it is. The words are those of ``prompts/vocabulary/instruments.yaml``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from domain.description import Description, VoiceDescription
from prompts.vocabulary import Vocabulary

WORDS: Mapping[str, str] = {
    "piano": "piano", "bright_piano": "piano", "honky_tonk": "upright piano", "rhodes": "electric piano",
    "fm_piano": "electric piano", "harpsichord": "harpsichord", "clavinet": "clavinet", "organ": "organ",
    "rock_organ": "organ", "church_organ": "pipe organ", "accordion": "accordion", "harmonium": "harmonium",
    "celesta": "celesta", "music_box": "music box", "vibraphone": "vibraphone", "marimba": "marimba",
    "xylophone": "xylophone", "kalimba": "kalimba", "glockenspiel": "glockenspiel", "steel_drum": "steel drums",
    "nylon_guitar": "nylon guitar", "steel_guitar": "acoustic guitar", "jazz_guitar": "jazz guitar",
    "clean_guitar": "electric guitar", "muted_guitar": "muted guitar", "overdrive_guitar": "distorted guitar",
    "distortion_guitar": "distorted guitar", "harp": "harp", "sitar": "sitar", "banjo": "banjo",
    "mandolin": "mandolin", "shamisen": "shamisen", "koto": "koto", "pizzicato": "pizzicato strings",
    "violin": "violin", "fiddle": "fiddle", "cello": "cello", "strings": "strings", "slow_strings": "strings",
    "synth_strings": "synth strings", "choir": "choir", "voice_pad": "synth choir", "trumpet": "trumpet",
    "trombone": "trombone", "tuba": "tuba", "muted_trumpet": "muted trumpet", "french_horn": "french horn",
    "brass": "brass section", "synth_brass": "synth brass", "soprano_sax": "soprano sax",
    "alto_sax": "saxophone", "tenor_sax": "saxophone", "oboe": "oboe", "bassoon": "bassoon",
    "clarinet": "clarinet", "flute": "flute", "recorder": "recorder", "pan_flute": "pan flute",
    "shakuhachi": "shakuhachi", "whistle": "whistling", "ocarina": "ocarina", "harmonica": "harmonica",
    "bagpipe": "bagpipes", "tubular_bells": "tubular bells",
    "square_lead": "chip lead", "pulse_lead": "chip lead", "saw_lead": "synth lead", "soft_lead": "synth lead",
    "warm_pad": "synth pad", "glass_pad": "synth pad", "sweep_pad": "synth pad", "drone_pad": "synth drone",
    "supersaw": "supersaw", "synth_pluck": "synth pluck", "chip_arp": "chip arpeggio",
    "upright_bass": "double bass", "finger_bass": "electric bass", "picked_bass": "electric bass",
    "fretless_bass": "fretless bass", "slap_bass": "slap bass", "synth_bass": "synth bass",
    "sub_bass": "sub bass", "bass_808": "808", "reese_bass": "wobble bass", "bowed_bass": "double bass",
    "chip_bass": "chip bass",
    "kit_808": "drum machine", "kit_brush": "brushed drums", "kit_break": "breakbeat drums", "kit_retro": "gated drums",
}  # fmt: skip
"""What a prompt calls a sound; whatever the vocabulary does not have is not said."""

_KINS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "drums": (
        ("kit_standard", "kit_room", "kit_power"),
        ("kit_jazz", "kit_brush"),
        ("kit_house", "kit_techno", "kit_808", "kit_retro", "kit_lofi", "kit_break"),
    ),
    "bass": (
        ("finger_bass", "picked_bass", "fretless_bass", "slap_bass"),
        ("upright_bass", "bowed_bass"),
        ("synth_bass", "sub_bass", "bass_808", "reese_bass"),
    ),
    "chords": (
        ("piano", "bright_piano", "honky_tonk", "harpsichord"),
        ("rhodes", "fm_piano", "clavinet"),
        ("organ", "rock_organ", "accordion", "harmonium"),
        ("nylon_guitar", "steel_guitar", "jazz_guitar", "clean_guitar", "muted_guitar"),
        ("strings", "slow_strings", "synth_strings", "brass", "synth_brass"),
        ("warm_pad", "glass_pad", "supersaw", "synth_pluck"),
        ("vibraphone", "marimba", "kalimba", "harp"),
    ),
    "pad": (
        ("warm_pad", "glass_pad", "sweep_pad", "drone_pad"),
        ("strings", "slow_strings", "synth_strings"),
        ("choir", "voice_pad"),
        ("organ", "church_organ", "harmonium"),
    ),
    "lead": (
        ("flute", "recorder", "pan_flute", "shakuhachi", "ocarina", "whistle"),
        ("oboe", "clarinet", "soprano_sax", "alto_sax", "tenor_sax"),
        ("trumpet", "muted_trumpet", "trombone", "french_horn"),
        ("violin", "fiddle", "cello"),
        ("piano", "rhodes", "vibraphone", "marimba", "kalimba", "celesta", "music_box"),
        ("nylon_guitar", "steel_guitar", "jazz_guitar", "clean_guitar", "overdrive_guitar"),
        ("banjo", "mandolin", "koto", "shamisen", "sitar", "harp"),
        ("saw_lead", "soft_lead", "square_lead", "pulse_lead", "synth_pluck"),
    ),
}


def kins(role: str) -> tuple[tuple[str, ...], ...]:
    """Return groups of like sounds that can play ``role``; a counter plays what a lead plays."""
    return _KINS["lead" if role == "counter" else role]


def stand_in(voice: VoiceDescription, distance: float, rng: np.random.Generator) -> str:
    """Return another sound for ``voice``.

    Args:
        voice: Who plays.
        distance: Probability in [0, 1] of a sound of another kind, such as a trumpet for a flute.
        rng: Chooses.
    """
    groups = kins(voice.role)
    own = next((group for group in groups if voice.instrument in group), ())
    far = rng.random() < distance
    options = [name for name in own if name != voice.instrument]
    if far or not options:
        options = [name for group in groups if group is not own for name in group]
    return options[int(rng.integers(len(options)))]


def player(word: str, vocabulary: Vocabulary) -> tuple[str, tuple[str, ...]] | None:
    """Return the sound that ``word`` means and the roles that it can play, or ``None``."""
    found = vocabulary.instruments.get(word)
    if found is None or found.layer:
        return None
    for name, said in WORDS.items():
        if said == word:
            roles = tuple(role for role in _KINS if any(name in group for group in kins(role)))
            return (name, roles) if roles else None
    return None


def word_of(instrument: str, vocabulary: Vocabulary) -> str | None:
    """Return what a prompt calls a sound, or ``None`` where the vocabulary has no word for it."""
    word = WORDS.get(instrument)
    return word if word in vocabulary.instruments else None


def heard(word: str, voice: VoiceDescription, vocabulary: Vocabulary) -> bool:
    """Say whether an instrument word of a prompt is true of a player: it names the sound, its kin or its layer."""
    said = vocabulary.instruments.get(word)
    own = word_of(voice.instrument, vocabulary)
    if said is None:
        return False
    if said.layer and said.roles[0] == voice.role:
        return True
    if own is None:
        return False
    return (
        word == own
        or said.kin == vocabulary.instruments[own].kin
        or vocabulary.covers(word, own)
        or vocabulary.covers(own, word)
    )


def words_of(
    description: Description, roles: Iterable[str], vocabulary: Vocabulary
) -> tuple[str, ...]:
    """Return the words for the players of some roles, in the order of the roles and without repeats."""
    out: dict[str, None] = {}
    for role in roles:
        for voice in description.voices:
            word = word_of(voice.instrument, vocabulary) if voice.role == role else None
            if word is not None:
                out[word] = None
    return tuple(out)
