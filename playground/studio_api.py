"""The studio over HTTP: order a clip by words, features or a description, ask how it stands, fetch it, cancel it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.errors import BusyError, NotFoundError, UserError
from domain.features import RANGES, WHOLE, Features
from generation.genome.schema import schema as description_schema
from playground.model import Json
from playground.refusals import RefusalError
from playground.rest import answer
from prompts.reader import read
from service.exports import ENDINGS, ExportKind
from service.studio import LONGEST, Job, JobState, Studio, Wish

PREFIX = "/studio/api"
LONGEST_WAIT = 60.0
"""Seconds that one request may wait for a job to end."""
MOST_BODY = 2_000_000
"""Bytes of a request."""

Level = Annotated[float, Field(ge=0, le=1)]


class FeaturesBody(BaseModel):
    """Some or all of the ten features; what is left out is left to the words and the composer."""

    model_config = ConfigDict(extra="forbid")

    energy: Level | None = None
    valence: Level | None = None
    danceability: Level | None = None
    acousticness: Level | None = None
    instrumentalness: Level | None = None
    loudness: Annotated[float, Field(ge=RANGES["loudness"][0], le=RANGES["loudness"][1])] | None = (
        None
    )
    tempo: Annotated[float, Field(ge=RANGES["tempo"][0], le=RANGES["tempo"][1])] | None = None
    key: Annotated[int, Field(ge=0, le=11)] | None = None
    mode: Annotated[int, Field(ge=0, le=1)] | None = None
    time_signature: (
        Annotated[int, Field(ge=RANGES["time_signature"][0], le=RANGES["time_signature"][1])] | None
    ) = None


class WishBody(BaseModel):
    """What a client sends to order a clip."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(max_length=1000)] = ""
    features: FeaturesBody = FeaturesBody()
    description: dict[str, Any] | None = None
    seconds: Annotated[float, Field(ge=1, le=LONGEST)] = 8.0
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None


class StudioApi:
    """Routes of the studio. Without a studio behind it every one of them says so."""

    def __init__(self) -> None:
        self.studio: Studio | None = None

    def routes(self) -> list[web.RouteDef]:
        """The route table."""
        return [
            web.get(PREFIX + "/schema", self.schema),
            web.post(PREFIX + "/read", self.read_words),
            web.post(PREFIX + "/jobs", self.submit),
            web.get(PREFIX + "/jobs", self.jobs),
            web.get(PREFIX + "/jobs/{job}", self.status),
            web.delete(PREFIX + "/jobs/{job}", self.cancel),
            web.get(PREFIX + "/jobs/{job}/audio", self.audio),
            web.get(PREFIX + "/jobs/{job}/{kind:midi|stems|musicxml}", self.export),
        ]

    def _open(self) -> Studio:
        if self.studio is None:
            raise RefusalError("This playground was started without a studio.", 409)
        return self.studio

    async def schema(self, _request: web.Request) -> web.Response:
        """What may be sent: JSON schemas, and range and median of each feature."""
        medians = Features().to_json()
        return answer(
            {
                "wish": WishBody.model_json_schema(),
                "description": description_schema(),
                "features": {
                    name: {
                        "low": low,
                        "high": high,
                        "median": medians[name],
                        "whole": name in WHOLE,
                    }
                    for name, (low, high) in RANGES.items()
                },
                "states": [state.value for state in JobState],
            }
        )

    async def read_words(self, request: web.Request) -> web.Response:
        """What plain words mean here, without making anything."""
        facets = read(_parsed(await _body(request)).text)
        said = facets.to_json()
        return answer({"facets": said, "ignored": said.pop("unknown", [])})

    async def submit(self, request: web.Request) -> web.Response:
        """Order a clip."""
        body = _parsed(await _body(request))
        wish = Wish(
            text=body.text,
            features=body.features.model_dump(exclude_none=True),
            description=body.description,
            seconds=body.seconds,
            seed=body.seed,
        )
        studio = self._open()
        try:
            job = studio.submit(wish)
        except BusyError as error:
            return answer({"error": str(error)}, HTTPStatus.TOO_MANY_REQUESTS)
        except UserError as error:
            raise RefusalError(str(error), HTTPStatus.UNPROCESSABLE_ENTITY) from None
        response = answer(_drawn(studio, job), HTTPStatus.ACCEPTED)
        response.headers["Location"] = f"{PREFIX}/jobs/{job.id}"
        return response

    async def jobs(self, _request: web.Request) -> web.Response:
        """Every job that is kept, the newest first."""
        studio = self._open()
        return answer([_drawn(studio, job) for job in studio.jobs()])

    async def status(self, request: web.Request) -> web.Response:
        """How a job stands; with ``?wait=20`` the answer comes when it has ended, or after so many seconds."""
        studio = self._open()
        seconds = _seconds(request.query.get("wait", "0"))
        try:
            job = await studio.wait(request.match_info["job"], seconds)
        except NotFoundError as error:
            raise RefusalError(str(error), 404) from None
        return answer(_drawn(studio, job))

    async def cancel(self, request: web.Request) -> web.Response:
        """Stop a job."""
        studio = self._open()
        return answer(_drawn(studio, studio.cancel(self._found(request).id)))

    def _found(self, request: web.Request) -> Job:
        try:
            return self._open().get(request.match_info["job"])
        except NotFoundError as error:
            raise RefusalError(str(error), 404) from None

    async def audio(self, request: web.Request) -> web.Response:
        """The finished clip."""
        job = self._found(request)
        if job.clip is None:
            raise RefusalError(_not_there(job), 409)
        return web.Response(
            body=job.clip.audio,
            headers={
                "Content-Type": job.clip.media_type,
                "Content-Disposition": f'inline; filename="{job.id}.{job.clip.extension}"',
                "Cache-Control": "private, max-age=3600",
                "X-Content-Type-Options": "nosniff",
            },
        )

    async def export(self, request: web.Request) -> web.Response:
        """The finished clip's notes, parts or sheet music."""
        job, kind = self._found(request), ExportKind(request.match_info["kind"])
        if job.clip is None:
            raise RefusalError(_not_there(job), 409)
        try:
            data = await self._open().export(job.id, kind)
        except UserError as error:
            raise RefusalError(str(error), 409) from None
        name = f"{job.id}{ENDINGS[kind]}"
        return web.Response(
            body=data,
            headers={
                "Content-Type": _MEDIA[kind],
                "Content-Disposition": f'attachment; filename="{name}"',
                "X-Content-Type-Options": "nosniff",
            },
        )


_MEDIA = {
    ExportKind.MIDI: "audio/midi",
    ExportKind.STEMS: "application/zip",
    ExportKind.MUSICXML: "application/vnd.recordare.musicxml+xml",
}


def _not_there(job: Job) -> str:
    if job.state is JobState.FAILED:
        return f"This clip could not be made: {job.error}"
    if job.state is JobState.CANCELLED:
        return "This job was cancelled."
    return "This clip is not finished yet."


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_WAIT:
        raise RefusalError(f"wait must be a number of seconds from 0 to {LONGEST_WAIT:.0f}.")
    return seconds


async def _body(request: web.Request) -> bytes:
    if request.content_type != "application/json":
        raise RefusalError("Send JSON, with the header Content-Type: application/json.", 415)
    data = bytearray()
    async for chunk in request.content.iter_any():
        data += chunk
        if len(data) > MOST_BODY:
            raise RefusalError(f"A request has at most {MOST_BODY} bytes.", 413)
    return bytes(data)


def _parsed(data: bytes) -> WishBody:
    try:
        return WishBody.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "request"
        raise RefusalError(f"{where}: {first['msg']}.", HTTPStatus.UNPROCESSABLE_ENTITY) from None


def _drawn(studio: Studio, job: Job) -> Json:
    out: Json = {
        "id": job.id,
        "state": job.state.value,
        "prompt": job.prompt,
        "text": job.wish.text,
        "features": dict(job.wish.features),
        "seconds": job.wish.seconds,
        "seed": job.wish.seed,
        "ignored": list(job.ignored),
        "repaired": list(job.repaired),
        "asked_at": job.asked_at,
        "ended_at": job.ended_at,
    }
    if job.state is JobState.QUEUED:
        out["ahead"] = studio.place(job.id)
    if job.error:
        out["error"] = job.error
    if job.clip is not None:
        out |= _result(job)
    return out


def _result(job: Job) -> Json:
    clip = job.clip
    if clip is None:
        return {}
    account: Mapping[str, Any] = clip.description
    return {
        "audio": f"{PREFIX}/jobs/{job.id}/audio",
        "notes": {kind.value: f"{PREFIX}/jobs/{job.id}/{kind.value}" for kind in _MEDIA},
        "length": clip.seconds,
        "waveform": list(clip.waveform),
        "generator": f"{clip.generator.name} {clip.generator.version}",
        "heard": {
            key: account[key]
            for key in (
                "family",
                "genre",
                "tempo",
                "tonic",
                "mode",
                "metre",
                "chords",
                "sections",
                "instruments",
            )
            if key in account
        },
        "played": account.get("features", {}),
        "description": account.get("genome"),
    }
