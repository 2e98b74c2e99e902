"""The tools of a conversation: what each is called, takes, needs and costs. ``doing`` does them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from evolution.language.seam import Tool


class Need(StrEnum):
    """Who may use a tool. The use case behind it decides; this is for words and tests."""

    ANYONE = "anyone"
    STEERING = "moderators, whoever the run is bred for, and anybody where one voter is a quorum"
    ENDING = "moderators, and whoever the run is bred for"


class Cost(StrEnum):
    """What a tool makes the machine do."""

    NOTHING = "nothing"
    CLIP = "one clip"
    ROUND = "one round"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A tool.

    Attributes:
        name: What it is called.
        description: For the model.
        properties: JSON schemas of its arguments.
        required: Arguments that it cannot do without.
        need: Who may use it.
        cost: What it makes the machine do.
        acts: Whether it changes anything.
        confirm: What the speaker is asked before it is done; ``""`` for nothing.
        consent: Whether it is recorded about the speaker, so that paused collection stops it.
    """

    name: str
    description: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    need: Need = Need.ANYONE
    cost: Cost = Cost.NOTHING
    acts: bool = False
    confirm: str = ""
    consent: bool = False

    @property
    def schema(self) -> Mapping[str, Any]:
        """JSON schema of all arguments."""
        return {
            "type": "object",
            "properties": dict(self.properties),
            "required": list(self.required),
            "additionalProperties": False,
        }

    def tool(self) -> Tool:
        """Return it as a model gets it."""
        return Tool(name=self.name, description=self.description, parameters=self.schema)


_CLIP = {
    "type": "string",
    "maxLength": 60,
    "description": "Which clip: A, B, C or D of the latest round, or the one replied to; "
    "'B of previous', 'B of 2' for another round; 'winner'; 'best' is the speaker's favourite; '#12'; '@42' is the one "
    "that member 42 posted; "
    "'~flute' describes it. Leave it away for the clip replied to or talked about last.",
}
_WORDS = {
    "type": "string",
    "minLength": 1,
    "maxLength": 300,
    "description": "What should change, in the speaker's words, such as: slower, warmer, no drums",
}
_ONE = {"clip": _CLIP}
_STEER: Mapping[str, Any] = {"need": Need.STEERING, "cost": Cost.ROUND, "acts": True}

_ALL = (
    Spec(
        name="start",
        description="Start breeding music in this channel, or privately for the speaker. With an audio file "
        "in the message it is bred towards that.",
        properties={
            "vibe": {
                "type": "string",
                "maxLength": 400,
                "description": "What the music should be about",
            },
            "private": {"type": "boolean", "description": "For the speaker alone"},
        },
        cost=Cost.ROUND,
        acts=True,
    ),
    Spec(name="next", description="Close this round and breed the next one.", **_STEER),
    Spec(
        name="vary",
        description="Breed the next round close to one clip: its tune stays.",
        properties=_ONE,
        **_STEER,
    ),
    Spec(
        name="cross",
        description="Breed the next round from two to four clips crossed with each other.",
        properties={"clips": {"type": "array", "items": _CLIP, "minItems": 2, "maxItems": 4}},
        required=("clips",),
        **_STEER,
    ),
    Spec(
        name="remix",
        description="Breed the next round with changes in words, from one clip, or from what "
        "is liked when none is named. Use it "
        "for wishes about the music. Where the speaker may not call a round, one clip is "
        "made instead.",
        properties={"words": _WORDS, "clip": _CLIP},
        required=("words",),
        **_STEER,
    ),
    Spec(
        name="mood",
        description="Make one new version of a clip, changed in words, and post it. No round "
        "is closed.",
        properties={"words": _WORDS, "clip": _CLIP},
        required=("words",),
        cost=Cost.CLIP,
        acts=True,
    ),
    Spec(
        name="longer",
        description="Make a version of a clip of about 30 seconds and post it.",
        properties=_ONE,
        cost=Cost.CLIP,
        acts=True,
    ),
    Spec(
        name="branch",
        description="Start a run of the speaker's own from one clip, in a thread.",
        properties=_ONE,
        cost=Cost.ROUND,
        acts=True,
    ),
    Spec(
        name="duel",
        description="Post two clips side by side, blind; everybody gives one of them the trophy.",
        cost=Cost.ROUND,
        acts=True,
    ),
    Spec(name="resume", description="Go on with a paused run.", cost=Cost.ROUND, acts=True),
    Spec(
        name="pause",
        description="Let the run here rest until somebody resumes it.",
        need=Need.ENDING,
        acts=True,
        confirm="Pause the run here? A round in the making is dropped; everything else stays.",
    ),
    Spec(
        name="stop",
        description="End the run here; clips, votes and tastes are kept.",
        need=Need.ENDING,
        acts=True,
        confirm="Stop the run here? Clips, votes and tastes are kept, but its population "
        "does not breed on.",
    ),
    Spec(
        name="reset",
        description="Start over here with the same vibe and a new population; tastes are kept.",
        need=Need.ENDING,
        cost=Cost.ROUND,
        acts=True,
        confirm="Start over here? The population of this run is left behind; tastes are kept.",
    ),
    Spec(
        name="rate",
        description="Give the speaker's own grade to a clip.",
        properties={
            "grade": {"type": "string", "enum": ["awful", "meh", "good", "love"]},
            "clip": _CLIP,
        },
        required=("grade",),
        acts=True,
        consent=True,
    ),
    Spec(
        name="favourite",
        description="Give the speaker's own star to the best clip of a round.",
        properties=_ONE,
        acts=True,
        consent=True,
    ),
    Spec(
        name="broken",
        description="Say that a clip's audio is broken (clicks, silence, noise); says "
        "nothing about taste.",
        properties=_ONE,
        acts=True,
        consent=True,
    ),
    Spec(
        name="all_bad",
        description="Grade every clip of the round awful, for the speaker.",
        acts=True,
        consent=True,
    ),
    Spec(name="keep", description="Keep a clip's audio for good.", properties=_ONE, acts=True),
    Spec(name="why", description="Say why a clip was chosen.", properties=_ONE),
    Spec(name="lineage", description="Tell a clip's ancestors.", properties=_ONE),
    Spec(
        name="play", description="Tell key, tempo, chords and players of a clip.", properties=_ONE
    ),
    Spec(
        name="for_me", description="Find the clip of this round that the speaker should like most."
    ),
    Spec(name="taste", description="Tell what the speaker seems to like."),
    Spec(
        name="my_data", description="Tell what is held about the speaker, and how they delete it."
    ),
    Spec(name="status", description="Tell how the run here stands."),
    Spec(name="about", description="Tell what makes the music, licences, privacy."),
    Spec(name="help", description="Tell what the speaker can say and press."),
)
TOOLS: Mapping[str, Spec] = {spec.name: spec for spec in _ALL}
"""Every tool by its name."""


def problem_of(name: str, arguments: Mapping[str, Any]) -> str:
    """Return what is wrong with a call, in a sentence; ``""`` when it can be tried."""
    spec = TOOLS.get(name)
    if spec is None:
        return f"There is no tool {name[:40]}. There are: {', '.join(TOOLS)}."
    unknown = [key for key in arguments if key not in spec.properties]
    missing = [key for key in spec.required if arguments.get(key) in (None, "", [])]
    if unknown:
        return f"{name} takes no {str(unknown[0])[:40]}."
    if missing:
        return f"{name} needs {missing[0]}."
    for key, value in arguments.items():
        if problem := _wrong(key, value, spec.properties[key]):
            return problem
    return ""


def _wrong(key: str, value: Any, schema: Mapping[str, Any]) -> str:
    kinds = {"string": str, "boolean": bool, "array": list}
    if not isinstance(value, kinds[schema["type"]]):
        return f"{key} must be a {schema['type']}."
    if isinstance(value, str) and len(value) > schema.get("maxLength", 60):
        return f"{key} is too long: at most {schema.get('maxLength', 60)} characters."
    if "enum" in schema and value not in schema["enum"]:
        return f"{key} must be one of {', '.join(schema['enum'])}."
    if isinstance(value, list):
        if not schema["minItems"] <= len(value) <= schema["maxItems"]:
            return f"{key} must be {schema['minItems']} to {schema['maxItems']} clips."
        return next((bad for one in value if (bad := _wrong(key, one, schema["items"]))), "")
    return ""
