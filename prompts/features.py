"""Ten features to facets and back, and features to the eight levels of a description and back.

A feature says less than a facet: mode 0 is every mode with a minor third, and five in a bar may be 5/4 or 5/8. So what
is there already stays where it says the same: ``to_facets`` with a base in D dorian keeps dorian for mode 0. This makes
features and facets a lens: ``from_facets(to_facets(f, base)) == f`` and ``to_facets(from_facets(x), x) == x``.
"""

from __future__ import annotations

import dataclasses

from domain.description import Levels
from domain.facets import TONICS, Facets
from domain.features import RANGES, Features
from prompts.levels import clamp

SHARED = ("energy", "valence", "danceability", "acousticness", "instrumentalness")
"""Features that are levels by the same name and number."""
MINOR_SIDE = frozenset(
    {"minor", "dorian", "phrygian", "harmonic_minor", "locrian", "melodic_minor", "pelog"}
)
"""Modes whose third is minor, feature ``mode`` 0. All others, the blues among them, are 1."""

_QUIETEST, _LOUDEST = RANGES["loudness"]
_SLOWEST, _FASTEST = RANGES["tempo"]
_FEWEST, _MOST = (int(bound) for bound in RANGES["time_signature"])
_METRES = {2: (2, 4), 3: (3, 4), 4: (4, 4), 5: (5, 4), 6: (6, 8), 7: (7, 8)}
_BEATS_OF = {(9, 8): 3, (12, 8): 4, (8, 8): 4, (10, 8): 5}
_DIGITS = 9


def loudness_level(decibels: float) -> float:
    """Return the level in [0, 1] of a loudness in [-30, 0] dB: a straight line, so -30 is 0, -15 is .5 and 0 is 1."""
    return round(clamp((decibels - _QUIETEST) / (_LOUDEST - _QUIETEST)), _DIGITS)


def loudness_decibels(level: float) -> float:
    """Return the loudness in [-30, 0] dB of a level in [0, 1]; undoes ``loudness_level``."""
    return round(_QUIETEST + clamp(level) * (_LOUDEST - _QUIETEST), _DIGITS - 2)


def metre_of(time_signature: int) -> tuple[int, int]:
    """Return the usual metre of 2 to 7 counts: 2/4, 3/4, 4/4, 5/4, 6/8 and 7/8."""
    return _METRES[int(clamp(time_signature, _FEWEST, _MOST))]


def time_signature_of(metre: tuple[int, int]) -> int:
    """Return how many a listener counts in a bar, 2 to 7.

    It is the upper number of the metre. 9/8 and 12/8 are counted in dotted quarters (3 and 4), 8/8 and 10/8 in
    quarters (4 and 5); any other is brought into the range.
    """
    return _BEATS_OF.get(metre, int(clamp(metre[0], _FEWEST, _MOST)))


def mode_of(mode: str) -> int:
    """Return 0 for a mode with a minor third and 1 for any other."""
    return 0 if mode in MINOR_SIDE else 1


def to_facets(features: Features, base: Facets = Facets()) -> Facets:  # noqa: B008  # frozen
    """Return ``base`` with everything that ``features`` say.

    Args:
        features: All ten are set: five levels, loudness as a level, tempo, tonic, mode and metre.
        base: Keeps genre, words, instruments, density and brightness, and its own mode and metre where they are of
            the kind that the feature names.
    """
    mode, metre = base.mode, base.metre
    if mode is None or mode_of(mode) != features.mode:
        mode = "major" if features.mode else "minor"
    if metre is None or time_signature_of(metre) != features.time_signature:
        metre = metre_of(features.time_signature)
    loudness = base.loudness
    if loudness is None or loudness_decibels(loudness) != features.loudness:
        loudness = loudness_level(features.loudness)
    return dataclasses.replace(
        base,
        **{name: float(getattr(features, name)) for name in SHARED},  # type: ignore[arg-type]
        loudness=loudness,
        tempo=float(features.tempo),
        tonic=TONICS[int(features.key)],
        mode=mode,
        metre=metre,
    )


def from_facets(facets: Facets, base: Features = Features()) -> Features:  # noqa: B008  # frozen
    """Return ``base`` with what ``facets`` state; what they leave open stays as it is in ``base``."""
    said: dict[str, float] = {
        name: getattr(facets, name) for name in SHARED if getattr(facets, name) is not None
    }
    if facets.loudness is not None:
        said["loudness"] = loudness_decibels(facets.loudness)
    if facets.tempo is not None:
        said["tempo"] = clamp(facets.tempo, _SLOWEST, _FASTEST)
    if facets.tonic in TONICS:
        said["key"] = TONICS.index(facets.tonic)
    if facets.mode is not None:
        said["mode"] = mode_of(facets.mode)
    if facets.metre is not None:
        said["time_signature"] = time_signature_of(facets.metre)
    return dataclasses.replace(base, **said)  # type: ignore[arg-type]


def levels_of(
    features: Features, *, density: float | None = None, brightness: float | None = None
) -> Levels:
    """Return the eight levels of ten features.

    Args:
        features: Give six of them.
        density: Which features do not have; otherwise ``.2 + .6 * energy``, since lively music is busier.
        brightness: Likewise; otherwise ``.25 + .3 * energy + .2 * valence``.
    """
    energy, valence = features.energy, features.valence
    if density is None:
        density = round(0.2 + 0.6 * energy, _DIGITS)
    if brightness is None:
        brightness = round(0.25 + 0.3 * energy + 0.2 * valence, _DIGITS)
    return Levels(
        **{name: getattr(features, name) for name in SHARED},
        loudness=loudness_level(features.loudness),
        density=clamp(density),
        brightness=clamp(brightness),
    )


def from_levels(
    levels: Levels, tempo: float, tonic: str, mode: str, metre: tuple[int, int]
) -> Features:
    """Return the ten features of a piece.

    ``from_levels(levels_of(f), f.tempo, ...)`` is ``f`` again.

    Args:
        levels: Six of the eight are features.
        tempo: Beats per minute, brought into [40, 220].
        tonic: One of ``domain.facets.TONICS``.
        mode: One of ``domain.facets.MODES``.
        metre: Beats in a bar and note value, see ``time_signature_of``.
    """
    return Features(
        **{name: getattr(levels, name) for name in SHARED},
        loudness=loudness_decibels(levels.loudness),
        tempo=clamp(tempo, _SLOWEST, _FASTEST),
        key=TONICS.index(tonic),
        mode=mode_of(mode),
        time_signature=time_signature_of(metre),
    )
