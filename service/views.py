"""What the use cases hand to the front end, ready to be worded; and who is acting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.candidate import Candidate
from domain.clip import Clip
from domain.fitness import Judgement
from domain.ids import CandidateId, ChannelId, ClipId, GuildId, ListenerId
from domain.run import CloseReason, Generation, Post, Run
from domain.vote import Consent, Grade
from service.generator_state import GeneratorState


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The person behind a command or a press, and where they are.

    Attributes:
        user_id: Who.
        guild_id: The server; 0 in direct messages.
        channel_id: The channel or thread.
        is_moderator: Whether they may do what moderators do there.
        name: For words on the screen; data, never trusted.
    """

    user_id: ListenerId
    guild_id: GuildId
    channel_id: ChannelId
    is_moderator: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a job stands.

    Attributes:
        text: One line, ready to show.
        done: Clips ready.
        total: Clips wanted.
        position: Jobs ahead; 0 while running.
        eta: Seconds until the end as far as known.
        finished: Nothing more will come.
        error: A sentence when it failed or was cancelled.
    """

    text: str
    done: int = 0
    total: int = 0
    position: int = 0
    eta: float | None = None
    finished: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRating:
    """What one listener has said about one clip of a round; ``grade`` is ``None`` when nothing."""

    slot: int
    clip_id: ClipId
    grade: Grade | None = None
    favourite: bool = False
    broken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The private answer to a vote: everything this listener has said in this round.

    Attributes:
        round_label: Such as ``"Round 3"``.
        ratings: One for each posted clip, by slot.
        late: The round is closed; the vote still counts.
        consent: What the listener allows here.
        votes_until_taste: Votes still missing until their own taste counts; 0 when it does.
        note: One more sentence, or ``""``.
        by_hand: It is no round but the one clip that somebody made by hand.
    """

    round_label: str
    run_id: int
    number: int
    ratings: tuple[ClipRating, ...]
    late: bool
    consent: Consent
    votes_until_taste: int
    note: str = ""
    by_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundClip:
    """A posted clip with its file."""

    slot: int
    clip: Clip
    filename: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundView:
    """A round to post.

    ``stand_ins`` are sentences about built-in defaults in use. ``made`` is set where it is no round but the one clip
    that somebody made by hand, and says what it was made from.
    """

    post: Post
    run: Run
    number: int
    clips: tuple[RoundClip, ...]
    stand_ins: tuple[str, ...]
    closes_at: float | None
    made: Candidate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealRow:
    """What became of one clip.

    Attributes:
        slot: 1 to 4.
        clip: The clip.
        mean: Mean rating in [-1, 1], or ``None`` without votes.
        votes: Listeners who rated it.
        favourites: Listeners who starred it.
        spread: Standard deviation of the ratings.
        operator: What bred it.
        parents: Prompts of its parents.
        then: Mean rating of the round it comes from, where it is an old clip that was posted again.
    """

    slot: int
    clip: Clip
    mean: float | None
    votes: int
    favourites: int
    spread: float
    operator: str
    parents: tuple[str, ...]
    then: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealView:
    """A closed round. ``winner_slot`` is ``None`` when nobody voted."""

    post: Post
    run: Run
    number: int
    rows: tuple[RevealRow, ...]
    winner_slot: int | None
    reason: CloseReason
    voters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseView:
    """A run that paused: after ``rounds`` rounds without a vote, or for the ``reason`` in a sentence."""

    post: Post
    run: Run
    rounds: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetView:
    """A track that a run is bred towards.

    Attributes:
        title: The file's name; data, never trusted.
        words: What it sounds like, ``""`` where nothing stands out.
        seconds: Its length.
        rated: Clips of the run that people have rated.
        votes_share: In [0, 1], what votes count by now; the track counts the rest.
    """

    title: str
    words: str
    seconds: float
    rated: int
    votes_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusView:
    """A run as it stands.

    ``progress`` is set while a round is being made; ``problem`` says why the last round could not be posted;
    ``target`` is what the run is bred towards, if anything.
    """

    run: Run
    generation: Generation | None
    voters: int
    progress: Progress | None
    families: Mapping[str, int]
    message_id: int | None = None
    problem: str = ""
    target: TargetView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TasteWord:
    """One thing a taste seems to like or dislike.

    Attributes:
        words: Such as ``"slower"``.
        strength: Signed pull on the log-odds of liking; the larger, the stronger.
        certainty: Probability in [0.5, 1] that the sign is right.
    """

    words: str
    strength: float
    certainty: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TasteView:
    """A listener's taste in one server.

    Attributes:
        consent: What they allow.
        evidence: Votes it rests on.
        votes_until_shown: Votes still missing until it counts.
        likes: Strongest first.
        dislikes: Strongest first.
        liked_families: Genre family -> (votes, mean rating), most votes first.
        trend: Mean rating of the posted clips they rated, oldest round first.
        note: What a language model has noted of what this channel's herd likes; data, often empty.
    """

    consent: Consent
    evidence: int
    votes_until_shown: int
    likes: tuple[TasteWord, ...]
    dislikes: tuple[TasteWord, ...]
    liked_families: Mapping[str, tuple[int, float]]
    trend: tuple[float, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyReason:
    """One thing that speaks for a clip, or against it, with the votes behind it.

    Attributes:
        words: Such as ``"slower"``.
        strength: Log odds that it adds (above 0) or takes away.
        certainty: Probability in [0.5, 1] that the direction is right.
        alike: Rated clips that are most like it in this.
        liked: How many of those the listener liked.
        moved: (prompt, rating) of the clips whose votes brought it about most.
    """

    words: str
    strength: float
    certainty: float
    alike: int = 0
    liked: int = 0
    moved: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyView:
    """Why a clip was chosen, for one listener.

    Attributes:
        clip: The clip.
        role: Why it got its place, in words.
        liking: Predicted probability in [0, 1] that this listener likes it, or ``None`` without a taste.
        spread: Standard deviation of ``liking``.
        reasons: What speaks for it, then what speaks against it, strongest first.
        evidence: Clips rated by this listener that it rests on.
        nearest: Prompts of the most similar clips they rated, with the rating.
        operator: What bred it.
        parents: Prompts of its parents.
        judgement: What its fitness was made of when it was chosen; ``None`` for clips from before that was recorded.
    """

    clip: Clip
    role: str
    liking: float | None
    spread: float
    reasons: tuple[WhyReason, ...]
    evidence: int
    nearest: tuple[tuple[str, float], ...]
    operator: str
    parents: tuple[str, ...]
    judgement: Judgement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageView:
    """Ancestors of a clip's candidate, by generation, the clip's own candidate first.

    ``fitness`` is what each of them had in [0, 1] when clips were chosen, where that is recorded.
    """

    clip: Clip
    ancestors: tuple[Candidate, ...]
    fitness: Mapping[CandidateId, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file for one person; ``note`` says what it is."""

    filename: str
    data: bytes
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForMe:
    """The clip of a generation that a listener is expected to like most."""

    clip: Clip
    filename: str
    data: bytes
    liking: float
    evidence: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutView:
    """What is running, for ``/about``.

    Attributes:
        version: Of Tunebreeder.
        parts: Part -> what fills it, such as ``"generator" -> "composer 1 (numpy renderer, TimGM6mb)"``.
        stand_ins: One sentence for each built-in default that stands in for a model.
        generators: What a run may choose to be played by, the default first.
        licences: Other part -> licence.
    """

    version: str
    parts: Mapping[str, str]
    stand_ins: tuple[str, ...]
    generators: tuple[GeneratorState, ...] = ()
    licences: Mapping[str, str] = field(default_factory=dict)
