"""A trained model in place of the composer's own table from features to music."""

from __future__ import annotations

import dataclasses

from domain.chords import ChordAt
from domain.description import Description
from domain.facets import TONICS, Facets
from domain.features import Features
from generation.emotion.model import EmotionModel
from generation.genome.figaro import from_tokens
from generation.planning.hints import find_hints
from generation.planning.plan import Plan, make_plan
from prompts.features import from_levels
from prompts.vocabulary import shipped


def applies(facets: Facets) -> bool:
    """Whether a request leaves the style to its features: it names no genre and no players."""
    return not (facets.genre or facets.family or facets.instruments)


def describe_by(model: EmotionModel, facets: Facets, *, seed: int, seconds: float) -> Description:
    """Let a model write the bars of a piece.

    The plan that the composer would make gives what FIGARO's language cannot say: whose patterns are played, tempo,
    swing, levels, sound words. Each bar's density, velocity, pitch, duration, players and chords are the model's; its
    chords are moved to the key that was asked for.

    Args:
        model: A trained one.
        facets: What was said; what was not takes the composer's default.
        seed: Another seed is another piece.
        seconds: Length of the clip.
    """
    plan = make_plan(facets, seed, seconds, hints=find_hints(facets, shipped()))
    features = features_of(plan)
    beats, value = plan.grid.metre
    tokens = model.write(
        features,
        bars=max(1, len(plan.bars) - bool(plan.pickup)),
        metre=f"{beats}/{value}",
        seed=seed,
    )
    piece, _ = from_tokens(tokens, tempo=plan.grid.tempo, family=plan.style.family)
    piece = _in_key(piece, TONICS[plan.tonic])
    voices = tuple(dataclasses.replace(voice, tune=plan.entropy) for voice in piece.voices)
    return dataclasses.replace(
        piece,
        swing=plan.grid.swing,
        swing_unit=plan.grid.swing_unit,
        levels=plan.levels,
        words=plan.words,
        tune=plan.entropy,
        voices=voices,
        seconds=max(piece.seconds, seconds),
    )


def features_of(plan: Plan) -> Features:
    """Return the ten features of a plan."""
    return from_levels(plan.levels, plan.grid.tempo, TONICS[plan.tonic], plan.mode, plan.grid.metre)


def _in_key(piece: Description, tonic: str) -> Description:
    steps = TONICS.index(tonic) - TONICS.index(piece.tonic)
    bars = tuple(
        dataclasses.replace(bar, chords=tuple(_moved(chord, steps) for chord in bar.chords))
        for bar in piece.bars
    )
    return dataclasses.replace(piece, tonic=tonic, bars=bars)


def _moved(chord: ChordAt, steps: int) -> ChordAt:
    return dataclasses.replace(chord, root=TONICS[(TONICS.index(chord.root) + steps) % 12])
