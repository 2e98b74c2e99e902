"""Buttons, selects and modals. They carry ids only, and nothing here is remembered by the client."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import ui

from bot.ids import (
    Cancel,
    ConsentAnswer,
    Do,
    EraseAnswer,
    Favourite,
    ForgetAnswer,
    More,
    MoreAction,
    Pick,
    Rate,
    Resume,
    Verb,
)
from bot.text import letter
from domain.ids import ClipId, RunId
from domain.vote import FAVOURITE_EMOJI, Grade

Slot = tuple[int, ClipId]
"""A clip and its place in the round."""

REMIX_CLIP = "clip"
REMIX_WORDS = "words"
REMIX_LIMIT = 300

_VERBS = {
    Verb.NEXT: ("Next", "⏭️"),
    Verb.VARY: ("Vary", "🎲"),
    Verb.CROSS: ("Cross", "🧬"),
    Verb.REMIX: ("Remix", "✏️"),
    Verb.MORE: ("More", "🔎"),
}
_CLIP_ACTIONS = {
    MoreAction.WHY: "Why this clip",
    MoreAction.LINEAGE: "Lineage",
    MoreAction.PLAY: "How to play this",
    MoreAction.KEEP: "Keep",
    MoreAction.BROKEN: "Broken audio",
}
_NEW_FROM_CLIP = {
    MoreAction.MOOD: "Change its mood",
    MoreAction.LONGER: "Longer version",
    MoreAction.BRANCH: "Branch to a thread",
}
DOWNLOADS = {
    "wav": ("WAV", "the sound, lossless"),
    "midi": ("MIDI", "every note, for a sequencer"),
    "stems": ("Stems", "one WAV file for each player, in a ZIP"),
    "musicxml": ("Sheet music", "MusicXML, for MuseScore and other notation programs"),
}
"""What can be downloaded of a clip: its name and what it is."""
_ROUND_ACTIONS = {MoreAction.ALL_BAD: "All bad", MoreAction.FOR_ME: "For me"}


def stateless(*rows: Sequence[ui.Button[ui.View] | ui.Select[ui.View]]) -> ui.View:
    """Return a view of at most five rows that the client does not keep."""
    view = ui.View(timeout=None)
    for number, row in enumerate(rows):
        for item in row:
            item.row = number
            view.add_item(item)
    view.stop()  # presses are routed by their custom id, so the client need not keep the view
    return view


def button(
    custom_id: object,
    label: str | None = None,
    *,
    emoji: str | None = None,
    style: discord.ButtonStyle = discord.ButtonStyle.secondary,
) -> ui.Button[ui.View]:
    """Return a button that is known by its custom id."""
    return ui.Button(custom_id=str(custom_id), label=label, emoji=emoji, style=style)


def nothing() -> ui.View:
    """Return a view that takes all buttons away."""
    return stateless()


def round_buttons(
    run_id: RunId, number: int, slots: Sequence[Slot], *, by_hand: bool = False
) -> ui.View:
    """Return a row of five for each clip and the row of verbs: 25 buttons for four clips.

    A clip that somebody made by hand belongs to no run that could be steered, so of the verbs it has only *More*.
    """
    rows = []
    for slot, clip_id in slots[:4]:
        first, *others = Grade
        rows.append(
            [
                button(
                    Rate(clip_id=clip_id, grade=first),
                    None if by_hand else letter(slot),
                    emoji=first.emoji,
                ),
                *(
                    button(Rate(clip_id=clip_id, grade=grade), emoji=grade.emoji)
                    for grade in others
                ),
                button(Favourite(clip_id=clip_id), emoji=FAVOURITE_EMOJI),
            ]
        )
    verbs = [
        button(
            Do(run_id=run_id, generation=number, verb=verb),
            label,
            emoji=emoji,
            style=discord.ButtonStyle.primary
            if verb is Verb.NEXT
            else discord.ButtonStyle.secondary,
        )
        for verb, (label, emoji) in _VERBS.items()
        if verb is Verb.MORE or not by_hand
    ]
    return stateless(*rows, verbs)


def consent_buttons() -> ui.View:
    """Return yes and no for the question whether a taste may be learned."""
    return stateless(
        [
            button(
                ConsentAnswer(yes=True), "Yes, learn my taste", style=discord.ButtonStyle.success
            ),
            button(ConsentAnswer(yes=False), "No, channel only"),
        ]
    )


def erase_buttons() -> ui.View:
    """Return yes and no for deleting everything held about a person."""
    return stateless(
        [
            button(EraseAnswer(yes=True), "Delete everything", style=discord.ButtonStyle.danger),
            button(EraseAnswer(yes=False), "Keep it"),
        ]
    )


def forget_buttons() -> ui.View:
    """Return yes and no for forgetting a person's votes and taste in a server."""
    return stateless(
        [
            button(ForgetAnswer(yes=True), "Forget them", style=discord.ButtonStyle.danger),
            button(ForgetAnswer(yes=False), "Keep them"),
        ]
    )


def resume_button(run_id: RunId) -> ui.View:
    """Return the one button of a pause."""
    return stateless(
        [button(Resume(run_id=run_id), "Resume", emoji="▶️", style=discord.ButtonStyle.primary)]
    )


def cancel_button(ticket_id: int) -> ui.View:
    """Return the button of a status line."""
    return stateless([button(Cancel(ticket_id=ticket_id), "Cancel")])


def panel(run_id: RunId, number: int, slots: Sequence[Slot], chosen: ClipId) -> ui.View:
    """Return the private panel behind *More*: which clip, what with it, and what concerns the whole round."""

    def more(action: MoreAction, clip_id: ClipId | None = None) -> More:
        return More(run_id=run_id, generation=number, action=action, clip_id=clip_id)

    picks = [
        button(
            more(MoreAction.PICK, clip_id),
            letter(slot),
            style=discord.ButtonStyle.primary
            if clip_id == chosen
            else discord.ButtonStyle.secondary,
        )
        for slot, clip_id in slots[:5]
    ]
    on_clip = [button(more(action, chosen), label) for action, label in _CLIP_ACTIONS.items()]
    new = [button(more(action, chosen), label) for action, label in _NEW_FROM_CLIP.items()]
    on_round = [
        button(more(action), label) for action, label in _ROUND_ACTIONS.items() if len(slots) > 1
    ]
    download: ui.Select[ui.View] = ui.Select(
        custom_id=str(more(MoreAction.DOWNLOAD, chosen)),
        placeholder="Download",
        options=[
            discord.SelectOption(label=name, value=value, description=what)
            for value, (name, what) in DOWNLOADS.items()
        ],
    )
    return stateless(picks, on_clip, [*new, *on_round], [download])


def clip_select(run_id: RunId, number: int, verb: Verb, slots: Sequence[Slot]) -> ui.View:
    """Return the private select of clips to vary (one or more) or to cross (two or more)."""
    least = 2 if verb is Verb.CROSS else 1
    select: ui.Select[ui.View] = ui.Select(
        custom_id=str(Pick(run_id=run_id, generation=number, verb=verb)),
        placeholder="Which clips?" if least > 1 else "Which clip?",
        min_values=min(least, len(slots)),
        max_values=len(slots),
        options=_clip_options(slots),
    )
    return stateless([select])


def remix_modal(run_id: RunId, number: int, slots: Sequence[Slot], first: ClipId) -> ui.Modal:
    """Return the form that asks which clip to remix and how."""
    modal = ui.Modal(
        title="Remix a clip", custom_id=str(Do(run_id=run_id, generation=number, verb=Verb.REMIX))
    )
    options = _clip_options(slots)
    for option in options:
        option.default = option.value == str(first)
    modal.add_item(
        ui.Label(
            text="Which clip",
            component=ui.Select(custom_id=REMIX_CLIP, options=options),
        )
    )
    modal.add_item(
        ui.Label(
            text="What should change",
            description="Such as: slower, warmer, and lose the drums",
            component=ui.TextInput(
                custom_id=REMIX_WORDS, style=discord.TextStyle.paragraph, max_length=REMIX_LIMIT
            ),
        )
    )
    modal.stop()  # routed by its custom id, so that it can be sent in after a restart too
    return modal


def _clip_options(slots: Sequence[Slot]) -> list[discord.SelectOption]:
    return [
        discord.SelectOption(label=f"Clip {letter(slot)}", value=str(clip_id))
        for slot, clip_id in slots[:25]
    ]
