"""The mixing desk's settings: a channel strip for each role, bent by what plays it, by the style and by the levels."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import lru_cache

from generation.audio import Floats, as_floats
from generation.planning.patches import patch
from generation.planning.plan import Plan
from generation.sounding.blocks import SIZE
from generation.sounding.spaces import SPACES
from generation.sounding.spectrum import (
    bell,
    frequencies,
    high_pass,
    high_shelf,
    low_pass,
    low_shelf,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """How one part goes through the desk.

    Attributes:
        cut: Hertz of the high-pass: only drums and bass may have the bottom.
        top: Hertz of the low-pass.
        body: Decibels around 110 Hz.
        mud: Decibels around 320 Hz, where everything crowds.
        presence: Decibels around 2.6 kHz.
        air: Decibels above 5 kHz.
        squeeze: Compression in [0, 1].
        punch: Decibels added to the first milliseconds of strokes.
        drive: Saturation in [0, 1].
        pan: Left -1 to right 1.
        send: Share that goes to the room.
        echo: Share that goes to the echo.
        duck: How far the bass drum pushes it aside, 0 to 1.
        wide: Double a mono part to both sides.
        vibrato: Cents that a held note swings, 0 for none.
    """

    cut: float = 150.0
    top: float = 20_000.0
    body: float = 0.0
    mud: float = 0.0
    presence: float = 0.0
    air: float = 0.0
    squeeze: float = 0.2
    punch: float = 0.0
    drive: float = 0.0
    pan: float = 0.0
    send: float = 1.0
    echo: float = 0.0
    duck: float = 0.0
    wide: bool = False
    vibrato: float = 0.0


_STRIPS = {
    "drums": Strip(cut=28, squeeze=0.35, punch=2.5, drive=0.1, send=0.35, mud=-1.5),
    "bass": Strip(cut=28, top=5200, squeeze=0.55, drive=0.2, send=0.06, duck=1.0, presence=1.5),
    "chords": Strip(cut=130, mud=-2, squeeze=0.3, pan=-0.28, send=0.8, echo=0.4, duck=0.8, air=1.5),
    "pad": Strip(cut=190, mud=-2.5, squeeze=0.1, send=1.2, duck=1.0, air=1.0),
    "lead": Strip(
        cut=170, mud=-1, presence=1.5, squeeze=0.4, pan=0.06, echo=1.0, duck=0.25, air=1.5
    ),
    "counter": Strip(cut=200, mud=-1.5, squeeze=0.3, pan=0.42, send=1.2, echo=0.8, duck=0.6, air=1),
    "fx": Strip(cut=40, squeeze=0.0, send=1.0, echo=0.3),
}
_GUITARS = {"distortion_guitar", "overdrive_guitar", "clean_guitar", "muted_guitar"}
"""Guitars that are played twice, once on each side."""
DEEP = {"sub_bass": 4.0, "bass_808": 1.5, "drone_pad": 1.5}
"""Decibels taken off sounds that are nearly all fundamental: loud on paper and mud in the room."""


def loudness(plan: Plan) -> float:
    """Return how loudly the music is played, in [0, 1]."""
    return plan.levels.loudness


def acousticness(plan: Plan) -> float:
    """Return how acoustic the music is, in [0, 1]."""
    return plan.levels.acousticness


def strip(plan: Plan, role: str, patch_name: str) -> Strip:
    """Return the strip of a part.

    Args:
        plan: The style, and how loudly it is played.
        role: One of ``domain.description.ROLES``, or ``"fx"``.
        patch_name: Who plays; for ``"fx"`` it does not matter.
    """
    base = _STRIPS[role]
    push = loudness(plan) - 0.5
    changes: dict[str, object] = {
        "squeeze": min(1.0, max(0.0, base.squeeze * (1 + 1.4 * push))),
        "drive": base.drive * (1 + 1.2 * push),
        "punch": base.punch * plan.style.mix.punch * 2,
    }
    if role == "fx":
        return dataclasses.replace(base, **changes)  # type: ignore[arg-type]
    used = patch(patch_name)
    if role == "drums" and not used.synth:
        # Cymbals and skins of General MIDI kits are recorded dull.
        changes["air"] = 6.5
    elif used.synth and role != "drums":
        changes |= {"air": 0.0, "presence": 0.0}
    elif role in {"chords", "lead", "counter"}:
        changes["air"] = base.air + 2.0
    if role in {"lead", "counter"} and used.kind == "sustained":
        changes["vibrato"] = 13.0
    if role == "chords" and patch_name in _GUITARS:
        changes["wide"] = True
    if role == "chords" and plan.style.chords and plan.style.chords.voicing == "power":
        # Driven guitars live between 85 Hz and 7 kHz; the rest is fizz.
        changes |= {"cut": 85.0, "top": 7000.0, "presence": 3.0, "air": 0.0, "squeeze": 0.1}
    return dataclasses.replace(base, **changes)  # type: ignore[arg-type]


@lru_cache(maxsize=32)
def curve(one: Strip) -> Floats:
    """Return the equaliser of a strip over ``frequencies(SIZE)``."""
    out = high_pass(SIZE, one.cut).copy()
    if one.top < 19_000:
        out *= low_pass(SIZE, one.top)
    for hertz, decibels in ((110.0, one.body), (320.0, one.mud), (2600.0, one.presence)):
        if decibels:
            out *= bell(SIZE, hertz, decibels)
    if one.air:
        out *= high_shelf(SIZE, 4500.0, one.air)
    out.setflags(write=False)
    return out


def tone(plan: Plan) -> Floats:
    """Return the whole mix's equaliser: the style's, bent by brightness and by words."""
    desk, effects = plan.style.mix, plan.effects
    lift = plan.brightness - plan.style.brightness
    high = desk.high + effects.high + 15 * lift
    low = desk.low + effects.low - 5 * lift
    top = min(desk.lowpass, effects.lowpass) * 2 ** (3.2 * lift)
    out = high_shelf(SIZE, 2800.0, high) * low_shelf(SIZE, 170.0, low)
    if top < 19_000:
        out *= low_pass(SIZE, max(700.0, top))
    # What lies under a bass guitar's lowest string takes loudness and gives few speakers anything.
    out *= high_pass(SIZE, max(30.0, effects.highpass)) * low_shelf(SIZE, 46.0, -2.5)
    out *= (frequencies(SIZE) < 20_500).astype("float32")
    return as_floats(out)


def squash(plan: Plan) -> float:
    """Return how hard the bus compressor works, in [0, 1]: louder playing is denser, never louder on file."""
    asked = plan.style.mix.squash + plan.effects.squash + 0.7 * (loudness(plan) - 0.5)
    return min(1.0, max(0.0, asked))


def drive(plan: Plan) -> float:
    """Return how much the sum is saturated, in [0, 1.5]."""
    asked = plan.style.mix.drive + plan.effects.drive
    return min(1.5, max(0.0, asked + 0.3 * max(0.0, loudness(plan) - 0.5)))


def room(plan: Plan) -> tuple[str, float, float]:
    """Return which space the music is in, its seconds, and how much of it is heard in [0, 0.75]."""
    desk, effects = plan.style.mix, plan.effects
    seconds = round(min(3.6, max(0.25, desk.room + effects.room)), 1)
    wet = min(0.75, max(0.0, desk.reverb + effects.wet))
    kind = desk.space
    if kind not in SPACES:
        small = "room" if acousticness(plan) >= 0.5 else "plate"
        kind = "hall" if seconds >= 1.7 else small
    return kind, seconds, wet


def echo(plan: Plan) -> tuple[float, float]:
    """Return the level of the echo in [0, 0.75] and its time in seconds: a dotted eighth of the tempo."""
    return min(0.75, plan.style.mix.echo + plan.effects.echo), plan.grid.step_seconds * 3
