"""Styles as data: one YAML file for each genre family, checked when it is loaded."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from domain.errors import GenerationError
from domain.facets import FAMILIES, MODES
from generation.planning.grid import BAR
from generation.planning.patches import patch, percussion_key
from generation.planning.theory import COLOURS, parse_chord
from generation.sounding.spaces import SPACES

_FOLDER = Path(__file__).parent / "styles"
_METRE = re.compile(r"([2-9]|1[0-5])/(2|4|8|16)")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

DRUM_MARKS = frozenset("Xxo+.")
"""Accent, normal, soft, optional (more of them the denser), nothing."""
BASS_MARKS = frozenset("R8573ar-.")
"""Root, octave, fifth, seventh, third, approach to the next root, optional root, hold, nothing."""
COMP_MARKS = frozenset("xsudo+01234567-.")
"""Chord held, staccato, up, down, soft, optional, single tones from the lowest, hold, nothing."""
LEAD_MARKS = frozenset("x-.")
"""Note, hold, nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrumStyle:
    """Drums: kits to choose from, grooves and fills as rows of sixteenths for each piece.

    ``odd`` holds grooves of one bar for metres into which those for 4/4 cannot be cut well, such as ``"7/8"``.
    """

    kits: tuple[str, ...]
    grooves: tuple[Mapping[str, str], ...]
    fills: tuple[Mapping[str, str], ...] = ()
    crash: bool = True
    odd: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BassStyle:
    """Bass: patterns of scale degrees over the chord, or ``walk`` for a walking line."""

    patches: tuple[str, ...]
    patterns: tuple[str, ...] = ()
    walk: bool = False
    follow_kick: bool = False
    lowest: int = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class CompStyle:
    """Chords: rhythm patterns, voicing and register."""

    patches: tuple[str, ...]
    patterns: tuple[str, ...]
    voicing: str = "close"
    span: tuple[int, int] = (52, 76)


@dataclass(frozen=True, slots=True, kw_only=True)
class PadStyle:
    """A sustained layer that is there by chance (0 to 1), surely when asked for."""

    patches: tuple[str, ...]
    chance: float = 0.5
    span: tuple[int, int] = (55, 79)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadStyle:
    """Melody: rhythm cells, register, scale and temperament."""

    patches: tuple[str, ...]
    cells: tuple[str, ...]
    register: int = 74
    scale: str = "mode"
    leap: float = 0.25
    rest: float = 0.1
    legato: float = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class MixStyle:
    """The desk: decibels by role, then the room and what colours the whole.

    ``punch`` is how hard strokes hit, 0 to 1; ``space`` is one of ``generation.sounding.spaces.SPACES``, or nothing for
    one that suits the instruments.
    """

    drums: float = 0.0
    bass: float = -2.0
    chords: float = -6.0
    pad: float = -11.0
    lead: float = -4.0
    counter: float = -10.0
    reverb: float = 0.18
    room: float = 1.2
    sidechain: float = 0.0
    echo: float = 0.0
    low: float = 0.0
    high: float = 0.0
    lowpass: float = 18_000.0
    drive: float = 0.0
    squash: float = 0.3
    width: float = 1.0
    punch: float = 0.5
    space: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanStyle:
    """How loosely people play: milliseconds and velocity steps of scatter, and how far drums lie behind the beat."""

    timing: float = 6.0
    velocity: float = 7.0
    drag: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Everything that makes a family sound like itself.

    Attributes:
        family: Its name.
        tempo: Lowest and highest usual tempo.
        metres: Weight of each metre, written ``"4/4"``.
        swing: See ``generation.planning.grid.Grid``.
        swing_unit: See there.
        energy: What is usual, in [0, 1], and so on for the next three.
        density: As energy.
        brightness: As energy.
        valence: As energy.
        modes: Weight of each mode.
        progressions: For ``"major"`` and ``"minor"``: bars parted by ``|``, chords by spaces.
        colour: Chord colour where a progression does not say.
        cadence: Chord before the last.
        drums: ``None`` where the family has none.
        bass: As drums.
        chords: As drums.
        pad: As drums.
        lead: As drums.
        mix: The desk.
        human: The players.
        forms: Forms of long pieces, names in ``forms.yaml``; the family's usual ones when empty.
        effects: Words of ``effects.yaml`` that belong to the family, each with its chance.
    """

    family: str
    tempo: tuple[float, float]
    metres: Mapping[str, float] = field(default_factory=lambda: {"4/4": 1.0})
    swing: float = 0.0
    swing_unit: int = 16
    energy: float = 0.5
    density: float = 0.5
    brightness: float = 0.5
    valence: float = 0.5
    modes: Mapping[str, float]
    progressions: Mapping[str, tuple[str, ...]]
    colour: str = "triad"
    cadence: str = "5"
    forms: tuple[str, ...] = ()
    drums: DrumStyle | None = None
    bass: BassStyle | None = None
    chords: CompStyle | None = None
    pad: PadStyle | None = None
    lead: LeadStyle | None = None
    mix: MixStyle = MixStyle()
    human: HumanStyle = HumanStyle()
    effects: Mapping[str, float] = field(default_factory=dict)

    def plays(self, name: str) -> bool:
        """Say whether a patch is among the style's own sounds."""
        parts = (self.bass, self.chords, self.pad, self.lead)
        own = [part.patches for part in parts if part is not None]
        if self.drums is not None:
            own.append(self.drums.kits)
        return any(name in names for names in own)


_SECTIONS: dict[str, type[Any]] = {
    "drums": DrumStyle,
    "bass": BassStyle,
    "chords": CompStyle,
    "pad": PadStyle,
    "lead": LeadStyle,
    "mix": MixStyle,
    "human": HumanStyle,
}


@cache
def style(family: str) -> Style:
    """Return the shipped style of a family.

    Raises:
        GenerationError: There is none, or its file is wrong; the text names file and key.
    """
    if family not in FAMILIES:
        raise GenerationError(f"There is no style for the family {family!r}.")
    path = _FOLDER / f"{family}.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise GenerationError(f"The style file {path.name} is missing.") from error
    return parse_style(family, text)


def parse_style(family: str, text: str) -> Style:
    """Read a style file.

    Args:
        family: Its name, which is also the file's.
        text: YAML.

    Raises:
        GenerationError: Not YAML, an unknown key, or a value that cannot be played; names file and key.
    """
    name = f"{family}.yaml"
    try:
        data = yaml.load(text, Loader=_LOADER)  # noqa: S506  # the safe loader, in C where there is one
    except yaml.YAMLError as error:
        raise GenerationError(f"{name} is not valid YAML: {error}") from error
    if not isinstance(data, dict):
        raise GenerationError(f"{name} must hold keys and values.")
    values = dict(data)
    for section, kind in _SECTIONS.items():
        if values.get(section) is not None:
            values[section] = _build(kind, values[section], f"{name}, {section}")
    values["progressions"] = {
        key: tuple(lines) for key, lines in dict(values.get("progressions") or {}).items()
    }
    made: Style = _build(Style, {"family": family, **values}, name)
    _check(made, name)
    return made


def _build(kind: type[Any], data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise GenerationError(f"{where} must hold keys and values.")
    known = [f.name for f in dataclasses.fields(kind)]
    for key in data:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise GenerationError(f"{where}: unknown key {key!r}{hint}")
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise GenerationError(f"{where}: {error}") from error


def _check(made: Style, name: str) -> None:
    _check_words(made, name)
    for key in ("major", "minor"):
        _check_progressions(made, key, f"{name}, progressions")
    for role in ("drums", "bass", "chords", "pad", "lead"):
        part = getattr(made, role)
        if part is not None:
            _check_patches(part.kits if role == "drums" else part.patches, f"{name}, {role}")
    if made.drums is not None:
        _check_drums(made.drums, f"{name}, drums")
    rows = {
        "bass": (made.bass.patterns if made.bass else (), BASS_MARKS),
        "chords": (made.chords.patterns if made.chords else (), COMP_MARKS),
        "lead": (made.lead.cells if made.lead else (), LEAD_MARKS),
    }
    for role, (patterns, marks) in rows.items():
        for row in patterns:
            _check_row(row, marks, f"{name}, {role}")


def _check_words(made: Style, name: str) -> None:
    for mode in made.modes:
        if mode not in MODES:
            raise GenerationError(f"{name}, modes: unknown mode {mode!r}")
    for metre in made.metres:
        if not _METRE.fullmatch(metre):
            raise GenerationError(f"{name}, metres: {metre!r} is not a metre such as '4/4'")
    if made.colour not in COLOURS:
        raise GenerationError(f"{name}, colour: unknown chord colour {made.colour!r}")
    if made.mix.space not in ("", *SPACES):
        raise GenerationError(f"{name}, mix: unknown space {made.mix.space!r}")


def _check_progressions(made: Style, key: str, where: str) -> None:
    if not made.progressions.get(key):
        raise GenerationError(f"{where}: {key!r} is missing")
    for line in (*made.progressions[key], made.cadence):
        for symbol in line.replace("|", " ").split():
            try:
                parse_chord(symbol)
            except GenerationError as error:
                raise GenerationError(f"{where}: {error}") from error


def _check_patches(names: tuple[str, ...], where: str) -> None:
    for each in names:
        try:
            patch(each)
        except KeyError:
            raise GenerationError(f"{where}: there is no patch {each!r}") from None


def _check_drums(drums: DrumStyle, where: str) -> None:
    for rows in (*drums.grooves, *drums.fills):
        for piece, row in rows.items():
            if percussion_key(piece) is None:
                raise GenerationError(f"{where}: unknown piece {piece!r}")
            _check_row(row, DRUM_MARKS, f"{where}, {piece}")
    for metre, grooves in drums.odd.items():
        match = _METRE.fullmatch(metre)
        steps = int(match[1]) * 16 // int(match[2]) if match else 0
        for piece, row in ((p, r) for rows in grooves for p, r in rows.items()):
            if percussion_key(piece) is None:
                raise GenerationError(f"{where}, odd: unknown piece {piece!r}")
            if len(row) != steps or set(row) - DRUM_MARKS:
                raise GenerationError(f"{where}, odd: {row!r} is not one bar of {metre}")


def _check_row(row: str, marks: frozenset[str], where: str) -> None:
    if len(row) == 0 or len(row) % BAR:
        raise GenerationError(f"{where}: {row!r} has {len(row)} steps, not a multiple of {BAR}")
    wrong = sorted(set(row) - marks)
    if wrong:
        raise GenerationError(f"{where}: {row!r} has the unknown mark {wrong[0]!r}")
