"""The grammar of descriptions: what is wrong with one, and everything that makes, mends and lists them.

``check`` says what could not be played as it is written. ``repair`` makes a description of what people and language
models write, ``random_description`` draws from all that the grammar has, and ``schema`` states it for programs.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.description import MAX_SECONDS, BarDescription, Description, VoiceDescription
from domain.errors import DescriptionError
from generation.genome.invent import random_description
from generation.genome.mend import repair
from generation.genome.mending import Repair
from generation.genome.reach import NUMBERS, fits_role, reach_of
from generation.genome.realise import find_instrument, grid_of, seconds_of
from generation.genome.schema import schema
from generation.planning.metres import suits
from generation.planning.patches import percussion_key
from generation.planning.styles import style

__all__ = ["Problem", "Repair", "check", "random_description", "repair", "schema"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that cannot be played as it is written.

    Attributes:
        where: The place, such as ``"bars[3].density"``.
        what: A sentence about it.
    """

    where: str
    what: str


def check(description: Description) -> tuple[Problem, ...]:
    """Return everything in a description that cannot be played as it is written; nothing when all can.

    The constructors have seen to it that there is nothing worse. A description with problems may still be played,
    except when an instrument does not exist: numbers are approached and clips lengthened.
    """
    out: list[Problem] = []
    for voice in description.voices:
        out += _check_voice(voice)
    if not suits(style(description.family), description.metre):
        beats, value = description.metre
        family = description.family.replace("_", " ")
        out.append(Problem(where="metre", what=f"{family} cannot be played in {beats}/{value}"))
    grid = grid_of(description)
    if description.pickup * grid.beat_steps >= grid.bar_steps and description.pickup:
        out.append(Problem(where="pickup", what="an upbeat is shorter than a bar"))
    needed = seconds_of(description)
    if needed > MAX_SECONDS:
        out.append(
            Problem(
                where="bars",
                what=f"{len(description.bars)} bars last {needed:.0f} s at this tempo, over {MAX_SECONDS:.0f} s",
            )
        )
    elif needed > description.seconds:
        out.append(
            Problem(where="seconds", what=f"the bars last {needed:.1f} s, longer than the clip")
        )
    if not any(bar.voices for bar in description.bars):
        out.append(Problem(where="bars", what="nobody plays in any bar"))
    if not out:
        for number, bar in enumerate(description.bars):
            out += _check_bar(description, number, bar)
    return tuple(out)


def _check_voice(voice: VoiceDescription) -> list[Problem]:
    try:
        find_instrument(voice)
    except DescriptionError as error:
        return [Problem(where=error.where, what=error.what)]
    where = f"voices.{voice.name}"
    if not fits_role(voice):
        what = f"{voice.instrument!r} has no notes where a {voice.role} plays"
        return [Problem(where=where, what=what)]
    return [
        Problem(where=where, what=f"there is no drum piece {piece!r}")
        for piece in (*voice.pieces, *voice.without)
        if percussion_key(piece) is None
    ]


def _check_bar(description: Description, number: int, bar: BarDescription) -> list[Problem]:
    reach = reach_of(description, number)
    out = []
    for name in NUMBERS:
        asked, span = getattr(bar, name), reach.of(name)
        where = f"bars[{number}].{name}"
        if asked is None:
            continue
        if span is None:
            out.append(Problem(where=where, what="nobody plays what this is about"))
        elif not span[0] - 1e-4 <= asked <= span[1] + 1e-4:
            what = f"{asked:g} is out of reach for who plays here; {span[0]:.2f} to {span[1]:.2f} is possible"
            out.append(Problem(where=where, what=what))
    return out
