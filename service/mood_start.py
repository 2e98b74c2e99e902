"""What a mood may start from: a clip, words about a genre or a mood, or the middle of everything."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from domain.clip import BUILT_IN, Clip
from domain.errors import NotFoundError, UsageError
from domain.facets import Facets
from domain.features import Features
from domain.ids import CandidateId, ClipId, MessageId
from domain.run import Run
from prompts.features import from_facets
from prompts.reader import read
from prompts.vocabulary import shipped
from service.mood_session import Kind, Session, beyond_features, tidy_features
from service.views import Actor
from storage import clips, posts, runs
from storage.database import Reader

MIDDLE = "the middle of everything"
SECONDS = 8.0
GONE = "That clip is not there any more, or it is another channel's."
OLDER = "That clip is older than this composer: its mood stays, its tune changes."
SOUND = "{name} made that clip as sound, without notes: its mood stays, its tune changes."
GOES_ON = "{name} goes on from the clip's own sound."
_LINK = re.compile(r"\S*/channels/(?:\d+|@me)/\d+/(\d+)/?(?:\s+(?:clip\s+)?([a-dA-D1-4]))?")
_SLOT = re.compile(r"(?:clip\s+)?([a-dA-D1-4])", re.IGNORECASE)
_CLIP = re.compile(r"(?:clip\s+)?(\d{1,18})", re.IGNORECASE)
_CANDIDATE = re.compile(r"#(\d{1,18})")


async def clip_named(tx: Reader, actor: Actor, text: str) -> Clip | None:
    """Return the clip that a person's text names, or ``None`` when it names none.

    ``B`` or ``2`` is a place in the latest round here, ``#12`` a number of a lineage, a larger number a clip's own, and
    a message's link the first clip of that message unless a letter follows it.

    Raises:
        NotFoundError: It names one that is not there, or not for this person here.
    """
    text = text.strip()
    if match := _LINK.fullmatch(text):
        return await _of_message(tx, actor, int(match[1]), match[2] or "A")
    if match := _SLOT.fullmatch(text):
        run = await runs.latest_run_in_channel(tx, actor.channel_id)
        if run is None:
            raise NotFoundError(
                "There is no round here yet. Start with a genre, or with nothing at all."
            )
        return await _in_slot(tx, actor, run, run.generation, match[1])
    if match := _CANDIDATE.fullmatch(text):
        made = await clips.clips_of_candidates(tx, [CandidateId(int(match[1]))])
        if not made:
            raise NotFoundError(GONE)
        return await allowed(tx, actor, made[-1].id)
    if match := _CLIP.fullmatch(text):
        return await allowed(tx, actor, ClipId(int(match[1])))
    return None


async def allowed(tx: Reader, actor: Actor, clip_id: ClipId) -> Clip:
    """Return a clip if this person may hear it here.

    Raises:
        NotFoundError: They may not, or it is gone.
    """
    clip = await clips.clip(tx, clip_id)
    run = await runs.get_run(tx, clip.run_id)
    if not _is_open(actor, run):
        raise NotFoundError(GONE)
    return clip


def _is_open(actor: Actor, run: Run) -> bool:
    here = (run.guild_id, run.channel_id) == (actor.guild_id, actor.channel_id)
    return here and run.for_listener in {None, actor.user_id}


async def _of_message(tx: Reader, actor: Actor, message_id: int, place: str) -> Clip:
    post = await posts.post_by_message(tx, MessageId(message_id & (2**63 - 1)))
    if post is None:
        raise NotFoundError(
            "That message shows no clips of mine. Link one with a round, and add its letter."
        )
    return await _in_slot(tx, actor, await runs.get_run(tx, post.run_id), post.generation, place)


async def _in_slot(tx: Reader, actor: Actor, run: Run, number: int, place: str) -> Clip:
    slot = int(place) if place.isdecimal() else "ABCD".index(place.upper()) + 1
    shown = await clips.posted_clips(tx, run.id, number) if _is_open(actor, run) else []
    found = next((one for one in shown if one.posted_slot == slot), None)
    if found is None:
        raise NotFoundError(f"There is no clip {place.upper()} in that round.")
    return found


def from_clip(clip: Clip, kind: Kind = Kind.MOOD) -> tuple[Session, str]:
    """Return a panel that starts from a clip, and a note or ``""``."""
    described = "genome" in clip.description
    told = _account(clip)
    features, words = features_of(told), words_of(told)
    session = Session(
        kind=kind,
        start=clip.prompt,
        start_clip=clip.id,
        keeps_tune=described,
        base=features,
        base_words=words,
        features=features,
        words=words,
        seed=clip.seed,
        seconds=clip.seconds,
    )
    return session, "" if described else _note(clip, kind)


def _account(clip: Clip) -> Mapping[str, Any]:
    """Return what was composed; of sound without notes, what its words say."""
    told = clip.description
    if "genome" in told or "facets" in told:
        return told
    return {**told, "facets": read(clip.prompt).to_json()}


def _note(clip: Clip, kind: Kind) -> str:
    """Return what becomes of a clip without notes."""
    if clip.generator == BUILT_IN:
        return OLDER
    return (GOES_ON if kind is Kind.LONGER else SOUND).format(name=clip.generator)


def features_of(description: Mapping[str, Any]) -> Features:
    """Return the ten features of a clip from the account of what was composed; rounded."""
    if "features" in description:
        return tidy_features(Features.from_json(description["features"]))
    said = from_facets(shipped().settle(_facets(description)))
    levels = {
        name: float(description[name]) for name in ("energy", "valence") if name in description
    }
    return tidy_features(replace(said, **levels))  # type: ignore[arg-type]


def words_of(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a clip is beyond its features, as facets in JSON."""
    return beyond_features(_facets(description))


def _facets(description: Mapping[str, Any]) -> Facets:
    """Return what a clip was composed from, with the key and metre that it turned out to have."""
    known = Facets.from_json(description.get("facets", {}))
    real = {
        name: description[name]
        for name in ("family", "tempo", "tonic", "mode", "metre")
        if description.get(name)
    }
    return replace(known, **Facets.from_json(real).to_json() | _tuples(real))


def _tuples(real: Mapping[str, Any]) -> dict[str, Any]:
    return {"metre": tuple(real["metre"])} if "metre" in real else {}


def from_words(text: str) -> tuple[Session, str]:
    """Return a panel that starts from words, or from the middle of everything, and a note or ``""``.

    Raises:
        UsageError: Not one of the words means anything.
    """
    said = read(text)
    understood = {key for key in said.to_json() if key != "unknown"}
    if text.strip() and not understood:
        raise UsageError(
            "I know neither a clip nor a genre or mood of that name. Try B for the second clip of the round here, "
            "or words such as: bossa nova, melancholic, fast techno."
        )
    features, words = Features(), {}
    if understood:
        features = tidy_features(from_facets(shipped().settle(said)))
        words = beyond_features(said)
    features = tidy_features(features)
    session = Session(
        start=" ".join(text.split())[:200] if understood else MIDDLE,
        base=features,
        base_words=words,
        features=features,
        words=words,
        seed=secrets.randbits(31),
        seconds=SECONDS,
    )
    note = f"I do not know: {', '.join(said.unknown)}." if said.unknown else ""
    return session, note
