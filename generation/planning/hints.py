"""What the vocabulary knows about a prompt's genre and words, in the terms that a plan is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.facets import Facets
from prompts.vocabulary import Vocabulary, pooled

_AXES = ("energy", "density", "brightness", "valence")
_FURTHER = ("danceability", "acousticness", "instrumentalness", "loudness")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """Defaults between the prompt's own words and the family's style. ``None`` and ``()`` leave it to the style.

    Attributes:
        levels: Energy, density, brightness and valence in [0, 1], as the genre and the mood words have them.
        tempo: Lowest and highest usual tempo.
        usual_energy: The genre's energy before mood words, against which tempo leans.
        metre: The genre's metre when it is not 4/4.
        modes: The genre's modes.
        instruments: What the genre is typically played on.
        leaning: Whether mood words push towards major or minor.
        usual: Of danceability, acousticness, instrumentalness and loudness what the named genre implies, in [0, 1].
        feels: How far the words move each of those four.
    """

    levels: tuple[float, float, float, float] | None = None
    tempo: tuple[float, float] | None = None
    usual_energy: float | None = None
    metre: tuple[int, int] | None = None
    modes: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    leaning: bool = False
    usual: Mapping[str, float] = field(default_factory=dict)
    feels: Mapping[str, float] = field(default_factory=dict)


def find_hints(facets: Facets, vocabulary: Vocabulary) -> Hints:
    """Look up what a prompt's genre and words imply."""
    effects = vocabulary.effects(facets)
    genre = vocabulary.genres.get(facets.genre or "")
    if genre is None and not effects:
        return Hints()
    if genre is None and facets.family is not None:
        near = vocabulary.genres_of(facets.family)
        if not near:
            return Hints()
        genre, named = near[0], False
    else:
        named = genre is not None
    faster = 1 + pooled(effects, "tempo")
    base = [getattr(genre, axis) if genre is not None else 0.5 for axis in _AXES]
    levels = [
        min(1.0, max(0.0, usual + pooled(effects, axis)))
        for axis, usual in zip(_AXES, base, strict=True)
    ]
    lean = sum({"major": 1, "minor": -1}.get(e.mode or "", 0) for e in effects)
    return Hints(
        levels=(levels[0], levels[1], levels[2], levels[3]),
        tempo=(genre.tempo[0] * faster, genre.tempo[1] * faster) if genre is not None else None,
        usual_energy=base[0],
        metre=genre.metre if genre is not None and named and genre.metre != (4, 4) else None,
        modes=genre.modes if genre is not None and named else (),
        instruments=genre.instruments if genre is not None and named else (),
        leaning=bool(lean) or abs(levels[3] - base[3]) > 0.12,
        usual={axis: getattr(genre, axis) for axis in _FURTHER}
        if genre is not None and named
        else {},
        feels={axis: pooled(effects, axis) for axis in _FURTHER},
    )
