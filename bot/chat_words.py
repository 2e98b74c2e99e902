"""What a conversation shows: views in words, the help, and the buttons under a reply. Pure functions."""

from __future__ import annotations

import discord

from bot.ids import Chat, ChatAction
from bot.present import status_text, stopped_text
from bot.text import MESSAGE_LIMIT, fit, quote
from bot.views import button, stateless
from bot.words import about_text, for_me_text, lineage_text, origin_words, taste_text, why_text
from bot.words_play import play_text
from domain.run import Run
from service.chat.agent import Reply
from service.chat.doing import HelpView
from service.chat.turns import Personal
from service.exports import PlayView
from service.views import AboutView, ForMe, LineageView, StatusView, TasteView, WhyView

CHAT_HELP = """**Talk to me** with a mention, by replying to a clip, or in a direct message.
**Music**: “darker, and lose the drums” · “slower” · “more like B” · “mix A and C” · “a happier version of C”
**Votes**: “love the second one” · “D sucks” · “my favourite is A” · “B is broken”
**Rounds**: “start rainy lofi” · “next” · “pause” · “stop” (who may do it with buttons may say it)
**Questions**: “why B?” · “parents of C?” · “what key is A in?” · “what do I like?” · “what is going on?”
Buttons and commands do the same: `/help`. I remember an hour of what is said to me; `/mydata` shows and deletes it."""
_SHOW = {
    Personal.TASTE: (ChatAction.TASTE, "Show me my taste"),
    Personal.DATA: (ChatAction.DATA, "Show me my data"),
    Personal.FOR_ME: (ChatAction.FOR_ME, "Play it to me"),
    Personal.WHY: (ChatAction.WHY, "What my taste says"),
    Personal.CONSENT: (ChatAction.CONSENT, "May I learn your taste?"),
}


def words_of(view: object) -> str:  # noqa: PLR0911 - one line for each view
    """Return a view in words that a whole channel may read."""
    match view:
        case StatusView():
            return status_text(view)
        case WhyView():
            return why_text(view) if view.liking is not None else _why_public(view)
        case LineageView():
            return lineage_text(view)
        case PlayView():
            return play_text(view)
        case AboutView():
            return about_text(view)
        case Run():
            return stopped_text(view)
        case TasteView():
            return taste_text(view)
        case ForMe():
            return for_me_text(view)
        case HelpView():
            return CHAT_HELP
    return ""


def _why_public(view: WhyView) -> str:
    lines = [f"**Why this clip**: {quote(view.clip.prompt, 160)}", f"It was {view.role}."]
    lines.append(origin_words(view))
    return fit(lines)


def buttons_for(reply: Reply) -> discord.ui.View | None:
    """Return the buttons under a reply, or ``None`` for none."""
    rows = []
    if reply.question:
        rows.append(
            [
                button(
                    Chat(action=ChatAction.YES, subject=reply.question),
                    "Yes, do it",
                    style=discord.ButtonStyle.danger,
                ),
                button(Chat(action=ChatAction.NO, subject=reply.question), "No"),
            ]
        )
    shown = {}
    for one in reply.outcomes:
        if one.personal is not None:
            action, label = _SHOW[one.personal]
            shown[action] = button(Chat(action=action, subject=_subject(one)), label)
    if shown:
        rows.append(list(shown.values())[:5])
    return stateless(*rows) if rows else None


def _subject(outcome: object) -> str:
    clip, run = getattr(outcome, "clip", None), getattr(outcome, "run", None)
    if getattr(outcome, "personal", None) is Personal.FOR_ME and run is not None:
        return f"{run[0]}.{run[1]}"
    return str(clip) if getattr(outcome, "personal", None) is Personal.WHY and clip else ""


def safe(text: str) -> str:
    """Return an answer within Discord's limits; what was done, in its last lines, stays."""
    if len(text) <= MESSAGE_LIMIT:
        return text.strip() or "…"
    lines = text.split("\n")
    small = [line for line in lines if line.startswith("-# ")]
    foot = fit(small, MESSAGE_LIMIT // 2)
    room = MESSAGE_LIMIT - len(foot) - 3
    body = "\n".join(line for line in lines if line not in small)
    return f"{body[:room].rstrip()}…\n{foot}".rstrip()
