"""The offline grammar: what common English sentences ask for, as calls of the same tools that a language model gets.

It reads clause by clause and takes a clause only where it matches a known pattern as a whole or speaks of music; it
guesses at nothing, least of all at what ends or deletes something.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from prompts.reader import interpret
from service.chat import lexicon, verdicts
from service.chat import phrases as words_of
from service.chat.clauses import Clause, clauses, crosses, is_music, plainly
from service.chat.guard import is_hostile, restored, unquoted, without_quotes
from service.chat.notes import WANTED, Note, aside
from service.chat.references import MARK, without_references

MOST = 1500
"""Characters that are read."""
MOST_CALLS = 8
_ABOUT_IT = frozenset(
    {
        "",
        "take",
        "use",
        "pick",
        "grab",
        "do",
        "try",
        "again",
        "do again",
        "try again",
        "as for",
        "so",
        "regarding",
    }
)
"""What may stand beside a clip that the next clause is about."""
_MAKING = frozenset({"start", "next", "vary", "cross", "remix", "mood", "branch"})
"""Tools that say what there is to be instead of what there is."""
_PRONOUN = re.compile(r"\b(?:this|that|it|these|those|them|the same|same)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool to use, with its arguments; not checked yet.

    Attributes:
        name: The tool.
        arguments: What it is told.
        if_shown: Whether it is for the clip only where there is one in that place: a round may have fewer than four.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    if_shown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What a text asks for, in order.

    Attributes:
        calls: The tools to use.
        note: Why there are none.
        asides: What is said beside the calls, to wishes that no tool fulfils.
        whole: Whether calls and asides answer all of it.
    """

    calls: tuple[Call, ...] = ()
    note: Note = Note.NONE
    asides: tuple[Note, ...] = ()
    whole: bool = False


def read(text: str, *, with_file: bool = False) -> Understood:
    """Read what somebody said to the bot. Any text can be read.

    Args:
        text: Their words.
        with_file: Whether an audio file came with them: "like this" then speaks of it.
    """
    visible, quotes = unquoted(text[:MOST])
    if is_hostile(visible):
        return Understood(note=Note.REFUSED)
    if with_file and words_of.LIKE_THE_FILE.fullmatch(" ".join(visible.split())):
        return Understood(calls=(Call(name="start"),), whole=True)
    if not without_quotes(visible).strip():
        return Understood(note=Note.QUOTED)
    reader = _Reader(quotes)
    for clause in clauses(visible):
        reader.take(clause)
    understood = reader.result()
    return replace(understood, whole=understood.whole and len(text) <= MOST)


class _Reader:
    """Turns clauses into calls. ``topic`` is the clip that the sentence is about so far."""

    def __init__(self, quotes: tuple[str, ...]) -> None:
        self._quotes = quotes
        self._calls: list[Call] = []
        self._topic = ""
        self._notes: set[Note] = set()
        self._asides: list[Note] = []
        self._negated = False
        self._last: Call | None = None

    def result(self) -> Understood:
        if self._calls:
            whole = Note.UNKNOWN not in self._notes and len(self._calls) <= MOST_CALLS
            calls = tuple(self._calls[:MOST_CALLS])
            return Understood(calls=calls, asides=self._unfulfilled(), whole=whole)
        for note in (Note.NEGATED, *self._asides, Note.UNKNOWN, Note.SMALL_TALK):
            if note in self._notes:
                return Understood(note=note)
        return Understood(note=Note.WHAT_ABOUT if self._topic else Note.UNKNOWN)

    def _unfulfilled(self) -> tuple[Note, ...]:
        """Return the asides that want something which the calls do not do."""
        told = WANTED - {Note.DIFFERENT} if self._makes_music() else WANTED
        return tuple(dict.fromkeys(one for one in self._asides if one in told))

    def _makes_music(self) -> bool:
        return any(call.name in _MAKING for call in self._calls)

    def take(self, clause: Clause) -> None:
        negated, self._negated = self._negated and clause.joint == "and", False
        before, self._last = self._last, None
        if not clause.core and words_of.GREETED.fullmatch(clause.text):
            self._add("help")
        elif (
            not clause.refs and words_of.THANKS.fullmatch(clause.core or clause.text)
        ) or not clause.core:
            self._notes.add(Note.SMALL_TALK)
        elif said := aside(clause.core, clause.text):
            self._notes.add(said)
            self._asides.append(said)
        elif words_of.MY_DATA.search(clause.text):
            self._add("my_data")
        elif words_of.NEGATED.match(clause.core) or words_of.NEGATED.match(clause.text):
            self._negation(clause)
        elif negated and words_of.ACTIONS.search(clause.core):
            self._refuse_to()
        elif not self._meaning(clause, before):
            self._notes.add(Note.UNKNOWN)
            if len(clause.refs) == 1:  # what follows is about that clip, whatever was said of it
                self._topic = clause.refs[0]

    def _negation(self, clause: Clause) -> None:
        if verdict := verdicts.of_negation(clause.core):
            self._rate(clause.refs or ("",), verdict)
        elif not words_of.ACTIONS.search(clause.core) and is_music(clause.core):
            self._change(clause, None)
        else:
            self._refuse_to()

    def _refuse_to(self) -> None:
        self._negated = True
        self._notes.add(Note.NEGATED)

    def _meaning(self, clause: Clause, before: Call | None) -> bool:
        if crosses(clause.core) or crosses(clause.text):
            return self._add("cross", clips=list(clause.refs))
        if part := verdicts.of_part(clause.core) or verdicts.of_part(clause.text):
            return self._part(clause, before, *part)
        return (
            self._question(clause)
            or self._run(clause)
            or self._vote(clause)
            or self._clip(clause)
            or self._music(clause, before)
            or self._bare(clause)
        )

    # Questions ----------------------------------------------------------------------------------------

    def _question(self, clause: Clause) -> bool:
        core, text = clause.core, clause.text
        open_ = ((words_of.MY_DATA, "my_data"), (words_of.TASTE, "taste"))
        for pattern, name in open_:
            if pattern.search(core) or pattern.search(text):
                return self._add(name)
        if not words_of.START_VERB.match(core) and words_of.FOR_ME.search(core):
            return self._for_me(clause)
        for pattern, name in ((words_of.LINEAGE, "lineage"), (words_of.WHY, "why")):
            if pattern.search(core):
                return self._add(name, clip=self._one(clause))
        return self._asked(clause)

    def _asked(self, clause: Clause) -> bool:
        core, text = clause.core, clause.text
        asks = clause.question or words_of.QUESTION.match(text) is not None
        if words_of.TELL.fullmatch(core) or words_of.TELL.fullmatch(text):
            return self._add("play", clip=self._one(clause))
        if words_of.PLAY.search(core) and (words_of.WH.match(text) or (asks and " of ⟦" in core)):
            return self._add("play", clip=self._one(clause))
        for pattern, name in (
            (words_of.STATUS, "status"),
            (words_of.ABOUT, "about"),
            (words_of.HELP, "help"),
        ):
            found = pattern.search(text) or pattern.fullmatch(core)
            if found and (asks or found.end() - found.start() >= len(text) - 3):
                return self._add(name)
        return False

    def _for_me(self, clause: Clause) -> bool:
        rest = words_of.PRIVATE.sub(" ", words_of.FOR_ME.sub(" ", clause.core))
        for_whom = (
            words_of.PRIVATE.search(clause.core)
            or "would" in clause.core
            or "surprise" in clause.core
        )
        return bool(for_whom) and not is_music(rest) and self._add("for_me")

    # The run ------------------------------------------------------------------------------------------

    def _run(self, clause: Clause) -> bool:
        if not clause.refs:
            for pattern, name in (
                (words_of.RESET, "reset"),
                (words_of.STOP, "stop"),
                (words_of.PAUSE, "pause"),
                (words_of.RESUME, "resume"),
                (words_of.DUEL, "duel"),
                (words_of.NEXT, "next"),
            ):
                if pattern.fullmatch(clause.core) or pattern.fullmatch(
                    words_of.HAVING.sub("", clause.core)
                ):
                    return self._add(name)
        return self._start(clause)

    def _start(self, clause: Clause) -> bool:
        private = words_of.PRIVATE.search(clause.core) is not None
        core = " ".join(words_of.PRIVATE.sub(" ", clause.core).split())
        if words_of.PLAY_SOME.fullmatch(core) and not clause.refs:
            return self._add("start", private=private)
        begun = words_of.START_VERB.match(core)
        if begun and not clause.refs:
            vibe = restored(core[begun.end() :], self._quotes).strip()
            if vibe and not is_music(vibe):
                return False
            return self._add("start", vibe=vibe, private=private)
        wish = words_of.WISH.match(core) or words_of.WISH.match(clause.text)
        if not wish or clause.refs:
            return False
        vibe = wish.string[wish.end() :].strip()
        reading = interpret(vibe)
        compared = reading.shifts or re.search(r"\b(?:more|less|it|this|that|them|into)\b", vibe)
        if reading.facets.genre is None or compared or re.match(r"with|without|no\b", vibe):
            return False
        vibe = " ".join(words_of.PRIVATE.sub(" ", vibe).split())
        return self._add("start", vibe=restored(vibe, self._quotes), private=private)

    # Votes --------------------------------------------------------------------------------------------

    def _vote(self, clause: Clause) -> bool:
        core, refs = clause.core, clause.refs
        if not refs and words_of.ALL_BAD.fullmatch(core):
            return self._add("all_bad")
        if words_of.BROKEN.search(core) and not is_music(words_of.BROKEN.sub(" ", clause.bare)):
            return self._add("broken", clip=self._one(clause))
        starred = words_of.FAVOURITE.search(clause.bare) or any(
            star in core for star in lexicon.STAR
        )
        if starred and (refs or _PRONOUN.search(core)) and "not" not in core.split():
            return self._add("favourite", clip=self._one(clause))
        if grade := verdicts.of_whole_round(core):
            return self._rate(tuple("ABCD"), grade, if_shown=True)
        if several := verdicts.of_several(core):
            return all(self._rate((ref,), grade) for ref, grade in several)
        verdict = verdicts.of_clause(core) or (
            verdicts.of_clause(words_of.HEDGE.sub("", clause.text).strip()) if refs else None
        )
        return verdict is not None and self._rate(refs or ("",), verdict)

    def _rate(self, refs: tuple[str, ...], grade: str, *, if_shown: bool = False) -> bool:
        for ref in refs:
            self._add("rate", if_shown=if_shown, clip=ref, grade=grade)
        if grade in {"awful", "meh"} or if_shown:
            self._topic = ""
        return True

    def _part(self, clause: Clause, before: Call | None, name: str, thought: str) -> bool:
        """Take praise of a part as a vote, and blame of one as a wish to have it gone."""
        if thought == "good":
            return self._rate(clause.refs or ("",), "good")
        if not thought or len(clause.refs) > 1 or not verdicts.can_go(name):
            return False
        self._change(clause, before, f"no {name}")
        return True

    # A clip -------------------------------------------------------------------------------------------

    def _clip(self, clause: Clause) -> bool:
        core, refs = words_of.HAVING.sub("", clause.core), clause.refs
        meant = bool(refs) or _PRONOUN.search(core) is not None or bool(self._topic)
        if (
            words_of.KEEP.match(core)
            and (refs or _PRONOUN.search(core))
            and not is_music(clause.bare)
        ):
            return all(self._add("keep", clip=ref) for ref in refs or (self._topic,))
        if words_of.BRANCH.search(core) and meant:
            return self._add("branch", clip=self._one(clause))
        if words_of.CROSS.search(core) and self._cross(clause):
            return True
        if words_of.LONGER.search(core):
            return self._add("longer", clip=self._one(clause))
        if words_of.MOOD.search(core):
            said = self._words(words_of.MOOD_FRAME.sub(" ", core))
            if is_music(said):
                return self._add("mood", clip=self._one(clause), words=said)
        return self._vary(clause)

    def _cross(self, clause: Clause) -> bool:
        refs = list(clause.refs)
        if len(refs) == 1 and self._topic and self._topic != refs[0]:
            refs.insert(0, self._topic)
        if not refs and words_of.EVERYTHING.search(clause.core):
            refs = list("ABCD")
        return len(refs) > 1 and self._add("cross", clips=refs)

    def _vary(self, clause: Clause) -> bool:
        core, refs = words_of.HAVING.sub("", words_of.NEXT_ONE.sub("", clause.core)), clause.refs
        if words_of.LIKE_REF.match(core) and len(refs) == 1 and not is_music(clause.bare):
            self._topic = refs[0]
            return self._add("vary", clip=refs[0])
        found = words_of.VARY.match(core)
        if not found:
            return False
        rest = without_references(core[found.end() :])
        if not refs and is_music(rest):
            return False
        if refs and is_music(rest):
            return self._add("remix", clip=self._one(clause), words=self._words(rest))
        near = refs or _PRONOUN.search(core) or rest in {"", "a bit different"}
        return bool(near) and self._add("vary", clip=self._one(clause))

    # Music --------------------------------------------------------------------------------------------

    def _music(self, clause: Clause, before: Call | None) -> bool:
        core = clause.core
        wished = bool(words_of.WISH.match(core) or words_of.MEANT_FOR.match(core))
        if words_of.WH.match(clause.text) or not is_music(core, use=wished):
            return False
        if words_of.NO_WISH.match(core) and not words_of.DISLIKED.match(core):
            return False
        unknown = [
            one
            for one in interpret(plainly(clause.bare)).facets.unknown
            if one not in words_of.KNOWN
        ]
        asked = words_of.CHANGE_VERB.match(core) or plainly(core) != core
        if len(unknown) > (3 if asked else int(len(core.split()) < 6)):
            return False
        self._change(clause, before)
        return True

    def _change(self, clause: Clause, before: Call | None, words: str = "") -> None:
        words = words or self._words(clause.bare)
        if before is not None and before.name == "start" and not clause.refs:
            said = dict(before.arguments)
            said["vibe"] = f"{said['vibe']}, {words}" if "vibe" in said else words
            self._replace(Call(name="start", arguments=said))
            return
        if before is not None and before.name in {"remix", "mood"} and not clause.refs:
            said = dict(before.arguments)
            said["words"] = f"{said['words']}, {words}"
            self._replace(Call(name=before.name, arguments=said))
        elif before is not None and before.name == "vary" and not clause.refs:
            said = {key: value for key, value in before.arguments.items() if key == "clip"}
            self._replace(Call(name="remix", arguments={**said, "words": words}))
        else:
            self._add("remix", clip=self._one(clause) or self._topic, words=words)

    def _words(self, text: str) -> str:
        plain = words_of.HAVING.sub("", plainly(text.strip()))
        text = MARK.sub(" ", words_of.LEAD_IN.sub("", plain, count=1))
        return restored(" ".join(text.split()).strip(" ,-"), self._quotes)

    def _bare(self, clause: Clause) -> bool:
        """A clause that is nothing but a clip says what the next one is about."""
        if len(clause.refs) == 1 and clause.bare in _ABOUT_IT:
            self._topic = clause.refs[0]
            self._last = None
            return True
        return False

    # Calls --------------------------------------------------------------------------------------------

    def _one(self, clause: Clause) -> str:
        refs = clause.refs
        if refs:
            self._topic = refs[0]
            return refs[0]
        return self._topic

    def _add(self, name: str, *, if_shown: bool = False, **arguments: Any) -> bool:
        said = {key: value for key, value in arguments.items() if value not in ("", False, None)}
        call = Call(name=name, arguments=said, if_shown=if_shown)
        if "clip" in said and name in {"rate", "favourite", "keep"}:
            self._topic = str(said["clip"])
        if call not in self._calls:
            self._calls.append(call)
        self._last = call
        return True

    def _replace(self, call: Call) -> None:
        self._calls[-1] = call
        self._last = call
