"""What a musician takes from a clip: how to play it, its notes, its parts, its sheet music."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domain.clip import Clip, ClipFailure, ClipRequest
from domain.errors import UserError
from domain.facets import TONICS
from domain.ids import ClipId
from generation.musicxml import fifths
from prompts.features import MINOR_SIDE
from service.clips import ClipService, filename, request_of
from service.device import DeviceWorker
from service.generator_state import named
from service.views import Actor, Download

MOST_BARS = 64
"""Bars that are written out."""
_SPELLINGS = (("C#", "Db"), ("D#", "Eb"), ("F#", "Gb"), ("G#", "Ab"), ("A#", "Bb"))
_EASY_MAJOR, _EASY_MINOR = ("G", "C", "D", "A", "E"), ("A", "E", "D")
HIGHEST_CAPO = 5
UNTOLD = "I cannot say how to play this one: what made it did not write down chords or players. Its WAV is still there."
OTHER_TUNE = (
    "That clip was made by {old}, and {new} plays today. From words alone it would play another tune, so there are no "
    "notes of this clip to give. Its WAV or MP3 is still there."
)
NO_NOTES = (
    "There are no notes of that clip: {name} made it as sound. Its WAV or MP3 is still there."
)
SAME = "Made from exactly the notes of the clip."
CLOSE = "Played from the clip's description by {new}; {old} made the clip, so details may differ."


class ExportKind(StrEnum):
    """What can be taken from a clip."""

    WAV = "wav"
    MIDI = "midi"
    STEMS = "stems"
    MUSICXML = "musicxml"


ENDINGS: Mapping[ExportKind, str] = {
    ExportKind.WAV: ".wav",
    ExportKind.MIDI: ".mid",
    ExportKind.STEMS: "-stems.zip",
    ExportKind.MUSICXML: ".musicxml",
}
_WORDS = {
    ExportKind.MIDI: "Every note, a track for each player.",
    ExportKind.STEMS: "Each player's part as a file of its own.",
    ExportKind.MUSICXML: "Sheet music: open it in MuseScore or another notation program. Rhythms are straightened.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayView:
    """How to play a clip.

    Attributes:
        clip: The clip.
        key: Such as ``"D dorian"``.
        tempo: Beats per minute.
        metre: Such as ``"4/4"``.
        swing: Delay of every second unit: 0 straight, 0.33 triplets.
        sections: Name of each section and the chords of its bars, several in a bar joined by spaces.
        instruments: Role and what plays it.
        capo: Fret and the key that is fingered there, where that is easier on a guitar.
    """

    clip: Clip
    key: str
    tempo: float
    metre: str
    swing: float
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    instruments: tuple[tuple[str, str], ...]
    capo: tuple[int, str] | None


class ExportService:
    """Gives people what they ask for; the heavy part runs in the device worker."""

    def __init__(self, library: ClipService, device: DeviceWorker) -> None:
        self._library = library
        self._device = device

    async def sheet(self, actor: Actor, clip_id: ClipId) -> PlayView:
        """Say how to play a clip.

        Raises:
            NotFoundError: The clip is gone, or not theirs to hear.
            UserError: What made it did not write anything down.
        """
        return play_view(await self._library.find(actor, clip_id))

    async def export(self, actor: Actor, clip_id: ClipId, kind: ExportKind) -> Download:
        """Return a file.

        Raises:
            NotFoundError: The clip is gone, or not theirs to hear.
            UserError: There is no such file of this clip; says why.
        """
        if kind is ExportKind.WAV:
            return await self._library.wav(actor, clip_id)
        clip = await self._library.find(actor, clip_id)
        maker = named(await self._device.states(known=True), clip.generator)
        if maker is None or maker.capabilities is None or not maker.capabilities.notes:
            raise UserError(NO_NOTES.format(name=clip.generator))
        new = f"{maker.info.name} {maker.info.version}"
        old = f"{clip.generator} {clip.generator_version}"
        if new != old and "genome" not in clip.description:
            raise UserError(OTHER_TUNE.format(old=old, new=new))
        data = await self._device.export(request_of(clip), kind.value)
        if isinstance(data, ClipFailure):
            raise UserError(f"That could not be made: {data.reason}")
        truth = SAME if new == old else CLOSE.format(old=old, new=new)
        return Download(
            filename=f"{filename(clip)}{ENDINGS[kind]}", data=data, note=f"{_WORDS[kind]} {truth}"
        )


def play_view(clip: Clip) -> PlayView:
    """Read how to play a clip from the account of what was composed.

    Raises:
        UserError: There is none.
    """
    told = clip.description
    try:
        tonic, mode = str(told["tonic"]), str(told["mode"])
        flats = fifths(tonic, mode) < 0
        written = [[spelt(chord, flats=flats) for chord in chords] for chords in told["chords"]]
        bars = [" ".join(chords) for chords in written][:MOST_BARS]
        beats, value = told["metre"]
        return PlayView(
            clip=clip,
            key=f"{spelt(tonic, flats=flats)} {mode.replace('_', ' ')}",
            tempo=float(told["tempo"]),
            metre=f"{beats}/{value}",
            swing=float(told.get("swing") or 0.0),
            sections=_sections(told, bars),
            instruments=tuple(
                (str(role), ", ".join(name.replace("_", " ") for name in names))
                for role, names in told["instruments"].items()
            ),
            capo=capo(tonic, mode),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UserError(UNTOLD) from None


def _sections(told: Mapping[str, Any], bars: list[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Share the bars out to sections; what comes before the first is the upbeat, and after the last one the end."""
    out: list[tuple[str, tuple[str, ...]]] = []
    at = 1 if told.get("upbeat") else 0
    if at:
        out.append(("upbeat", tuple(bars[:1])))
    for name, count in told["sections"]:
        if bars[at : at + count]:
            out.append((str(name), tuple(bars[at : at + count])))
        at += count
    if bars[at:]:
        out.append(("end", tuple(bars[at:])))
    return tuple(out)


def spelt(name: str, *, flats: bool) -> str:
    """Return a key's or a chord's name as a musician writes it in a key with flats or with sharps."""
    for sharp, flat in _SPELLINGS:
        old, new = (sharp, flat) if flats else (flat, sharp)
        if name.startswith(old):
            return new + name.removeprefix(old)
    return name


def capo(tonic: str, mode: str) -> tuple[int, str] | None:
    """Return where a capo makes a key easy on a guitar: the fret and the key to finger; ``None`` when it is easy."""
    easy = _EASY_MINOR if mode in MINOR_SIDE else _EASY_MAJOR
    if tonic in easy or tonic not in TONICS:
        return None
    here = TONICS.index(tonic)
    fret, name = min(((here - TONICS.index(name)) % 12, name) for name in easy)
    minor = "m" if mode in MINOR_SIDE else ""
    return (fret, name + minor) if fret <= HIGHEST_CAPO else None


def made(request: ClipRequest, kind: str, renderer: str, soundfont: str) -> bytes | ClipFailure:
    """Compose a clip again and write it as a file. Runs inside the device worker's processes.

    Args:
        request: Of the clip.
        kind: One of ``ExportKind`` but WAV.
        renderer: As ``generation.composer.Composer`` takes it.
        soundfont: Likewise.
    """
    from domain.description import Description  # noqa: PLC0415 - only in the worker process
    from domain.errors import DescriptionError  # noqa: PLC0415
    from domain.facets import Facets  # noqa: PLC0415
    from generation.composer import Composer  # noqa: PLC0415
    from generation.genome.describe import describe  # noqa: PLC0415
    from generation.genome.realise import plan_of  # noqa: PLC0415
    from generation.midi import score_to_midi  # noqa: PLC0415
    from generation.musicxml import to_musicxml  # noqa: PLC0415
    from generation.planning.hints import find_hints  # noqa: PLC0415
    from generation.planning.plan import make_plan  # noqa: PLC0415
    from generation.writing.arrange import arrange  # noqa: PLC0415
    from prompts.reader import read  # noqa: PLC0415
    from prompts.vocabulary import shipped  # noqa: PLC0415

    try:
        if request.description is not None:
            plan = plan_of(Description.from_json(request.description))
        else:
            said = read(request.prompt) if request.facets is None else None
            facets = said or Facets.from_json(request.facets or {})
            hints = find_hints(facets, shipped())
            plan = make_plan(facets, request.seed, request.seconds, hints=hints)
    except DescriptionError as error:
        return ClipFailure(reason=str(error))
    score = arrange(plan)
    if kind == ExportKind.MIDI:
        return score_to_midi(score)
    description = describe(plan, score)
    if kind == ExportKind.MUSICXML:
        return to_musicxml(score, description)
    return Composer(renderer=renderer, soundfont=soundfont).stems(description)
