"""What is never an instruction: quoted text, claims of authority, other people's votes and data, fake machinery.

This is courtesy, not the lock: whatever gets past it is still done with the speaker's own permissions only.
"""

from __future__ import annotations

import re

_ROLE = r"(?:mod|mods|moderator|admin|administrator|owner|host|developer|staff|operator|root)"
_CLAIMS = (
    (
        r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:above|previous|prior|earlier|"
        r"instructions?|rules?|prompts?|"
        r"permissions?|limits?|restrictions?|guidelines?)\b"
    ),
    (
        r"\byou are (?:now|no longer)\b|\bif you were\b|\bimagine (?:that )?you\b|\brole ?play\b|"
        r"\bact (?:as|like) (?:a|an|the|if)\b"
    ),
    r"\b(?:discord|server|support) (?:staff|team|support|employee)\b|\btrust (?:and|&) safety\b",
    r"\bfrom now on you\b",
    (
        rf"\b(?:i am|i'm|im|as|being|treat me as|make me|call me|pretend (?:that )?(?:i am|i'm|"
        rf"to be)) (?:(?:a|an|the|your|now|server|really|"
        rf"acting)\s+){{0,3}}{_ROLE}\b"
    ),
    (
        rf"\b{_ROLE}s? (?:told|said|says|wants|allowed|permits?|override|mode|access|rights|"
        rf"approved|orders?)\b"
    ),
    rf"\bthe user is (?:an? )?{_ROLE}\b",
    (
        rf"\b(?:everyone|everybody|anyone|we|they|(?:all|every) \w+) (?:is|are) (?:now )?(?:an? |"
        rf"the )?{_ROLE}s?\b|\bnew rules?\b"
    ),
    (
        r"\b(?:disable|skip|turn off|bypass|ignore)\b.{0,20}\b(?:checks?|permissions?|"
        r"confirmation|safety)\b"
    ),
    r"\b(?:developer|debug|god|dan|jailbreak|maintenance) mode\b|\bjailbreak\b",
    r"\bsudo\b",
    (
        r"(?:^|\n)\s*[\[<(#*]*\s*(?:system|assistant|developer|tool|function|"
        r"user)\b[^\n:]{0,20}[\])>*]*\s*:"
    ),
    r"\[/?\s*(?:system|assistant|tool|inst|function)\b",
    r"</?\s*(?:data|system|assistant|tool|user|instructions?)\b",
    r"\b(?:tool|function)[ _-]?(?:call|result|use)s?\b|\bpermission granted\b",
    (
        r"\bsystem prompt\b|\b(?:your|the bot'?s?) (?:token|api key|password|secret|instructions|"
        r"source prompt)\b"
    ),
    r"\{\s*[\"']\w+[\"']\s*:",
    (
        r"\b(?:do|follow|obey|execute|run|carry out|listen to|act on|"
        r"as told by)\b.{0,30}\b(?:titles?|prompts?|attachments?|files?|"
        r"instructions?|nicknames?|usernames?|captions?|messages? (?:above|of))\b"
    ),
)
_OTHERS = (
    (
        r"\b(?:rate|vote|votes|voting|star|favourite|favorite|like)\b.*\b(?:for (?:everybody|"
        r"everyone|all|them|him|her|us all)|"
        r"on behalf|in (?:the )?name of)\b"
    ),
    r"\b(?:rate|vote|votes|star|favourite|favorite)\b.*\b(?:as|for) <@",
    r"\bas <@",
    r"<@!?\d+>\s*'?s?\s+(?:taste|tastes|data|votes?|profile|ratings?|permissions?)\b",
    r"\b(?:know|store|hold|have|remember|keep) (?:on|about|of) <@",
    r"\b(?:delete|erase|forget|ban|kick|mute|timeout|warn|dm|message|ping|reset|block)\b.{0,20}<@",
    (
        r"\b(?:delete|erase|wipe|forget|remove|change|fake)\b.{0,20}\b(?:everybody|everyone|all|"
        r"other|others|their|his|her|people|members?)"
        r"(?:'?s?)? (?:votes?|data|tastes?|ratings?|clips?)\b"
    ),
    (
        r"\b(?:ban|kick|mute|timeout)\s+(?:<@|@|him\b|her\b|them\b|everybody|everyone|all\b|"
        r"that (?:user|member|guy|person))"
    ),
    r"\b\w+ votes from (?:different|other|many)\b",
    r"@(?:everyone|here)\b",
)
_HOSTILE = re.compile("|".join(f"(?:{one})" for one in (*_CLAIMS, *_OTHERS)), re.IGNORECASE)
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|(?m:^[ \t]*>.*$)", re.DOTALL)
_QUOTED = re.compile(
    r"\"([^\"\n]{1,600})\"|“([^”\n]{1,600})”|«([^»\n]{1,600})»|(?<!\w)'([^'\n]{2,600})'(?!\w)"
)
_TOKEN = re.compile(r"⟪(\d+)⟫")


def is_hostile(text: str) -> bool:
    """Tell whether somebody claims an authority, acts for others, or writes as a machine would."""
    return _HOSTILE.search(text.replace("\u2019", "'")) is not None


def unquoted(text: str) -> tuple[str, tuple[str, ...]]:
    """Take out what somebody quotes: it is data, never something to do.

    Returns:
        The text with a token in place of each quotation, and the quotations. Code and quoted lines are gone.
    """
    quotes: list[str] = []

    def put(match: re.Match[str]) -> str:
        quotes.append(next(group for group in match.groups() if group is not None))
        return f" ⟪{len(quotes) - 1}⟫ "

    text = re.sub("[⟦⟧⟪⟫]", "", text)
    return _QUOTED.sub(put, _CODE.sub(" ", text)), tuple(quotes)


def restored(text: str, quotes: tuple[str, ...]) -> str:
    """Put quotations back, where text is data anyhow."""
    return _TOKEN.sub(
        lambda match: quotes[int(match[1])] if int(match[1]) < len(quotes) else "", text
    )


def without_quotes(text: str) -> str:
    """Take the tokens of quotations away."""
    return _TOKEN.sub(" ", text)
