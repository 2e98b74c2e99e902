"""How a clip is asked for, in each style."""

from __future__ import annotations

import base64
import binascii
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import numpy as np

from domain.clip import ClipRequest, Source, SourceUse
from generation.audio import Floats
from generation.remote.asking import JSON, Asker, Spoilt, complaint, in_json
from generation.remote.forms import form
from generation.remote.line import Answer
from generation.remote.server import Server, Style, ascii_only

Part = Callable[[float], None]
"""To be called with how much of a clip is made, in [0, 1]."""

MOST = 1e9
"""Numbers of a server that are believed: prices and lengths are below it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a server made.

    Attributes:
        file: A sound file, if the server is to be believed.
        cost: What it says that it costs; ``None`` where it does not say.
    """

    file: bytes
    cost: float | None = None


class Dialect(Protocol):
    """Asks for a clip in the way that a server understands."""

    @property
    def rate(self) -> int:
        """What such servers make as a rule, and what they are sent. What comes is taken at its own rate."""

    @property
    def shortest(self) -> float:
        """Seconds of the shortest clip that is ordered; of it a shorter one is the beginning."""

    @property
    def sources(self) -> frozenset[SourceUse]:
        """What can be asked for with a sound."""

    def make(self, request: ClipRequest, sound: Floats | None, asker: Asker, part: Part) -> Made:
        """Have a clip made; raises like ``Asker.order``.

        Args:
            request: What is wanted.
            sound: Of its source (frames, 2) at ``rate``, as long as the clip; or ``None``.
            asker: Asks.
            part: Hears how far it is.
        """


class Speech:
    """OpenAI's ``POST /v1/audio/speech`` and what is shaped like it: JSON in, a sound file out.

    Servers of music take a length and a seed beside the fields that OpenAI knows; vLLM-Omni calls the length
    ``audio_length``. Some answer with JSON that holds the file in base64, and may say there what it costs.
    """

    rate = 44_100
    shortest = 0.0
    sources: frozenset[SourceUse] = frozenset()

    def make(self, request: ClipRequest, sound: Floats | None, asker: Asker, part: Part) -> Made:
        """Have a clip made with one request."""
        server = asker.server
        sent: dict[str, Any] = {
            "input": request.prompt,
            "response_format": "wav",
            "seed": request.seed,
        }
        if server.model:
            sent["model"] = server.model
        if server.length_field:
            _put(sent, server.length_field, request.seconds)
        answer = asker.order(server.url.path, in_json(_merged(sent, server.fields)), JSON)
        part(1.0)
        return _inside(answer)


class AceStep:
    """ACE-Step's server: ``/release_task``, ``/query_result`` until it is done, then the file's address.

    Its shortest clip is ten seconds. Without words of its own it would sing, and its language model would put the
    prompt into other words; both are off unless the settings' fields say otherwise.

    A sound goes along as a file in a form. Its task ``cover`` keeps as much of the sound's structure as it is told,
    ``repaint`` makes a stretch of it anew; the clip is then as long as the sound.
    """

    rate = 48_000
    shortest = 10.0
    sources = frozenset({SourceUse.VARY, SourceUse.FILL})
    PAUSE = 1.0
    """Seconds between two questions; a long task is asked for less often."""
    LONGEST_PAUSE = 5.0

    def make(self, request: ClipRequest, sound: Floats | None, asker: Asker, part: Part) -> Made:
        """Have a clip made: give the task, ask until it is done, fetch it."""
        base = asker.server.url.path
        task = self._released(request, sound, asker)
        pause = self.PAUSE
        while True:
            asker.pause(pause)
            pause = min(self.LONGEST_PAUSE, pause * 1.2)
            state = _data(asker.question(f"{base}/query_result", {"task_id_list": [task]}), asker)
            told = _told(state[0] if isinstance(state, list) and state else state)
            if told.get("status") == 2:
                words = asker.safe(str(told.get("error") or told.get("progress_text") or ""))
                raise Spoilt(f"{asker.server.host} could not make the clip.{words}")
            if told.get("status") == 1:
                break
            part(min(0.99, _number(told.get("progress")) or 0.0))
        return Made(file=asker.fetched(_target(str(told.get("file", "")), asker.server)).body)

    def _released(self, request: ClipRequest, sound: Floats | None, asker: Asker) -> str:
        seconds = max(self.shortest, request.seconds)
        sent: dict[str, Any] = {
            "prompt": request.prompt,
            "lyrics": "[Instrumental]",
            "audio_duration": seconds,
            "audio_format": "flac",
            "seed": request.seed,
            "use_random_seed": False,
            "batch_size": 1,
            "use_cot_caption": False,
            "use_cot_language": False,
        }
        if asker.server.model:
            sent["model"] = asker.server.model
        if request.source is not None:
            sent |= _task(request.source)
        sent = _merged(sent, asker.server.fields)
        if sound is None:
            body, kind = in_json(sent), JSON
        else:
            body, kind = form(sent, "src_audio", self._file(sound, seconds), "audio/flac")
        given = _data(asker.order(f"{asker.server.url.path}/release_task", body, kind), asker)
        task = given.get("task_id") if isinstance(given, Mapping) else None
        if not isinstance(task, str) or not task:
            raise Spoilt(f"{asker.server.host} took the task but gave it no number.")
        return task

    def _file(self, sound: Floats, seconds: float) -> bytes:
        """Return sound as a file that lasts so long, with silence after its end."""
        import soundfile  # noqa: PLC0415 - only where there is such a sound

        missing = max(0, round(seconds * self.rate) - len(sound))
        file = io.BytesIO()
        soundfile.write(
            file,
            np.clip(np.pad(sound, ((0, missing), (0, 0))), -1.0, 1.0),
            self.rate,
            format="FLAC",
        )
        return file.getvalue()


def _task(source: Source) -> dict[str, Any]:
    """Return what is to be done with a sound, as ACE-Step says it."""
    if source.use is SourceUse.FILL:
        return {
            "task_type": "repaint",
            "repainting_start": source.start,
            "repainting_end": source.end,
        }
    return {"task_type": "cover", "audio_cover_strength": round(1 - source.strength, 4)}


DIALECTS: Mapping[Style, Dialect] = {Style.OPENAI: Speech(), Style.ACESTEP: AceStep()}


def _merged(sent: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``sent`` with the host's fields, which win; ``null`` takes a field out, objects are merged."""
    out = dict(sent)
    for name, value in more.items():
        if value is None:
            out.pop(name, None)
        elif isinstance(value, Mapping) and isinstance(out.get(name), Mapping):
            out[name] = _merged(out[name], value)
        else:
            out[name] = value
    return out


def _put(sent: dict[str, Any], path: str, value: float) -> None:
    *outer, last = path.split(".")
    for name in outer:
        sent = sent.setdefault(name, {})
    sent[last] = value


def _inside(answer: Answer) -> Made:
    """Return the file that an answer is, or that is in it."""
    if answer.body[:1] != b"{":
        return Made(file=answer.body)
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return Made(file=answer.body)
    usage = said.get("usage")
    cost = _number(usage.get("cost") if isinstance(usage, Mapping) else said.get("cost"))
    for place in _places(said):
        if isinstance(place, str) and len(place) > 100:
            try:
                return Made(file=_decoded(place), cost=cost)
            except (binascii.Error, ValueError):
                continue
    return Made(file=answer.body, cost=cost)


def _decoded(text: str) -> bytes:
    return base64.b64decode(text.partition("base64,")[2] or text, validate=True)


def _places(said: Mapping[str, Any]) -> list[Any]:
    """Return where servers put a file in base64: at ``audio``, ``data``, ``audio.b64_json``, ``data[0].b64_json``."""
    audio, data = said.get("audio"), said.get("data")
    first = data[0] if isinstance(data, list) and data else None
    inner = [one for one in (audio, first, said) if isinstance(one, Mapping)]
    return [audio, data, *(one.get(name) for one in inner for name in ("b64_json", "data"))]


def _data(answer: Answer, asker: Asker) -> Any:
    """Return what is in the wrapper of ACE-Step's answers."""
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, Mapping) or "data" not in said:
        raise Spoilt(f"{asker.server.host} does not answer as an ACE-Step server does.")
    if said.get("error"):
        words = asker.safe(complaint(answer.body))
        raise Spoilt(f"{asker.server.host} refuses the task.{words}")
    return said["data"]


def _told(state: Any) -> dict[str, Any]:
    """Return what is said of a task, with its first result laid over it; that is JSON in a string."""
    if not isinstance(state, Mapping):
        return {}
    result = state.get("result")
    try:
        result = json.loads(result) if isinstance(result, str) and result else result
    except (ValueError, RecursionError):
        result = None
    first = result[0] if isinstance(result, list) and result else result
    inner = first if isinstance(first, Mapping) else {}
    return {**inner, **{name: value for name, value in state.items() if name != "result"}}


def _target(address: str, server: Server) -> str:
    """Return what to ask a server for; a file that lies elsewhere is not fetched, for the key would go there too."""
    try:
        url = urlsplit(address)
    except ValueError:
        url = urlsplit("")
    if not url.path.startswith("/") or (url.netloc and url.netloc != server.host):
        raise Spoilt(f"{server.host} made the clip but does not say where on it the file is.")
    path = ascii_only(url.path)
    base = "" if path.startswith(server.url.path + "/") else server.url.path
    return f"{base}{path}?{ascii_only(url.query)}" if url.query else f"{base}{path}"


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < MOST:
        return None
    return float(value)
