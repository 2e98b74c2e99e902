"""Which SoundFont plays: where they are looked for, which are known to be good, and a probe that each must pass."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from domain.errors import GenerationError
from generation.audio import SAMPLE_RATE, Floats
from generation.generator import Note, Part
from generation.sounding.renderers import NAMES, Renderer, available, create_renderer
from generation.sounding.soundfont import default_soundfont, preset_numbers

FOLDER = "soundfonts"
"""Folder within the data folder that is looked into first."""
_BUNDLED = "TimGM6mb"
_UNKNOWN = "its own licence"
# Beginning of the file's name in lower case without marks, best first: title, licence.
_KNOWN = (
    ("musescoregeneral", "MuseScore General", "MIT"),
    ("generalusergs", "GeneralUser GS", "GeneralUser GS licence 2.0 (free for any use)"),
    ("fluidr3gm", "FluidR3 GM", "MIT"),
    ("fluidr3mono", "FluidR3 Mono", "MIT"),
    ("fluidr3", "FluidR3", "MIT"),
    ("timgm6mb", "TimGM6mb", "GPL-2.0"),
)
_NEEDED = {0: "piano", 24: "guitar", 33: "bass", 48: "strings", 56: "trumpet", 73: "flute"}
"""Programs without which a font is not General MIDI."""
_DRUMS = 128
_CENTS = 20.0
_SOFTER = 6.0
_SECONDS = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Font:
    """A SoundFont that was found.

    Attributes:
        path: The file.
        title: What it is called.
        licence: Its licence; ``"its own licence"`` where we do not know it.
        rank: 0 is the best; the larger, the later it is tried.
        known: Whether it is one of those that we know to cover General MIDI.
    """

    path: Path
    title: str
    licence: str
    rank: int
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What a short listen told.

    Attributes:
        cents: How far each probed patch is out of tune.
        softer: Decibels by which velocity 40 is quieter than velocity 100.
        alike: Correlation of the snare drum with a piano on its key, in [0, 1].
        faults: One clause for each thing that is wrong; empty when the font may be used.
    """

    cents: Mapping[str, float]
    softer: float
    alike: float
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What plays.

    Attributes:
        renderer: Ready to play.
        font: The SoundFont in it.
        probe: What the probe heard, or ``None`` for the one that comes with the dependencies.
        rejected: Fonts that were not taken, each with the reason.
    """

    renderer: Renderer
    font: Font
    probe: Probe | None
    rejected: tuple[tuple[Font, str], ...]

    @property
    def details(self) -> dict[str, str]:
        """What to say in ``/about``."""
        return {"renderer": self.renderer.name, "soundfont": self.font.path.name}

    @property
    def licence(self) -> str:
        """Licence of the composer and of the recordings."""
        if self.font.licence == _UNKNOWN:
            return f"MIT (composer), {self.font.path.name} under its own licence"
        return f"MIT (composer), {self.font.licence} ({self.font.title} SoundFont)"


def folders(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return where SoundFonts are looked for, as the XDG and Homebrew variables and their defaults have it."""
    home = environ.get("HOME", "")
    data_home = environ.get("XDG_DATA_HOME") or (f"{home}/.local/share" if home else "")
    shared = environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    roots = [Path(root) for root in (data_home, *shared.split(":")) if root]
    brew = environ.get("HOMEBREW_PREFIX", "" if environ.get("XDG_DATA_DIRS") else "/opt/homebrew")
    if brew:
        roots.append(Path(brew) / "share")
    return tuple(
        root / name for root in roots for name in ("sounds/sf2", "sounds/sf3", "soundfonts")
    )


def find(first: str = "", environ: Mapping[str, str] | None = None) -> tuple[Font, ...]:
    """Return every SoundFont that is there, best first.

    Args:
        first: A file that is wanted before all others, a folder to look into first, or ``""``.
        environ: Environment that says where shared files lie; this process's when ``None``.

    Raises:
        GenerationError: ``first`` names something that is not there.
    """
    places = list(folders(os.environ if environ is None else environ))
    fonts: dict[Path, Font] = {}
    if first:
        named = Path(first).expanduser()
        if named.is_file():
            return (describe(named),)
        if not named.is_dir():
            raise GenerationError(f"There is no SoundFont at {first}. Check the soundfont setting.")
        places.insert(0, named)
    for place in places:
        for path in sorted(place.glob("*.[sS][fF][23]")) if place.is_dir() else ():
            real = path.resolve()
            if real.is_file():
                fonts.setdefault(real, describe(real))
    bundled = default_soundfont()
    if not any(font.path.name == bundled.name for font in fonts.values()):
        fonts[bundled] = describe(bundled)
    return tuple(sorted(fonts.values(), key=lambda font: (font.rank, str(font.path))))


def describe(path: Path) -> Font:
    """Return what is known about a file by its name."""
    plain = "".join(c for c in path.stem.lower() if c.isalnum())
    for rank, (start, title, licence) in enumerate(_KNOWN):
        if plain.startswith(start):
            packed = path.suffix.lower() == ".sf3"
            return Font(
                path=path,
                title=title,
                licence=licence,
                rank=2 * rank + packed,
                known=True,
            )
    return Font(path=path, title=path.stem, licence=_UNKNOWN, rank=2 * len(_KNOWN), known=False)


def choose(renderer: str = "auto", soundfont: str = "") -> Choice:
    """Return the best renderer and SoundFont that work here.

    A file that is named is used or refused, never passed over. Otherwise the known fonts are tried from the best
    down; the one that comes with the dependencies is the last.

    Args:
        renderer: One of ``generation.sounding.renderers.NAMES``.
        soundfont: A file, a folder to look into first, or ``""``.

    Raises:
        GenerationError: The renderer or the file cannot be used; says why.
    """
    if renderer not in NAMES:
        raise GenerationError(
            f"There is no renderer {renderer!r}. Choose one of {', '.join(NAMES)}."
        )
    fonts = find(soundfont)
    named = bool(soundfont) and Path(soundfont).expanduser().is_file()
    rejected: list[tuple[Font, str]] = []
    taken: Choice | None = None
    for font in fonts:
        if not font.known and not named:
            rejected.append(
                (font, "it is not one that we know; set soundfont to its path to use it")
            )
        elif taken is not None:
            rejected.append((font, f"{taken.font.title} comes first"))
        else:
            made = _try(renderer, font)
            if isinstance(made, Choice):
                taken = made
            else:
                rejected.append((font, made))
    if taken is None:
        font, why = rejected[0]
        what = f"The SoundFont {font.path.name}"
        raise GenerationError(f"{why}." if what in why else f"{what} cannot be used: {why}.")
    return Choice(
        renderer=taken.renderer, font=taken.font, probe=taken.probe, rejected=tuple(rejected)
    )


def _try(renderer: str, font: Font) -> Choice | str:
    """Return a working choice, or why there is none."""
    packed = font.path.suffix.lower() == ".sf3"
    able = set(available()) - {"numpy"}
    if packed and not (able if renderer == "auto" else able & {renderer}):
        return "it is compressed (.sf3), which only FluidSynth and TinySoundFont can read"
    try:
        faults = missing(font.path)
        if faults:
            return faults
        made = create_renderer(renderer, font.path)
        if font.path == default_soundfont():
            return Choice(renderer=made, font=font, probe=None, rejected=())
        heard = probe(made)
    except GenerationError as error:
        return str(error).rstrip(".")
    if heard.faults:
        return "; ".join(heard.faults)
    return Choice(renderer=made, font=font, probe=heard, rejected=())


def missing(path: Path) -> str:
    """Return what a font lacks of General MIDI as one clause, or ``""``.

    Raises:
        GenerationError: It is not a SoundFont.
    """
    there = preset_numbers(path)
    lacking = [name for program, name in _NEEDED.items() if (0, program) not in there]
    if (_DRUMS, 0) not in there:
        lacking.append("drums")
    return f"it has no {', '.join(lacking)}" if lacking else ""


def probe(renderer: Renderer) -> Probe:
    """Listen to a few notes of a renderer: tuning, touch, and whether its drums are drums."""
    cents = {
        name: _cents(_heard(renderer, name, 69, 100), 440.0)
        for name in ("piano", "nylon_guitar", "strings", "flute")
    }
    loud, soft = (_heard(renderer, "piano", 60, velocity) for velocity in (100, 40))
    softer = float(20 * np.log10((_rms(loud) + 1e-9) / (_rms(soft) + 1e-9)))
    snare, same_key = (_heard(renderer, name, 38, 110) for name in ("kit_standard", "piano"))
    alike = abs(float(np.corrcoef(snare, same_key)[0, 1])) if _rms(snare) > 1e-4 else 1.0
    faults = [
        f"its {name.replace('_', ' ')} is {off:+.0f} cents out of tune"
        for name, off in cents.items()
        if not abs(off) <= _CENTS
    ]
    if _rms(loud) < 1e-4:
        faults.append("its piano is silent")
    elif softer < _SOFTER:
        faults.append(f"a soft note is only {softer:.1f} dB quieter than a loud one")
    if not alike < 0.5:
        faults.append("its drums are silent or play a piano")
    return Probe(cents=cents, softer=softer, alike=alike, faults=tuple(faults))


def _heard(renderer: Renderer, name: str, pitch: int, velocity: int) -> Floats:
    from generation.planning.patches import patch  # noqa: PLC0415  # reads a table that only a probe needs

    used = patch(name)
    note = Note(start=0.0, seconds=_SECONDS, pitch=pitch, velocity=velocity)
    part = Part(
        role="drums" if used.percussion else "lead",
        patch=name,
        program=used.program,
        percussion=used.percussion,
        notes=(note,),
    )
    return np.asarray(renderer.play(part, int(_SECONDS * SAMPLE_RATE)).mean(axis=0))


def _rms(wave: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(wave))))


def _cents(wave: Floats, hertz: float) -> float:
    """How far the strongest partial near ``hertz`` or its octaves lies from it; NaN where there is none."""
    steady = wave[2000:] * np.hanning(wave.size - 2000)
    power = np.abs(np.fft.rfft(steady, 1 << 18)) ** 2
    grid = np.fft.rfftfreq(1 << 18, 1 / SAMPLE_RATE)
    best = (1e-9, float("nan"))
    for times in (0.5, 1, 2, 4):
        near = (grid > hertz * times * 0.97) & (grid < hertz * times * 1.031)
        strength = float(power[near].max())
        middle = float((power[near] * grid[near]).sum() / (power[near].sum() + 1e-30))
        if strength > best[0] and middle > 0:
            best = (strength, float(1200 * np.log2(middle / (hertz * times))))
    return best[1]
