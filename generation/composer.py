"""The built-in composer: prompt to facets to plan to score to sound. No weights, no downloads, no GPU."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from domain.clip import STANDS_IN_FOR, ClipFailure, ClipRequest, GeneratorInfo
from domain.description import Description
from domain.errors import DescriptionError, GenerationError
from domain.facets import TONICS, Facets
from generation.audio import SAMPLE_RATE, Audio
from generation.generator import Capabilities, Composition, Progress, Score, refused
from generation.genome.describe import describe
from generation.genome.realise import plan_of
from generation.planning.hints import find_hints
from generation.planning.plan import Plan, make_plan
from generation.sounding.master import TARGET
from generation.sounding.renderers import Renderer
from generation.sounding.sound import perform
from generation.sounding.soundfonts import choose
from generation.sounding.stems import stems_zip
from generation.writing.arrange import arrange
from prompts.features import from_levels
from prompts.reader import read
from prompts.vocabulary import shipped

if TYPE_CHECKING:
    from generation.emotion.model import EmotionModel

VERSION = "2"
"""Raise it whenever the same request would sound different."""

SHORTEST, LONGEST = 1.0, 600.0
"""Seconds that a clip may last."""


class Composer:
    """A ``Generator`` that writes and plays music itself.

    Args:
        renderer: One of ``generation.sounding.renderers.NAMES``.
        soundfont: Path of a ``.sf2`` file, a folder to look into first, or ``""`` for the best that is found.
        emotion: Folder of a trained emotion model that writes the bars of requests which name no genre and no
            instruments, or ``""`` for the built-in table.

    Raises:
        GenerationError: The renderer, the SoundFont or the model is not there.
    """

    def __init__(self, *, renderer: str = "auto", soundfont: str = "", emotion: str = "") -> None:
        choice = choose(renderer, soundfont)
        self._renderer: Renderer = choice.renderer
        self._emotion = _load_emotion(emotion) if emotion else None
        mapping = {"features to music": f"emotion model {emotion}"} if emotion else {}
        self._info = GeneratorInfo(
            name="composer",
            version="-".join(
                [
                    VERSION,
                    choice.renderer.name,
                    choice.font.path.stem,
                    *([self._emotion.fingerprint] if self._emotion is not None else []),
                ]
            ),
            licence=choice.licence,
            stand_in_for=STANDS_IN_FOR,
            details={**choice.details, **mapping},
        )

        self._capabilities = Capabilities(
            shortest=SHORTEST,
            longest=LONGEST,
            sample_rate=SAMPLE_RATE,
            commercial=True,
            notes=True,
        )

    @property
    def info(self) -> GeneratorInfo:
        """What makes the sound, and under which licence."""
        return self._info

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return self._capabilities

    def prepare(self) -> None:
        """Nothing: the sounds were looked for when it was made, and each is read when it is first played."""

    def release(self) -> None:
        """Nothing: what was read is shared by all composers of this process."""

    def generate(
        self, requests: Sequence[ClipRequest], *, progress: Progress | None = None
    ) -> list[Composition | ClipFailure]:
        """Compose and play each request. One that cannot be made becomes a ``ClipFailure``."""
        out: list[Composition | ClipFailure] = []
        for request in requests:
            out.append(refused(request, self._info, self._capabilities) or self._make(request))
            if progress is not None:
                progress(len(out), len(requests))
        return out

    def _make(self, request: ClipRequest) -> Composition | ClipFailure:
        try:
            if request.description is not None:
                return self.play(Description.from_json(request.description))
        except DescriptionError as error:
            return ClipFailure(reason=str(error))
        facets = (
            read(request.prompt) if request.facets is None else Facets.from_json(request.facets)
        )
        return self.compose(facets, seed=request.seed, seconds=request.seconds)

    def compose(self, facets: Facets, *, seed: int, seconds: float) -> Composition | ClipFailure:
        """Compose from facets that were read or bred already.

        Args:
            facets: What the music should be.
            seed: At least 0; another seed is a variation.
            seconds: Length in [1, 600].
        """
        if self._emotion is not None:
            from generation.emotion.describer import applies, describe_by  # noqa: PLC0415  # loads PyTorch

            if applies(facets):
                return self.play(describe_by(self._emotion, facets, seed=seed, seconds=seconds))
        return self._perform(make_plan(facets, seed, seconds, hints=find_hints(facets, shipped())))

    def play(self, description: Description) -> Composition | ClipFailure:
        """Play a description, which says how long the clip is.

        That of a composition of ours gives the same notes again.
        """
        try:
            plan = plan_of(description)
        except DescriptionError as error:
            return ClipFailure(reason=str(error))
        return self._perform(plan)

    def stems(self, description: Description, *, extension: str = "flac") -> bytes | ClipFailure:
        """Return the parts of a described piece as a ZIP, see ``generation.sounding.stems``.

        Args:
            description: Such as a clip's own.
            extension: One of ``generation.sounding.stems.EXTENSIONS``.

        Raises:
            GenerationError: The extension is not one of those.
        """
        try:
            plan = plan_of(description)
        except DescriptionError as error:
            return ClipFailure(reason=str(error))
        return stems_zip(plan, arrange(plan), self._renderer, extension=extension)

    def _perform(self, plan: Plan) -> Composition | ClipFailure:
        score = arrange(plan)
        if not score.parts:
            return ClipFailure(reason="The prompt leaves nobody to play: allow an instrument.")
        done = perform(plan, score, self._renderer)
        return Composition(
            audio=Audio(samples=np.ascontiguousarray(done.samples.T), sample_rate=SAMPLE_RATE),
            loudness=round(done.loudness, 2),
            description=account(plan, score, self._renderer.name),
            notes=score,
        )


def _load_emotion(folder: str) -> EmotionModel:
    if find_spec("torch") is None or find_spec("safetensors") is None:
        raise GenerationError(
            "An emotion model needs PyTorch and safetensors: pip install torch==2.13.0 safetensors"
        )
    from generation.emotion.model import EmotionModel  # noqa: PLC0415  # loads PyTorch

    return EmotionModel.load(Path(folder))


def account(plan: Plan, score: Score, renderer: str) -> dict[str, Any]:
    """Return a JSON-safe account of a composition: what people are told, and the genome to play it again by."""
    grid = plan.grid
    features = from_levels(plan.levels, grid.tempo, TONICS[plan.tonic], plan.mode, grid.metre)
    return {
        "family": plan.style.family,
        "genre": plan.facets.genre,
        "tempo": round(grid.tempo, 2),
        "tonic": TONICS[plan.tonic],
        "mode": plan.mode,
        "metre": list(grid.metre),
        "swing": grid.swing,
        "bars": len(plan.bars) - 1,
        "upbeat": plan.form.upbeat,
        "downbeat": round(grid.downbeat, 3),
        "chords": [[chord.name for _, chord in bar.chords] for bar in plan.bars],
        "sections": [[name, bars] for name, bars in plan.form.sections],
        "instruments": {
            role: [part.patch for part in score.parts if part.role == role]
            for role in dict.fromkeys(part.role for part in score.parts)
        },
        "energy": round(plan.energy, 3),
        "density": round(plan.density, 3),
        "brightness": round(plan.brightness, 3),
        "valence": round(plan.valence, 3),
        "facets": plan.facets.to_json(),
        "features": features.to_json(),
        "genome": describe(plan, score).to_json(),
        "ignored": [*plan.facets.unknown, *plan.cast.ignored, *_other_metre(plan)],
        "loudness_target": TARGET,
        "renderer": renderer,
    }


def _other_metre(plan: Plan) -> list[str]:
    """Return the metre that was asked for when the family cannot be played in it."""
    asked = plan.facets.metre
    return [f"{asked[0]}/{asked[1]}"] if asked is not None and asked != plan.grid.metre else []
