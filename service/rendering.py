"""Prompt in, finished clip out: compose, gate, encode, measure. Runs inside the device worker's processes."""

from __future__ import annotations

from functools import cache
from typing import Protocol

import numpy as np

from domain.clip import ClipFailure, ClipRequest, GeneratorInfo, RenderedClip
from domain.errors import GenerationError, ScoringError
from generation.encode import encode, media_type, waveform
from generation.registry import create_generator
from scoring.features import FeatureEncoder
from scoring.quality import assess
from service.device import RenderSpec


class Engine(Protocol):
    """Renders requests one at a time, the same way in every process."""

    info: GeneratorInfo

    def render(self, request: ClipRequest) -> RenderedClip | ClipFailure:
        """Return the clip, or why there is none."""


class RenderEngine:
    """Generator, encoder and quality gate of one process."""

    def __init__(self, spec: RenderSpec) -> None:
        self._spec = spec
        self._generator = create_generator(
            spec.generator,
            renderer=spec.renderer,
            soundfont=spec.soundfont,
            emotion=spec.emotion,
        )
        self._encoder = FeatureEncoder()
        self.info = self._generator.info

    def render(self, request: ClipRequest) -> RenderedClip | ClipFailure:
        """Render, gate and encode one clip.

        The encoder and the gate hear the mastered sound before file compression, so that a clip's features do
        not depend on the file type.
        """
        made = self._generator.generate([request])[0]
        if isinstance(made, ClipFailure):
            return made
        audio = made.audio
        try:
            quality = assess(audio.samples, audio.sample_rate)
            embedding = self._encoder.encode(audio.samples, audio.sample_rate)
            data = encode(audio, extension=self._spec.extension, title=request.prompt[:120])
        except (ScoringError, GenerationError) as error:
            return ClipFailure(reason=str(error))
        return RenderedClip(
            request=request,
            generator=self.info,
            audio=data,
            media_type=media_type(self._spec.extension),
            extension=self._spec.extension,
            seconds=len(audio.samples) / audio.sample_rate,
            loudness=made.loudness,
            waveform=waveform(audio),
            encoder_id=self._encoder.info.id,
            embedding=np.ascontiguousarray(embedding, dtype=np.float32).tobytes(),
            quality=quality.score,
            defects=dict(quality.defects),
            description=made.description,
        )


@cache
def engine(spec: RenderSpec) -> Engine:
    """Return this process's engine for ``spec``, built once."""
    return RenderEngine(spec)


def wav(spec: RenderSpec, request: ClipRequest) -> bytes | ClipFailure:
    """Render the request again as a lossless WAV file."""
    generator = create_generator(
        spec.generator, renderer=spec.renderer, soundfont=spec.soundfont, emotion=spec.emotion
    )
    made = generator.generate([request])[0]
    if isinstance(made, ClipFailure):
        return made
    return encode(made.audio, extension="wav", title=request.prompt[:120])
