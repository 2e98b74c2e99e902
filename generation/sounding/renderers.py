"""What turns a part into sound: FluidSynth, TinySoundFont or our own sampler, all behind one method.

Patches that we synthesise ourselves are always played by our sampler; only General MIDI patches differ.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from domain.errors import GenerationError
from generation.audio import SAMPLE_RATE, Floats
from generation.generator import Note, Part
from generation.planning.patches import Patch, patch
from generation.sounding import gliding, kits, synth
from generation.sounding.sampler import Sampler
from generation.sounding.soundfont import SoundFont, default_soundfont
from generation.sounding.zones import Zone

NAMES = ("auto", "fluidsynth", "tinysoundfont", "numpy")
"""What the ``renderer`` setting may be."""

_ASIDE = 0.7
"""Level at which foreign renderers are read, for headroom."""


class Renderer(Protocol):
    """Plays General MIDI parts."""

    @property
    def name(self) -> str:
        """Which of ``NAMES`` it is."""

    def play(self, part: Part, frames: int) -> Floats:
        """Return a stem of shape (1 or 2, frames)."""


class NumpyRenderer:
    """Our own sampler over a SoundFont and our own synthesis.

    Args:
        soundfont: The ``.sf2`` file.
    """

    name = "numpy"

    def __init__(self, soundfont: Path) -> None:
        self._font = SoundFont(soundfont)
        self._sampler = Sampler()

    def play(self, part: Part, frames: int) -> Floats:
        """Return a stem of shape (1 or 2, frames)."""
        used = patch(part.patch)
        if used.synth in synth.GLIDING:
            return gliding.play(part.notes, frames)
        return self._sampler.play(part.notes, self._zones(used), frames, percussion=used.percussion)

    def _zones(self, used: Patch) -> Sequence[Zone]:
        if used.percussion:
            font = self._font.zones(128, used.program)
            if not used.synth:
                return font
            own = kits.zones(used.synth)
            keys = {zone.keys[0] for zone in own}
            return (*own, *(zone for zone in font if zone.keys[0] not in keys))
        return synth.zones(used.synth) if used.synth else self._font.zones(0, used.program)


Playing = Callable[[Path, Part, int], Floats]
"""Plays a General MIDI part of so many frames through a SoundFont."""


class LibraryRenderer:
    """Hands General MIDI parts to a synthesiser library and keeps our own patches at home."""

    def __init__(self, name: str, soundfont: Path, playing: Playing) -> None:
        self.name = name
        # Compressed fonts are read by the library alone; our own patches borrow a few drums from ours.
        packed = soundfont.suffix.lower() == ".sf3"
        self._home = NumpyRenderer(default_soundfont() if packed else soundfont)
        self._soundfont = soundfont
        self._playing = playing

    def play(self, part: Part, frames: int) -> Floats:
        """Return a stem of shape (1 or 2, frames)."""
        if patch(part.patch).synth:
            return self._home.play(part, frames)
        return np.ascontiguousarray(self._playing(self._soundfont, part, frames), dtype=np.float32)


def _events(part: Part) -> list[tuple[int, int, int]]:
    """Return (frame, key, velocity) in time order, velocity 0 for a release; releases come first."""
    events = []
    for note in part.notes:
        held = max(note.seconds, 0.3) if part.percussion else note.seconds
        events.append((round(note.start * SAMPLE_RATE), note.pitch, note.velocity))
        events.append((round((note.start + held) * SAMPLE_RATE), note.pitch, 0))
    return sorted(events, key=lambda e: (e[0], e[2] > 0, e[1]))


def _walk(
    part: Part,
    frames: int,
    pull: Callable[[int], Floats],
    press: Callable[[int, int], Any],
    release: Callable[[int], Any],
) -> Floats:
    """Drive a synthesiser event by event; ``pull`` returns interleaved stereo frames."""
    out = np.zeros((2, frames), dtype=np.float32)
    at = 0
    for frame, key, velocity in [*_events(part), (frames, -1, 0)]:
        stop = min(frame, frames)
        if stop > at:
            out[:, at:stop] = pull(stop - at).reshape(-1, 2).T[:, : stop - at]
            at = stop
        if velocity:
            press(key, velocity)
        elif key >= 0:
            release(key)
    return out


def _with_tinysoundfont(soundfont: Path, part: Part, frames: int) -> Floats:
    """Play through the tinysoundfont package."""
    library = importlib.import_module("tinysoundfont")
    player = library.Synth(samplerate=SAMPLE_RATE)
    font = player.sfload(str(soundfont))
    channel = 9 if part.percussion else 0
    # Without the drum flag the percussion channel plays a piano.
    player.program_select(
        channel, font, 128 if part.percussion else 0, part.program, part.percussion
    )

    def pull(count: int) -> Floats:
        return np.frombuffer(bytes(player.generate(count)), dtype=np.float32) * _ASIDE

    return _walk(
        part,
        frames,
        pull,
        lambda key, velocity: player.noteon(channel, key, velocity),
        lambda key: player.noteoff(channel, key),
    )


def _with_fluidsynth(soundfont: Path, part: Part, frames: int) -> Floats:
    """Play through libfluidsynth by pyfluidsynth, without its own reverb and chorus."""
    library = importlib.import_module("fluidsynth")
    player = library.Synth(gain=0.6, samplerate=float(SAMPLE_RATE))
    player.setting("synth.reverb.active", 0)
    player.setting("synth.chorus.active", 0)
    # Large fonts are read from disk for every part otherwise.
    player.setting("synth.dynamic-sample-loading", 1)
    font = player.sfload(str(soundfont))
    channel = 9 if part.percussion else 0
    player.program_select(channel, font, 128 if part.percussion else 0, part.program)

    def pull(count: int) -> Floats:
        samples = np.asarray(player.get_samples(count))
        return samples.astype(np.float32) * np.float32(_ASIDE / 32768)

    try:
        return _walk(
            part,
            frames,
            pull,
            lambda key, velocity: player.noteon(channel, key, velocity),
            lambda key: player.noteoff(channel, key),
        )
    finally:
        player.delete()


def available() -> tuple[str, ...]:
    """Return the names of the renderers that can work here, best first."""
    found = []
    if _fluidsynth_works():
        found.append("fluidsynth")
    if importlib.util.find_spec("tinysoundfont") is not None:
        found.append("tinysoundfont")
    return (*found, "numpy")


def create_renderer(name: str, soundfont: Path) -> Renderer:
    """Return a renderer.

    Args:
        name: One of ``NAMES``. ``"auto"`` takes the first that is installed, in their order.
        soundfont: The ``.sf2`` file.

    Raises:
        GenerationError: The name is unknown, or what it needs is not installed.
    """
    if name not in NAMES:
        raise GenerationError(f"There is no renderer {name!r}. Choose one of {', '.join(NAMES)}.")
    if name in {"auto", "fluidsynth"}:
        if _fluidsynth_works():
            return LibraryRenderer("fluidsynth", soundfont, _with_fluidsynth)
        if name == "fluidsynth":
            raise GenerationError(
                "The fluidsynth renderer needs libfluidsynth and the pyfluidsynth package. "
                "Install both, or set renderer to auto."
            )
    if name in {"auto", "tinysoundfont"}:
        if importlib.util.find_spec("tinysoundfont") is not None:
            return LibraryRenderer("tinysoundfont", soundfont, _with_tinysoundfont)
        if name == "tinysoundfont":
            raise GenerationError(
                "The tinysoundfont renderer needs the tinysoundfont package. "
                "Install it, or set renderer to auto."
            )
    return NumpyRenderer(soundfont)


def _fluidsynth_works() -> bool:
    if importlib.util.find_spec("fluidsynth") is None:
        return False
    try:
        # The package is there without its library as often as not, and says so when imported.
        importlib.import_module("fluidsynth")
    except (ImportError, OSError, AttributeError):
        return False
    return True


def kick_notes(parts: Sequence[Part]) -> list[Note]:
    """Return the bass drum's strokes."""
    return [
        n for part in parts if part.percussion for n in part.notes if n.pitch in {35, kits.KICK}
    ]
