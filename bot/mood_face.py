"""What the panel of ``/mood`` looks like: a bar chart in words, steppers, selects. Pure functions."""

from __future__ import annotations

import discord
from discord import ui

from bot.ids import Cancel, Mood, MoodAction
from bot.text import bar, fit, quote
from bot.views import button, stateless
from domain.facets import TONICS
from domain.features import RANGES
from prompts.features import loudness_level
from service.mood import MoodView
from service.mood_session import ENDS, NAMES, Kind, edit_words, value_words

SAY_WORDS = "words"
SAY_LIMIT = 300
WIDTH = 10
"""Cells of a bar: one for the small step of a stepper."""
_SHORT = {"instrumental": "no voice"}
_STEPPERS = {
    MoodAction.DOWN_MUCH: "--",
    MoodAction.DOWN: "-",
    MoodAction.UP: "+",
    MoodAction.UP_MUCH: "++",
}
_LEVELS = tuple(name for name in ENDS if name != "tempo")


def chart(view: MoodView) -> str:
    """Draw the features: a bar for each level between plain words, then tempo, key, mode and metre."""
    session = view.session
    lines = [_row(name, view) for name in _LEVELS]
    beats, note = view.metre
    mark = "▸" if session.chosen == "tempo" else " "
    tonic = TONICS[session.features.key]
    mode = view.mode.replace("_", " ")
    lines.append(f"{mark} {session.features.tempo:.0f} bpm · {tonic} {mode} · {beats}/{note}")
    return "\n".join(["```", *lines, "```"])


def _row(name: str, view: MoodView) -> str:
    value = getattr(view.session.features, name)
    share = loudness_level(value) if name == "loudness" else value
    low, high = ENDS[name]
    mark = "▸" if view.session.chosen == name else " "
    return f"{mark} {low:>10} {bar(share, WIDTH)} {_SHORT.get(high, high)}"


def face(view: MoodView) -> str:
    """Return the text of the panel."""
    session = view.session
    if session.kind is Kind.LONGER:
        lines = [f"**A longer version** of “{quote(session.start, 200)}”"]
    else:
        lines = [f"**Mood** · from “{quote(session.start, 120)}”", chart(view)]
        if view.words:
            lines.append(f"Also: {quote(', '.join(view.words), 200)}")
        changed = edit_words(session.net())
        if changed:
            lines.append(f"Changed: {changed}")
    if view.note:
        lines.append(quote(view.note, 500))
    if view.clip is not None and not view.ticket_id:
        lines.append(_about_clip(view))
    return fit(lines)


def _about_clip(view: MoodView) -> str:
    posted = " It is posted." if view.posted else ""
    if view.session.kind is Kind.LONGER and view.clip is not None:
        return f"▶️ Here it is: {view.clip.seconds:.0f} s.{posted}"
    if view.session.fresh:
        family = view.clip.family.replace("_", " ") if view.clip is not None else ""
        came_out = f" It came out as {quote(family, 40)}." if family else ""
        return f"▶️ The clip below sounds like this.{came_out}{posted}"
    return f"▶️ The clip below is from before your last change; **Listen** makes a new one.{posted}"


def panel_view(view: MoodView) -> ui.View:
    """Return the buttons and selects of the panel: at most five rows."""
    rows: list[list[ui.Button[ui.View] | ui.Select[ui.View]]] = []
    if view.session.kind is Kind.MOOD:
        rows = [[_features(view)], _steppers(view), [_tones(view)]]
    main = _main(view)
    if main:
        rows.append(main)
    if view.clip is not None:
        rows.append(_with_clip(view))
    return stateless(*rows)


def _id(view: MoodView, action: MoodAction, *, clip: bool = False) -> Mood:
    chosen = view.clip.id if clip and view.clip is not None else None
    return Mood(panel_id=view.panel_id, action=action, clip_id=chosen)


def _features(view: MoodView) -> ui.Select[ui.View]:
    options = [
        discord.SelectOption(
            label=f"{NAMES[name].capitalize()}: {low} to {high}",
            value=name,
            default=name == view.session.chosen,
        )
        for name, (low, high) in ENDS.items()
    ]
    return ui.Select(
        custom_id=str(_id(view, MoodAction.FEATURE)), placeholder="What to change", options=options
    )


def _steppers(view: MoodView) -> list[ui.Button[ui.View] | ui.Select[ui.View]]:
    name = view.session.chosen
    value, (low, high) = getattr(view.session.features, name), RANGES[name]
    steps: list[ui.Button[ui.View] | ui.Select[ui.View]] = [
        button(_id(view, action), label, style=discord.ButtonStyle.primary)
        for action, label in _STEPPERS.items()
    ]
    # A press at the end still gets an answer in words; the colour only says that it changes nothing.
    for one in steps[:2] if value <= low else steps[2:] if value >= high else []:
        one.style = discord.ButtonStyle.secondary  # type: ignore[union-attr]
    return [*steps, button(_id(view, MoodAction.UNDO), "Undo", emoji="↩️")]


def _tones(view: MoodView) -> ui.Select[ui.View]:
    now = view.session.features
    options = [
        discord.SelectOption(
            label=f"{label} {value_words(name, value)}",
            value=f"{name}:{value}",
            description="as it is now" if getattr(now, name) == value else None,
        )
        for name, label in (("key", "Key of"), ("mode", "Mode:"), ("time_signature", "Metre:"))
        for value in range(int(RANGES[name][0]), int(RANGES[name][1]) + 1)
    ]
    return ui.Select(
        custom_id=str(_id(view, MoodAction.TONE)),
        placeholder="Key, mode or metre",
        options=options,
    )


def _main(view: MoodView) -> list[ui.Button[ui.View] | ui.Select[ui.View]]:
    if view.ticket_id is not None:
        first = button(Cancel(ticket_id=view.ticket_id), "Cancel")
    else:
        label = "Listen" if view.session.kind is Kind.MOOD else "Make it"
        style = discord.ButtonStyle.success
        first = button(_id(view, MoodAction.LISTEN), label, emoji="▶️", style=style)
    if view.session.kind is not Kind.MOOD:
        made = view.clip is not None and view.ticket_id is None
        return [] if made else [first]
    return [
        first,
        button(_id(view, MoodAction.SAY), "Say it in words", emoji="💬"),
        button(_id(view, MoodAction.RESET), "Reset"),
    ]


def _with_clip(view: MoodView) -> list[ui.Button[ui.View] | ui.Select[ui.View]]:
    post = button(_id(view, MoodAction.POST, clip=True), "Post it", emoji="📣")
    post.disabled = view.posted
    return [
        post,
        button(_id(view, MoodAction.BREED, clip=True), "Breed from this", emoji="🧬"),
        button(_id(view, MoodAction.KEEP, clip=True), "Keep", emoji="📌"),
    ]


def say_modal(panel_id: int) -> ui.Modal:
    """Return the form that asks for a mood in words."""
    modal = ui.Modal(
        title="Say it in words", custom_id=str(Mood(panel_id=panel_id, action=MoodAction.SAY))
    )
    modal.add_item(
        ui.Label(
            text="What should change",
            description="Such as: slower, sadder, more acoustic, in D minor",
            component=ui.TextInput(
                custom_id=SAY_WORDS, style=discord.TextStyle.paragraph, max_length=SAY_LIMIT
            ),
        )
    )
    modal.stop()  # routed by its custom id, so that it can be sent in after a restart too
    return modal
