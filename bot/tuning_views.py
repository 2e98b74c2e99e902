"""Buttons, selects and forms for what moderators tune."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import ui

from bot.text import shorten
from bot.tuning_face import numbers
from bot.tuning_ids import Of, Tune, TuneAction
from bot.views import button, stateless
from domain.operators import LONGEST_TEMPLATE
from service.operator_changes import Fields
from service.operator_views import DraftView, OperatorView, OverviewView, PromptView, VersionLine

Item = ui.Button[ui.View] | ui.Select[ui.View]

NAME, TEMPLATE, COUNTS, PROBABILITY, COMMENT = (
    "name",
    "template",
    "counts",
    "probability",
    "comment",
)
"""Custom ids of the inputs of a form."""
LONGEST = {NAME: 40, TEMPLATE: LONGEST_TEMPLATE, COUNTS: 20, PROBABILITY: 12, COMMENT: 120}
"""Characters that each takes."""
_RED = discord.ButtonStyle.danger
_GREEN = discord.ButtonStyle.success
_BLUE = discord.ButtonStyle.primary


def overview_view(view: OverviewView) -> ui.View:
    """Return what can be done from the list of operators."""
    options = [
        discord.SelectOption(
            label=operator.name,
            value=operator.name,
            description=numbers(operator) + ("" if operator.enabled else ", disabled"),
        )
        for operator in view.settings.operators[:25]
    ]
    number = view.version.number
    reset = button(Tune(of=Of.SET, action=TuneAction.RESET, number=number), "As shipped")
    reset.disabled = not number
    last: list[Item] = [
        button(Tune(of=Of.SET, action=TuneAction.ADD, number=number), "Add", style=_BLUE),
        button(Tune(of=Of.SET, action=TuneAction.HISTORY, number=number), "History"),
        reset,
    ]
    if not options:
        return stateless(last)
    pick: Item = ui.Select(
        custom_id=str(Tune(of=Of.SET, action=TuneAction.PICK)),
        placeholder="Open an operator",
        options=options,
    )
    return stateless([pick], last)


def operator_view(view: OperatorView) -> ui.View:
    """Return what can be done with an operator."""
    operator = view.operator

    def act(action: TuneAction) -> Tune:
        return Tune(of=Of.OPERATOR, action=action, number=view.base, name=operator.name)

    earlier, later = button(act(TuneAction.UP), "Earlier"), button(act(TuneAction.DOWN), "Later")
    earlier.disabled, later.disabled = view.place == 1, view.place == view.count
    switch = (
        button(act(TuneAction.OFF), "Disable")
        if operator.enabled
        else button(act(TuneAction.ON), "Enable", style=_GREEN)
    )
    return stateless(
        [
            button(act(TuneAction.EDIT), "Edit", style=_BLUE),
            button(act(TuneAction.TRY), "Try"),
            button(act(TuneAction.HISTORY), "History"),
            button(act(TuneAction.UNDO), "Roll back"),
        ],
        [
            switch,
            earlier,
            later,
            button(act(TuneAction.REMOVE), "Remove", style=_RED),
            button(Tune(of=Of.SET, action=TuneAction.LIST), "All operators"),
        ],
    )


def prompts_view(views: Sequence[PromptView]) -> ui.View:
    """Return what can be done from the list of prompts."""
    pick: Item = ui.Select(
        custom_id=str(Tune(of=Of.PROMPT, action=TuneAction.PICK)),
        placeholder="Open a prompt",
        options=[discord.SelectOption(label=view.name, value=view.name) for view in views],
    )
    return stateless([pick])


def prompt_view(view: PromptView) -> ui.View:
    """Return what can be done with a prompt."""

    def act(action: TuneAction) -> Tune:
        return Tune(of=Of.PROMPT, action=action, number=view.base, name=view.name)

    everything = button(Tune(of=Of.PROMPT, action=TuneAction.LIST), "All prompts")
    if not view.editable:
        return stateless([everything])
    reset, undo = (
        button(act(TuneAction.RESET), "As shipped"),
        button(act(TuneAction.UNDO), "Roll back"),
    )
    reset.disabled, undo.disabled = view.shipped, not view.base
    return stateless(
        [
            button(act(TuneAction.EDIT), "Edit", style=_BLUE),
            button(act(TuneAction.TRY), "Try"),
            button(act(TuneAction.HISTORY), "History"),
            undo,
        ],
        [reset, everything],
    )


def draft_view(view: DraftView) -> ui.View:
    """Return what can be done with a change that is not saved yet."""

    def act(action: TuneAction) -> Tune:
        return Tune(of=Of.DRAFT, action=action, number=view.id)

    save = button(act(TuneAction.SAVE), "Save", style=_GREEN)
    save.disabled = bool(view.problems)
    row: list[Item] = [save]
    if view.kind != "set":
        row += [button(act(TuneAction.TRY), "Try"), button(act(TuneAction.EDIT), "Edit again")]
    row.append(button(act(TuneAction.DISCARD), "Discard"))
    return stateless(row)


def history_view(of: Of, name: str, lines: Sequence[VersionLine]) -> ui.View:
    """Return the select of versions to go back to, and the way back to what it is about."""
    if of is Of.OPERATOR:
        back = button(Tune(of=of, action=TuneAction.PICK, name=name), "Back to it")
        return stateless([back])
    back = button(
        Tune(of=of, action=TuneAction.PICK if name else TuneAction.LIST, name=name),
        "Back to it" if name else "All operators",
    )
    if not lines:
        return stateless([back])
    older = [one for one in lines[1:24] if one.number]
    options = [
        discord.SelectOption(
            label=f"Version {one.number}",
            value=str(one.number),
            description=shorten(one.comment, 90) or None,
        )
        for one in older
    ]
    options.append(discord.SelectOption(label="As shipped", value="0"))
    pick: Item = ui.Select(
        custom_id=str(Tune(of=of, action=TuneAction.BACK, number=lines[0].number, name=name)),
        placeholder="Roll back to",
        options=options,
    )
    return stateless([pick], [back])


def _input(
    label: str, name: str, value: str, *, hint: str = "", long: bool = False, required: bool = True
) -> ui.Label[ui.View]:
    return ui.Label(
        text=label,
        description=hint or None,
        component=ui.TextInput(
            custom_id=name,
            style=discord.TextStyle.paragraph if long else discord.TextStyle.short,
            default=value[: LONGEST[name]] or None,
            max_length=LONGEST[name],
            required=required,
        ),
    )


def operator_form(title: str, custom_id: Tune, fields: Fields) -> ui.Modal:
    """Return the form about an operator."""
    modal = ui.Modal(title=shorten(title, 45), custom_id=str(custom_id))
    for item in (
        _input("Name", NAME, fields.name, hint="Lower-case letters, digits, spaces, hyphens"),
        _input(
            "What the model is asked",
            TEMPLATE,
            fields.template,
            hint="Write {prompts} once, where the parents go. Other braces are plain text.",
            long=True,
        ),
        _input(
            "Parents -> children", COUNTS, fields.counts, hint="How many go in and come out: 2 -> 1"
        ),
        _input(
            "Probability", PROBABILITY, fields.probability, hint="How often it is applied: 50 %"
        ),
        _input(
            "Why", COMMENT, fields.comment, hint="For the history; may stay empty", required=False
        ),
    ):
        modal.add_item(item)
    modal.stop()  # routed by its custom id, so that it can be sent in after a restart too
    return modal


def prompt_form(custom_id: Tune, view: PromptView, text: str, comment: str = "") -> ui.Modal:
    """Return the form about a prompt."""
    modal = ui.Modal(title=shorten(f"Prompt: {view.name}", 45), custom_id=str(custom_id))
    needed = " ".join(f"{{{name}}}" for name in view.required)
    modal.add_item(
        _input("What the model is asked", TEMPLATE, text, hint=f"Must have {needed}", long=True)
    )
    modal.add_item(
        _input("Why", COMMENT, comment, hint="For the history; may stay empty", required=False)
    )
    modal.stop()
    return modal


def read_form(values: dict[str, str]) -> Fields:
    """Read an operator's form that came in; what is longer than a client can type is cut a little beyond the limit."""
    cut = {name: values.get(name, "")[: limit + 1] for name, limit in LONGEST.items()}
    return Fields(
        name=cut[NAME],
        template=cut[TEMPLATE],
        counts=cut[COUNTS],
        probability=cut[PROBABILITY],
        comment=cut[COMMENT],
    )
