"""FIGARO's description language (von Rütte et al. 2023): 965 tokens, to and from descriptions.

The tokens are FIGARO's, also their bins; the units are corrected, since FIGARO's own code mixes them up:

- note density counts notes for each *quarter* (there: for each twelfth of one, which leaves most bins unused),
- mean duration is in *twelfths of a quarter* (there: in ticks of the file, which always end in the last bin),
- mean pitch is that of the pitched notes (there: drum keys count as pitches).

What FIGARO cannot say is lost on the way out and assumed on the way in: tempo, key, swing, form, which voice plays what
and where in the bar a chord begins. A number that is left open is written as bin 0, as FIGARO does for empty bars.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from domain.chords import ChordAt
from domain.description import MAX_SECONDS, MAX_VOICES, NOTE_VALUES, Description
from domain.errors import DescriptionError
from domain.facets import TONICS
from generation.genome.mend import repair
from generation.genome.mend_voices import ROLE_OF, patch_of_program
from generation.genome.mending import Repair, nearest_word
from generation.planning.chords import INTERVALS
from generation.planning.gm import DRUM, PROGRAMS, instrument_name
from generation.planning.patches import patch
from generation.planning.styles import style
from generation.planning.theory import SCALES

ROOTS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
QUALITIES = ("maj", "min", "dim", "aug", "dom7", "maj7", "min7", "None")
LAST_BAR = 511
"""Highest number of a bar."""
_TO_FIGARO = {
    "": "maj", "m": "min", "dim": "dim", "aug": "aug", "5": "None", "sus2": "None", "sus4": "None", "7": "dom7",
    "maj7": "maj7", "m7": "min7", "m(maj7)": "min", "m7b5": "dim", "dim7": "dim", "6": "maj", "m6": "min",
    "add9": "maj", "madd9": "min", "9": "dom7", "maj9": "maj7", "m9": "min7",
}  # fmt: skip
_FROM_FIGARO = {
    "maj": "", "min": "m", "dim": "dim", "aug": "aug", "dom7": "7", "maj7": "maj7", "min7": "m7", "None": "5",
}  # fmt: skip
_NO_CHORD = "N:N"
_POSITIONS = 12
"""Of a quarter."""
BINS: Mapping[str, tuple[float, ...]] = {
    "density": tuple(np.linspace(0, 12, 33).tolist()),
    "velocity": tuple(np.linspace(0, 128, 33).tolist()),
    "pitch": tuple(np.linspace(0, 128, 33).tolist()),
    "duration": tuple((np.logspace(0, 7, 33, base=2) / _POSITIONS).tolist()),
}
"""Middle of each bin, in the units of ``domain.description.BarDescription``."""
_KINDS = {
    "density": "Note Density", "velocity": "Mean Velocity", "pitch": "Mean Pitch", "duration": "Mean Duration",
}  # fmt: skip


def _vocabulary() -> tuple[str, ...]:
    out = ["<pad>", "<unk>", "<bos>", "<eos>", "<mask>"]
    out += [f"Time Signature_{p}/{q}" for q in NOTE_VALUES for p in range(1, 3 * q + 1)]
    out += [f"Instrument_{name}" for name in (*PROGRAMS, DRUM)]
    out += [f"Chord_{root}:{quality}" for root in ROOTS for quality in QUALITIES]
    out.append(f"Chord_{_NO_CHORD}")
    for kind, bins in ((_KINDS[name], BINS[name]) for name in BINS):
        out += [f"{kind}_{index}" for index in range(len(bins))]
    out += [f"Bar_{number}" for number in range(LAST_BAR + 1)]
    return tuple(out)


VOCABULARY: tuple[str, ...] = _vocabulary()
"""All 965 tokens, FIGARO's five special ones first."""
_WORDS = frozenset(VOCABULARY)
_BRACKETS = re.compile(r"<([^<>]*)>")
_STARTS = re.compile(
    r"(?=(?:Bar|Time Signature|Note Density|Mean Velocity|Mean Pitch|Mean Duration|Instrument|Chord)_)"
)


def chord_name(chord: ChordAt) -> str:
    """Return what FIGARO calls a chord, such as ``"A:min7"``."""
    return f"{ROOTS[TONICS.index(chord.root)]}:{_TO_FIGARO[chord.quality]}"


def to_bin(name: str, value: float) -> int:
    """Return the nearest bin of a bar's number.

    Args:
        name: ``"density"``, ``"velocity"``, ``"pitch"`` or ``"duration"``.
        value: In the units of ``BarDescription``.
    """
    bins = BINS[name]
    return min(range(len(bins)), key=lambda index: abs(bins[index] - value))


def to_tokens(description: Description) -> tuple[str, ...]:
    """Return a description in FIGARO's tokens; bars after the 511th are left out."""
    beats, value = description.metre
    programs = {voice.name: patch(voice.instrument) for voice in description.voices}
    out: list[str] = []
    for number, bar in enumerate(description.bars[:LAST_BAR], 1):
        out += [f"Bar_{number}", f"Time Signature_{beats}/{value}"]
        for name, kind in _KINDS.items():
            amount = getattr(bar, name)
            out.append(f"{kind}_{0 if amount is None else to_bin(name, amount)}")
        names = {
            instrument_name(programs[v].program, percussion=programs[v].percussion)
            for v in bar.voices
        }
        out += [f"Instrument_{name}" for name in (DRUM, *PROGRAMS) if name in names]
        chords = [chord_name(chord) for chord in bar.chords]
        out += [f"Chord_{name}" for name, _ in itertools.groupby(chords)]
    return tuple(out)


def to_text(description: Description) -> str:
    """Return the tokens as ``"<Bar_1> <Time Signature_4/4> ..."``."""
    return " ".join(f"<{token}>" for token in to_tokens(description))


def from_tokens(
    tokens: str | Iterable[str], *, tempo: float = 120.0, family: str = "pop"
) -> tuple[Description, tuple[Repair, ...]]:
    """Read FIGARO's tokens, or a text of them, leniently.

    Args:
        tokens: A sequence, or a text with or without angle brackets.
        tempo: Beats per minute, which the tokens do not tell.
        family: One of ``domain.facets.FAMILIES``: whose patterns are played.

    Returns:
        The description, and what had to be changed or assumed to make it one.

    Raises:
        DescriptionError: There is no bar or no instrument in it.
    """
    reader = _Reader()
    for token in _split(tokens) if isinstance(tokens, str) else tokens:
        reader.take(token)
    if not any(bar.instruments for bar in reader.bars):
        raise DescriptionError("tokens", "no bar has an instrument; write <Bar_1> <Instrument_...>")
    description, repairs = repair(_json(reader, tempo, family))
    return description, (*reader.repairs, *repairs)


def _split(text: str) -> list[str]:
    found = _BRACKETS.findall(text) if "<" in text else _STARTS.split(text)
    return [token.strip() for token in found if token.strip()]


class _Bar:
    def __init__(self) -> None:
        self.metre: tuple[int, int] | None = None
        self.numbers: dict[str, float] = {}
        self.instruments: list[str] = []
        self.chords: list[str] = []


class _Reader:
    """Takes one token after the other."""

    def __init__(self) -> None:
        self.bars: list[_Bar] = []
        self.repairs: list[Repair] = []

    def take(self, token: str) -> None:
        """Read a token into the last bar; what cannot be read is noted."""
        kind, _, what = token.partition("_")
        what = what.strip()
        if kind == "Bar":
            self.bars.append(_Bar())
            if what != str(len(self.bars)):
                self._note("Bar", what, str(len(self.bars)), "bars are counted from 1")
            return
        if token in {"pad", "bos", "eos", "mask", *VOCABULARY[:5]}:
            return
        if not self.bars:
            self._note("Bar", "missing", "1", "every token belongs to a bar")
            self.bars.append(_Bar())
        bar = self.bars[-1]
        name = next((n for n, word in _KINDS.items() if word == kind), None)
        if name is not None and what.isdigit():
            self._number(bar, name, what)
        elif kind == "Instrument":
            self._instrument(bar, what)
        elif kind == "Chord" and token in _WORDS:
            bar.chords += [what] if what != _NO_CHORD else []
        elif kind == "Time Signature" and token in _WORDS:
            beats, _, value = what.partition("/")
            bar.metre = (int(beats), int(value))
        else:
            self._note("", token[:40], "left out", "there is no such token")

    def _number(self, bar: _Bar, name: str, what: str) -> None:
        index = min(len(BINS[name]) - 1, int(what[:9]))
        if str(index) != what:
            self._note(name, what, str(index), f"bins go from 0 to {len(BINS[name]) - 1}")
        if index or name == "duration":
            bar.numbers[name] = BINS[name][index]

    def _instrument(self, bar: _Bar, what: str) -> None:
        plain = what.strip("_")
        known = DRUM if plain.lower() in {"drum", "drums"} else what if what in PROGRAMS else None
        name = known or nearest_word(plain, PROGRAMS)
        if name is None:
            self._note("instrument", what, "left out", "General MIDI has nothing like it")
            return
        if known is None:
            self._note("instrument", what, name, "as General MIDI has it")
        if name not in bar.instruments:
            bar.instruments.append(name)

    def _note(self, where: str, was: str, now: str, why: str) -> None:
        place = f"bars[{max(0, len(self.bars) - 1)}]" + (f".{where}" if where else "")
        self.repairs.append(Repair(where=place, was=was, now=now, why=why))


def _json(reader: _Reader, tempo: float, family: str) -> dict[str, Any]:
    """Write what was read as ``generation.genome.mend.repair`` takes it."""
    bars = reader.bars
    counts = Counter(bar.metre for bar in bars if bar.metre is not None)
    metre = counts.most_common(1)[0][0] if counts else (4, 4)
    for number, bar in enumerate(bars):
        if bar.metre not in {None, metre}:
            was, now = (f"{m[0]}/{m[1]}" for m in (bar.metre or metre, metre))
            reader.repairs.append(
                Repair(where=f"bars[{number}].metre", was=was, now=now, why="a piece has one metre")
            )
    used = Counter(name for bar in bars for name in bar.instruments)
    kept = {name for name, _ in used.most_common(MAX_VOICES)}
    for name in used:
        if name not in kept:
            why = f"a piece has at most {MAX_VOICES} voices"
            reader.repairs.append(Repair(where="voices", was=name, now="left out", why=why))
    names = [name for name in (DRUM, *PROGRAMS) if name in kept]
    tonic, mode = _key([chord for bar in bars for chord in bar.chords])
    return {
        "family": family,
        "tempo": tempo,
        "tonic": tonic,
        "mode": mode,
        "metre": f"{metre[0]}/{metre[1]}",
        "tune": [len(bars), len(names)],
        "seconds": _seconds(len(bars), tempo, metre),
        "voices": _voices(names, family),
        "bars": [
            {
                "section": "end" if number == len(bars) - 1 else "AB"[number // 8 % 2],
                "chords": _chords(bar.chords, metre),
                "voices": [name for name in names if name in bar.instruments],
                **_numbers(bar),
            }
            for number, bar in enumerate(bars)
        ],
    }


def _numbers(bar: _Bar) -> dict[str, float]:
    """Return the numbers that are about anything: without pitched notes there is no pitch and no length."""
    if not bar.instruments:
        return {}
    pitched = bar.instruments != [DRUM]
    return {
        name: value
        for name, value in bar.numbers.items()
        if pitched or name in {"density", "velocity"}
    }


def _seconds(bars: int, tempo: float, metre: tuple[int, int]) -> float:
    """Return a length with room for all bars, the last one rung out."""
    beat = 1.5 if metre[1] == 8 and metre[0] % 3 == 0 else 2.0 if metre[1] == 2 else 1.0
    quarters = metre[0] * 4 / metre[1]
    return min(MAX_SECONDS, round(bars * quarters / beat * 60 / max(tempo, 1.0) + 1, 2))


def _voices(names: Sequence[str], family: str) -> list[dict[str, Any]]:
    out = []
    drums = style(family).drums
    kits = drums.kits if drums is not None else ("kit_standard",)
    taken: set[str] = set()
    for number, name in enumerate(names):
        if name == DRUM:
            role, instrument = "drums", kits[0]
        else:
            found = patch_of_program(PROGRAMS.index(name))
            instrument, role = found.name, ROLE_OF[found.kind]
            role = {"lead": "counter", "chords": "pad"}.get(role, role) if role in taken else role
            role = "counter" if role in taken else role
        taken.add(role)
        out.append(
            {
                "name": name,
                "role": role,
                "instrument": instrument,
                "style": family,
                "tune": [number, 1],
            }
        )
    return out


def _chords(names: Sequence[str], metre: tuple[int, int]) -> list[str]:
    """Spread chords over the bar, as their tokens do not say where they begin."""
    steps = max(1, metre[0] * 16 // metre[1])
    out = []
    for place, name in enumerate(names[:steps]):
        root, _, quality = name.partition(":")
        beat = place * steps // len(names[:steps]) * metre[1] / 16
        out.append(str(ChordAt.parse(f"{root}{_FROM_FIGARO[quality]}@{beat:g}")))
    return out


def _key(names: Sequence[str]) -> tuple[str, str]:
    """Return the major or minor key whose scale has the most of the chords' tones, the first chord counting double."""
    tones: Counter[int] = Counter()
    for place, name in enumerate(names):
        root, _, quality = name.partition(":")
        for interval in INTERVALS[_FROM_FIGARO[quality]]:
            tones[(ROOTS.index(root) + interval) % 12] += 2 if place == 0 else 1
    first = ROOTS.index(names[0].partition(":")[0]) if names else 0

    def worth(key: tuple[int, str]) -> float:
        tonic, mode = key
        scale = {(tonic + step) % 12 for step in SCALES[mode]}
        return sum(tones[c] for c in scale) + 0.5 * tones[tonic] + (tonic == first)

    best = max(((t, m) for t in range(12) for m in ("major", "minor")), key=worth)
    return TONICS[best[0]], best[1]
