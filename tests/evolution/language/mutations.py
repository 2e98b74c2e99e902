"""Model outputs with known prompts in them, and ways in which small models spoil the wrapping."""

from __future__ import annotations

import json
import random

_TEXT = (
    "slow warm mellow bright jazz techno samba lo-fi ambient 90-bpm felt piano upright bass brushed drums vinyl "
    "crackle strings choir don't rock'n'roll R&B café 静かな minor pads tape hiss rain night dub echo flute"
)
WORDS = tuple(_TEXT.split(" "))
INTROS = (
    "",
    "Sure! Here are the prompts:\n\n",
    "Here's what I came up with:\n",
    "Okay. Based on the ranking, I kept what works.\n\n",
    "Analysis:\n- Successful: warm sounds win\n- Failed: harsh noise loses every time\n\nNew prompts:\n\n",
)
OUTROS = (
    "",
    "\n\nHope you like these!",
    "\n\nLet me know if you want more:",
    "\nI kept the mood of the parents.",
)
THOUGHTS = (
    "",
    "<think>The user wants music. Maybe 1. a polka?\n- or a march with brass band\n</think>\n\n",
    "◁think▷first <prompt>a discarded march of old soldiers</prompt> no◁/think▷\n",
    "Hmm, what would fit? Possibly a discarded idea.\n</think>\n\n",
    '<thinking>\n{"prompts": ["a discarded march of old soldiers"]}\n</thinking>\n',
    "[THINK]a discarded march of old soldiers, then more[/THINK]",
)
NOISE = (
    *"<>[]{}\"'`*_#|\\/\n\t ,:;-.1\x00\x07\u200b\u202e\ud800é🎵",
    "<prompt>",
    "</prompt>",
    "<think>",
    "</think>",
    "```json",
    '{"',
    "1. ",
    "**",
    "@everyone",
    "https://x.example/y",
    "I'm sorry, but I can't help with that.",
)


def phrase(rng: random.Random, *, longest: int = 14) -> str:
    text = " ".join(rng.choice(WORDS) for _ in range(rng.randint(4, longest)))
    if rng.random() < 0.4:
        text = text.replace(" ", ", ", 1)
    return text[0].upper() + text[1:] + ("." if rng.random() < 0.3 else "")


def _tag(rng: random.Random, text: str, *, last: bool) -> str:
    name = rng.choice(("prompt", "PROMPT", "Prompt", "promt", "music_prompt"))
    opening = rng.choice((f"<{name}>", f'<{name} id="1">', f"< {name} >", f"\n<{name}>\n"))
    closing = rng.choice((f"</{name}>", f"</{name.lower()}>", f"\n</{name}>", f"< /{name}>"))
    spoiled = rng.random()
    if spoiled < 0.12:
        closing = "\n\n" if last else "\n"
    elif spoiled < 0.2:
        opening = "\n"
    return opening + text + closing + rng.choice(("", "\n", " ", "\n\n"))


def tags(rng: random.Random, texts: list[str]) -> str:
    return "".join(_tag(rng, one, last=one is texts[-1]) for one in texts)


def proper_json(rng: random.Random, texts: list[str]) -> str:
    value: object = texts
    style = rng.randint(0, 4)
    if style == 1:
        value = {"prompts": texts}
    elif style == 2:
        value = [{"title": "Some Name", "prompt": one} for one in texts]
    elif style == 3:
        value = {"reasoning": "They like it warm and slow.", "new_prompts": texts}
    elif style == 4:
        value = {f"prompt_{number}": one for number, one in enumerate(texts, start=1)}
    return json.dumps(
        value, ensure_ascii=rng.random() < 0.3, indent=rng.choice((None, 2)), sort_keys=False
    )


def loose(rng: random.Random, texts: list[str]) -> str:
    """JSON as it should not be."""
    quote = rng.choice('""\'')
    parts = [f"{quote}{one}{quote}" for one in texts]
    body = rng.choice((", ", ",\n  ", ",,\n", "\n", ",  // next\n")).join(parts)
    body += rng.choice(("", ",", ",\n"))
    opening, closing = rng.choice((("[", "]"), ('{"prompts": [', "]}"), ("{prompts: [", "]}")))
    text = opening + body + rng.choice((closing, closing, ""))
    if rng.random() < 0.4:
        text = f"```{rng.choice(('json', '', 'JSON'))}\n{text}\n" + rng.choice(("```", ""))
    return text


def numbered(rng: random.Random, texts: list[str]) -> str:
    style = rng.choice(
        ("{}. ", "{}) ", "({}) ", "**{}.** ", "Prompt {}: ", "**Prompt {}:** ", "{} - ", "#{} ")
    )
    gap = rng.choice(("\n", "\n\n"))
    start = rng.choice((1, 1, 1, 4))
    lines = []
    for number, one in enumerate(texts, start=start):
        marker = style.format(number)
        if gap == "\n" and number > start and rng.random() < 0.08:
            marker = ""
        quote = rng.choice(("", "", '"', "*"))
        lines.append(f"{marker}{quote}{one}{quote}")
    return gap.join(lines)


def bulleted(rng: random.Random, texts: list[str]) -> str:
    mark = rng.choice(("- ", "* ", "• ", "\u2013 ", "+ ", "  - "))
    return rng.choice(("\n", "\n\n")).join(mark + one for one in texts)


def headed(rng: random.Random, texts: list[str]) -> str:
    style = rng.choice(
        ("**Some Name**: {}", "**Some Name:** {}", "**Some Name**\n{}", "1. **Some Name**\n   {}")
    )
    return "\n\n".join(style.format(one) for one in texts)


def quoted(rng: random.Random, texts: list[str]) -> str:
    return " and then ".join(f"“{one}”" for one in texts)


def table(rng: random.Random, texts: list[str]) -> str:
    rows = [f"| {number} | {one} |" for number, one in enumerate(texts, start=1)]
    return "\n".join(["| # | Prompt |", "|---|---|", *rows])


FORMATS = (tags, tags, proper_json, loose, numbered, bulleted, headed, quoted, table)


def answer(rng: random.Random) -> tuple[str, list[str]]:
    """An answer whose wrapping may be spoiled, and the prompts that are whole in it."""
    texts = list({phrase(rng).casefold(): None for _ in range(rng.randint(1, 8))})
    texts = [one[0].upper() + one[1:] for one in texts]
    shape = rng.choice(FORMATS)
    body = shape(rng, texts)
    text = rng.choice(THOUGHTS) + rng.choice(INTROS) + body + rng.choice(OUTROS)
    if rng.random() < 0.1:
        text = text.replace("\n", "\r\n")
    return text, texts


def spoil(rng: random.Random, text: str) -> str:
    """Cut, repeat, swap and insert anything anywhere."""
    for _ in range(rng.randint(1, 6)):
        at = rng.randint(0, len(text))
        end = min(len(text), at + rng.choice((1, 1, 2, 5, 30)))
        match rng.randint(0, 4):
            case 0:
                text = text[:at] + text[end:]
            case 1:
                text = text[:end] + text[at:]
            case 2:
                text = text[:at] + rng.choice(NOISE) * rng.choice((1, 1, 3)) + text[at:]
            case 3:
                text = text[:at]
            case _:
                text = text[:at] + text[at:end][::-1] + text[end:]
    return text
