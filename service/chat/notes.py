"""What is answered in a sentence, without a tool: small talk, blame, and wishes that a button or a command fulfils."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum


class Note(StrEnum):
    """Why a text led to no call."""

    NONE = ""
    UNKNOWN = "unknown"
    """Nothing in it is known."""
    NEGATED = "negated"
    """It says what not to do."""
    SMALL_TALK = "small talk"
    GREETED = "greeted"
    """It asks how the bot is."""
    BLAMED = "blamed"
    """It is angry with the bot or with all of its music."""
    OPINION = "opinion"
    """It asks what the bot likes."""
    REFUSED = "refused"
    """It claims an authority, or acts for others."""
    QUOTED = "quoted"
    """There is nothing but quotations in it."""
    WHAT_ABOUT = "what about"
    """It names a clip and nothing else."""
    LISTEN = "listen"
    """It wants to hear a clip that is posted."""
    FILES = "files"
    """It wants a file of a clip."""
    TOP = "top"
    """It asks for the best clips."""
    TAKE_BACK = "take back"
    """It wants a vote undone."""
    CANCEL = "cancel"
    DIFFERENT = "different"
    """It wants something else and does not say what."""


TEXTS = {
    Note.UNKNOWN: "I did not get that. I know everyday English about the music here: try “darker, and lose the "
    "drums”, “more like B”, “love the second one”, “why?”, “next” or “start rainy lofi”; “help” tells the rest.",
    Note.NEGATED: "Fine, I leave it as it is.",
    Note.SMALL_TALK: "Any time. Say what you would like to hear, or which clip you like.",
    Note.GREETED: "I am well, thank you, and all ears. Say what you would like to hear, or which clip you like.",
    Note.BLAMED: "Sorry. Tell me what is wrong, and the next round gets better: “D sucks”, “all of them are bad”, "
    "or “slower, without drums”.",
    Note.OPINION: "I have no taste of my own; I learn yours. “what do I like?” shows it, and “why B?” says what "
    "speaks for a clip.",
    Note.REFUSED: "I do only what you may do here yourself, whatever a message says about it. “help” tells what that "
    "is.",
    Note.QUOTED: "I read quotations, but I do not act on them. Say in your own words what you want.",
    Note.WHAT_ABOUT: "What shall I do with it? Try “love B”, “B but slower”, “more like B” or “why B?”.",
    Note.LISTEN: "Clips play in the message of their round. “pick one for me” finds the one that you should like best.",
    Note.FILES: "Press **More** under the round, pick the clip, then **Download**: WAV, MIDI, stems or sheet music.",
    Note.TOP: "`/top` shows the best clips here, with their sound. Who won a round is told when it closes.",
    Note.TAKE_BACK: "Press the same face again to take a vote back, or say what you think now: “B is awful”. A round "
    "that is out stays; “more like B of the previous round” goes back to it.",
    Note.CANCEL: "**Cancel** on the status line drops a round that is being made; “stop” ends the run.",
    Note.DIFFERENT: "Say what it should be instead, such as “switch to bossa nova” or “faster, with strings”.",
}
"""What is answered. A note that is not here is none of the offline grammar's."""
WANTED = frozenset(
    {
        Note.OPINION,
        Note.LISTEN,
        Note.FILES,
        Note.TOP,
        Note.TAKE_BACK,
        Note.CANCEL,
        Note.DIFFERENT,
    }
)
"""Wishes that are answered also where something else in the text was done."""
GOES_ON = "A run goes on here already. Say “switch to jazz” to steer it, “next” for new clips, or “stop” to end it."
GOES_ON_FOR_ALL = (
    "A run goes on here already: rate its clips to steer it, or say “start one for me: jazz”."
)
RESTS = (
    "A run is paused here. Say “resume” to go on with it, or “stop” to end it and start another."
)
RESTS_FOR_ALL = (
    "A run is paused here. Say “resume” to go on with it, or say “start one for me: jazz”."
)

_CLIP = r"⟦[^⟧]*⟧"
_VOTE = r"(?:(?:my|that|the|this|last) )*(?:vote|rating|grade|star)"
_BOT = r"(?:you|(?:this|the|stupid|dumb|bad) bot|your (?:music|clips?|songs?|tracks?|stuff|taste)|tunebreeder)"
_VERY = (
    r"(?: (?:are|is|all|so|really|just|totally|such|absolutely|very|complete|total|a|piece of))*"
)
_INSULT = (
    r"(?:awful|terrible|horrible|bad|rubbish|garbage|trash|crap|shit|useless|stupid|dumb|annoying|boring|idiotic|"
    r"lame|an? (?:idiot|moron|joke|failure)|the worst|sucks?|stinks?|pathetic|worthless)"
)
_BEST = r"(?: (?:\d+|ones?|clips?|songs?|tracks?|so far|yet|here|ever|of all(?: time)?|of (?:this|the) run))*"
_WISH = r"(?:(?:i want|give me|let us (?:do|try|hear)|try|do|make|play)(?: me| us)? )?"
_ASIDES: Mapping[Note, tuple[str, ...]] = {
    Note.GREETED: (
        r"how (?:are|do) you(?: (?:doing|feeling|do|feel))?(?: (?:today|tonight))?",
        r"are you (?:ok|okay|well|there|awake|alive|listening)",
        r"how is life|hope you are well",
    ),
    Note.BLAMED: (
        rf"{_BOT}{_VERY} {_INSULT}",
        r"(?:bad|stupid|dumb|useless) (?:bot|robot|machine)|you (?:idiot|moron)",
        r"i (?:really )?hate (?:you|this bot|your (?:music|clips|songs))",
        rf"(?:fuck|screw|damn) (?:you|off|this)|are you {_INSULT}",
    ),
    Note.NEGATED: (
        r"shut up|be quiet|silence|hush|leave (?:me|us) (?:alone|be)|go away|piss off",
        r"never ?mind|forget (?:it|that)|not you|nothing|do nothing",
    ),
    Note.OPINION: (
        r"do you (?:like|love|hate|enjoy|prefer|dream|sleep|sing|dance)\b(?! to\b).*",
        r"what (?:is|are) your (?:favourites?|taste|opinion|pick).*",
        r"what do you (?:like|prefer|think)(?: (?:of|about) .*)?",
        r"(?:which|what) (?:one )?do you (?:like|prefer).*",
    ),
    Note.LISTEN: (
        (
            rf"(?:play|replay|listen to|hear|put on|let me hear)(?: (?:me|us))? (?:{_CLIP}|all of them|the clips?)"
            r"(?: again| once more)?"
        ),
        r"(?:play|hear|listen to) (?:it|this|that)(?: one)? (?:again|once more)",
        r"where are the clips",
    ),
    Note.FILES: (
        r"(?!.*\bdata\b)(?:(?:download|export)\b|(?:where|how)\b.*\bdownload\b).*",
        (
            r"(?!.*\bdata\b)(?:(?:can|may) i )?(?:get|have|send|give|share|want)\b.*"
            r"\b(?:wav|mp3|flac|midi|stems?|sheet music|score|files?)\b.*"
        ),
    ),
    Note.TOP: (
        (
            r"(?:(?:show|give|list|tell)(?: (?:me|us))? )?(?:(?:what|which|who)(?: (?:one|ones|clips?))? (?:is|are) )?"
            rf"(?:the )?(?:top|best){_BEST}"
        ),
        r"(?:who|what|which (?:one|clip)) (?:won|has won|wins)(?: (?:it|the (?:last )?round))?",
        r"(?:show )?(?:me )?(?:the )?(?:leader ?board|charts|hall of fame|rankings?)",
    ),
    Note.TAKE_BACK: (
        rf"(?:undo|take back|retract|remove|withdraw|cancel|delete) {_VOTE}(?: (?:for|on|of|from))?(?: {_CLIP})?",
        r"undo(?: (?:it|that|this))?|i did not mean (?:it|that)",
    ),
    Note.CANCEL: (r"(?:cancel|abort)(?: (?:it|that|this|the round))?",),
    Note.DIFFERENT: (
        (
            rf"{_WISH}(?:something|anything) (?:completely |totally |very |quite )?(?:different|new|else|fresh)"
            r"(?: for a change)?"
        ),
        r"(?:a )?(?:new|different|another) (?:genre|style|vibe|mood|direction)",
        r"change the (?:genre|style|vibe|mood|subject|topic)",
    ),
}
_PATTERNS = tuple(
    (note, re.compile("|".join(f"(?:{one})" for one in ways))) for note, ways in _ASIDES.items()
)


def aside(core: str, text: str) -> Note | None:
    """Return what a clause is besides music, votes and runs, or ``None``.

    Args:
        core: The clause without polite words.
        text: The whole clause, normalised.
    """
    for note, pattern in _PATTERNS:
        if pattern.fullmatch(core) or pattern.fullmatch(text):
            return note
    return None
