"""Requests and clips as what goes through the pipe, and back: the one place that knows both.

``Served`` is the worker's end for a generator of ours; the functions are the bot's end.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from domain.clip import ClipFailure, ClipRequest, GeneratorInfo, Source, SourceUse
from domain.errors import GenerationError, NoRoomError
from generation import generator, parcels, serving
from generation.audio import Audio, Floats, as_floats
from generation.finishing import finished
from generation.frames import Frame, FrameError
from generation.generator import Capabilities, Composition, Generator
from generation.parcels import Order, Refusal, Sound, States

_LITTLE = np.dtype("<f4")


def asked(batch: int, requests: Sequence[ClipRequest]) -> Frame:
    """Return the frame that asks for clips."""
    return parcels.ordered(batch, [order_of(request) for request in requests])


def brought(frame: Frame) -> list[Composition | ClipFailure]:
    """Return the clips of a frame ``clips``, mastered.

    Raises:
        FrameError: Its header and its body do not belong together.
    """
    return [outcome_of(clip) for clip in parcels.clips(frame)]


def states_in(frame: Frame) -> list[Floats]:
    """Return what a frame ``states`` brings: (tokens, width) of each prompt.

    Raises:
        FrameError: Its header and its body do not belong together.
    """
    return [
        as_floats(np.frombuffer(one.values, _LITTLE)).reshape(-1, one.width)
        for one in parcels.states(frame)
    ]


def introduced(frame: Frame) -> tuple[GeneratorInfo, Capabilities]:
    """Return who says ``hello``, and what it can do.

    Raises:
        FrameError: It does not say so.
    """
    try:
        able = dict(frame.header["capabilities"])
        able["sources"] = frozenset(SourceUse(use) for use in able.get("sources", ()))
        return GeneratorInfo(**frame.header["info"]), Capabilities(**able)
    except (KeyError, TypeError, ValueError) as error:
        raise FrameError(
            f"The generator does not say who it is or what it can do: {error}."
        ) from None


def introduction(info: GeneratorInfo, able: Capabilities) -> dict[str, Any]:
    """Return what a generator says of itself in ``hello``."""
    said = dataclasses.asdict(able)
    said["sources"] = sorted(able.sources)
    return {"info": dataclasses.asdict(info), "capabilities": said}


def order_of(request: ClipRequest) -> Order:
    """Return a request as it goes through the pipe."""
    said: dict[str, Any] = {
        "prompt": request.prompt,
        "seed": request.seed,
        "seconds": request.seconds,
        "draft": request.draft,
        "description": request.description,
        "facets": request.facets,
        "source": None,
    }
    source = request.source
    if source is None:
        return Order(said=said, embedding=request.embedding)
    said["source"] = {
        "use": source.use.value,
        "strength": source.strength,
        "start": source.start,
        "end": source.end,
    }
    return Order(said=said, source=source.audio, embedding=request.embedding)


def request_of(order: Order) -> ClipRequest:
    """Return a request that came through the pipe.

    Raises:
        FrameError: A field of it is missing or wrong.
    """
    said = order.said
    try:
        return ClipRequest(
            prompt=str(said["prompt"]),
            seed=int(said["seed"]),
            seconds=float(said["seconds"]),
            description=said.get("description"),
            facets=said.get("facets"),
            source=_source(said.get("source"), order.source),
            embedding=order.embedding,
            draft=bool(said.get("draft", False)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FrameError(f"A request lacks something, or has it wrong: {error}.") from None


def _source(said: Mapping[str, Any] | None, audio: bytes) -> Source | None:
    if said is None:
        return None
    return Source(
        audio=audio,
        use=SourceUse(said["use"]),
        strength=float(said["strength"]),
        start=float(said["start"]),
        end=float(said["end"]),
    )


def sound_of(made: Composition | ClipFailure) -> Sound | Refusal:
    """Return a clip as it goes through the pipe. Its notes, if it has any, stay behind."""
    if isinstance(made, ClipFailure):
        return Refusal(made.reason)
    return Sound(
        samples=made.audio.samples.astype(_LITTLE, copy=False).tobytes(),
        rate=made.audio.sample_rate,
        channels=made.audio.channels,
        description=made.description,
        finished=True,
        loudness=made.loudness,
    )


def outcome_of(clip: Sound | Refusal) -> Composition | ClipFailure:
    """Return a clip that came through the pipe; one that nobody mastered yet is mastered."""
    if isinstance(clip, Refusal):
        return ClipFailure(reason=clip.reason)
    samples = as_floats(np.frombuffer(clip.samples, _LITTLE)).reshape(-1, clip.channels)
    try:
        audio = Audio(samples=samples, sample_rate=clip.rate)
    except GenerationError as error:
        return ClipFailure(reason=f"The model gave no sound: {error}")
    if not clip.finished:
        return finished(audio.samples, audio.sample_rate, clip.description)
    return Composition(
        audio=audio, loudness=clip.loudness, description=clip.description, notes=None
    )


class Served:
    """A generator of ours as ``generation.serving`` wants one.

    Args:
        made: The generator; it is prepared here.

    Raises:
        serving.Failed: It cannot work here.
    """

    def __init__(self, made: Generator) -> None:
        self._generator = made
        try:
            made.prepare()
        except GenerationError as error:
            raise serving.Failed(str(error)) from None

    def hello(self) -> Mapping[str, Any]:
        """Return what it says of itself."""
        return introduction(self._generator.info, self._generator.capabilities)

    def make(self, orders: Sequence[Order], step: serving.Step) -> list[Sound | Refusal]:
        """Make one clip for each order, in order.

        Raises:
            serving.Cancelled: ``step`` said so.
            serving.NoRoom: The batch does not fit into memory.
            serving.Failed: Nothing works.
        """

        def progress(done: int, total: int) -> None:
            try:
                step(done, total)
            except serving.Cancelled:
                raise generator.Cancelled from None

        try:
            made = self._generator.generate(
                [request_of(order) for order in orders], progress=progress
            )
        except generator.Cancelled:
            raise serving.Cancelled from None
        except NoRoomError:
            raise serving.NoRoom from None
        except GenerationError as error:
            raise serving.Failed(str(error)) from None
        return [sound_of(one) for one in made]

    def read(self, prompts: Sequence[str], step: serving.Step) -> list[States]:
        """Return what the generator's text encoder makes of each prompt; a step is one of them.

        Raises:
            serving.Cancelled: ``step`` said so.
            serving.Failed: It does not tell, or cannot.
        """
        made = self._generator
        if not isinstance(made, generator.Reader):
            raise serving.Failed(f"{made.info.name} does not tell what it makes of words.")
        found: list[Floats] = []
        try:
            for prompt in prompts:
                found.append(made.states_of(prompt))
                step(len(found), len(prompts))
        except GenerationError as error:
            raise serving.Failed(str(error)) from None
        return [
            States(values=one.astype(_LITTLE, copy=False).tobytes(), width=one.shape[1])
            for one in found
        ]
