"""Prompt in, finished clip out: compose, gate, encode, measure. Runs inside the device worker's processes."""

from __future__ import annotations

import math
from functools import cache
from typing import Protocol

import numpy as np

from domain.clip import ClipFailure, ClipRequest, GeneratorInfo, HeardTrack, RenderedClip
from domain.errors import GenerationError, ScoringError, UploadError
from generation.encode import encode, media_type, waveform
from generation.generator import Capabilities, Composition
from generation.registry import create_generator
from prompts.reader import read
from scoring.adherence import by_properties, segments
from scoring.encoder import Floats
from scoring.features import FeatureEncoder
from scoring.likeness import listen, pool
from scoring.quality import assess
from scoring.space import default_space
from scoring.uploads import read_windows
from service.device import RenderSpec


class Engine(Protocol):
    """Renders requests one at a time, the same way in every process."""

    @property
    def info(self) -> GeneratorInfo:
        """What makes the sound."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""

    def render(self, request: ClipRequest) -> RenderedClip | ClipFailure:
        """Return the clip, or why there is none."""

    def finish(
        self, request: ClipRequest, made: Composition | ClipFailure, info: GeneratorInfo
    ) -> RenderedClip | ClipFailure:
        """Return the clip that another generator's sound becomes, or why there is none."""

    def listen(self, track: bytes, longest: float) -> HeardTrack | ClipFailure:
        """Return what is heard in a file that somebody sent, or what is wrong with it."""


class RenderEngine:
    """Generator, encoder and quality gate of one process."""

    def __init__(self, spec: RenderSpec) -> None:
        self._spec = spec
        self._generator = create_generator(spec.generator)
        self._encoder = FeatureEncoder()
        self._space = default_space()

    @property
    def info(self) -> GeneratorInfo:
        """What makes the sound."""
        return self._generator.info

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return self._generator.capabilities

    def render(self, request: ClipRequest) -> RenderedClip | ClipFailure:
        """Render, gate and encode one clip."""
        return self.finish(request, self._generator.generate([request])[0], self.info)

    def finish(
        self, request: ClipRequest, made: Composition | ClipFailure, info: GeneratorInfo
    ) -> RenderedClip | ClipFailure:
        """Gate, encode and measure what a generator made.

        The encoder and the gate hear the mastered sound before file compression, so that a clip's features do
        not depend on the file type.
        """
        if isinstance(made, ClipFailure):
            return made
        audio = made.audio
        try:
            quality = assess(audio.samples, audio.sample_rate)
            embedding = self._encoder.encode(audio.samples, audio.sample_rate)
            adherence = self._adherence(request.prompt, made, embedding)
            data = encode(audio, extension=self._spec.extension, title=request.prompt[:120])
        except (ScoringError, GenerationError) as error:
            return ClipFailure(reason=str(error))
        return RenderedClip(
            request=request,
            generator=info,
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
            description={"family": read(request.prompt).family or "", **made.description},
            adherence=adherence,
        )

    def _adherence(self, prompt: str, made: Composition, embedding: Floats) -> float | None:
        """Return whether a clip does what its prompt says, ten seconds at a time; ``None`` where nothing says so.

        What it is described and measured as says so; an encoder that knows words speaks later, see ``service.hearing``.
        """
        if self._encoder.info.id != self._space.encoder_id:
            return None
        samples, rate = made.audio.samples, made.audio.sample_rate
        parts = segments(len(samples), rate)
        heard = (
            [embedding[-1]]
            if len(parts) == 1
            else [self._encoder.encode(samples[part], rate)[-1] for part in parts]
        )
        found = by_properties(read(prompt), made.description, np.stack(heard), self._space)
        return found if math.isfinite(found) else None

    def listen(self, track: bytes, longest: float) -> HeardTrack | ClipFailure:
        """Return what is heard in a file that somebody sent, or what is wrong with it.

        It is read in windows spread over its length, so that a long file takes no more memory than a short one.
        """
        heard: list[Floats] = []
        seconds = 0.0
        try:
            for window in read_windows(track, longest=longest):
                heard += listen(window.samples, window.sample_rate, self._encoder)
                seconds = window.start + len(window.samples) / window.sample_rate
            place = pool(heard)
        except (UploadError, ScoringError) as error:
            return ClipFailure(reason=str(error))
        return HeardTrack(
            encoder_id=self._encoder.info.id,
            embedding=np.ascontiguousarray(place, dtype="<f4").tobytes(),
            seconds=seconds,
        )


@cache
def engine(spec: RenderSpec) -> Engine:
    """Return this process's engine for ``spec``, built once."""
    return RenderEngine(spec)


def wav(spec: RenderSpec, request: ClipRequest) -> bytes | ClipFailure:
    """Render the request again as a lossless WAV file."""
    return written(request, create_generator(spec.generator).generate([request])[0])


def written(request: ClipRequest, made: Composition | ClipFailure) -> bytes | ClipFailure:
    """Return a finished clip as a WAV file."""
    if isinstance(made, ClipFailure):
        return made
    return encode(made.audio, extension="wav", title=request.prompt[:120])
