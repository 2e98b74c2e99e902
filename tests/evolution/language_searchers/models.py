"""Scripts for the fake model: what good, small and broken models answer to what searchers ask."""

import functools
import hashlib
import json
import re

import numpy as np

from domain.errors import UnreachableError
from evolution.facets_ops import Breeder
from prompts.vocabulary import shipped
from prompts.writer import write
from tests.fake_model import FakeLanguageModel

_ONE = re.compile(r"exactly (\d+) prompts as JSON")
_GROUPS = re.compile(r"all (\d+) groups, with exactly (\d+) for each")


@functools.cache
def _breeder():
    return Breeder(shipped())


def wanted(ask):
    """Return (groups, each) that an ask is for; (0, 0) for a note."""
    text = ask.messages[-1].text
    if found := _GROUPS.search(text):
        return int(found[1]), int(found[2])
    found = _ONE.search(text)
    return (1, int(found[1])) if found else (0, 0)


def chance(ask):
    text = "".join(message.text for message in ask.messages)
    return np.random.default_rng(
        int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
    )


def music(rng, count):
    """Write ``count`` prompts as a capable model would."""
    breeder = _breeder()
    return [
        write(breeder.invent(breeder.families[int(rng.integers(39))], rng), rng)
        for _ in range(count)
    ]


def form(groups, each, texts):
    if groups == 1:
        return json.dumps({"prompts": texts})
    return json.dumps(
        {
            "groups": [
                {"group": n + 1, "prompts": texts[n * each : (n + 1) * each]} for n in range(groups)
            ]
        }
    )


def good(ask):
    groups, each = wanted(ask)
    if not groups:
        return (
            "They like warm, slow music with piano; loud drums are not liked; nobody tried tango."
        )
    return form(groups, each, music(chance(ask), groups * each))


def numbered(ask):
    """Answer like a small local model: talk, thoughts, a numbered list, no JSON."""
    groups, each = wanted(ask)
    texts = music(chance(ask), max(1, groups * each))
    lines = "\n".join(f"{n}. {text}" for n, text in enumerate(texts, start=1))
    return f"<think>Hm, prompts.</think>Sure! Here you go:\n\n{lines}\n\nHope this helps!"


def too_few(ask):
    groups, each = wanted(ask)
    return form(1, 1, music(chance(ask), max(1, groups * each // 3)))


def too_many(ask):
    groups, each = wanted(ask)
    return form(groups, 2 * each + 3, music(chance(ask), groups * (2 * each + 3)))


def garbage(ask):
    rng = chance(ask)
    return "".join(chr(int(code)) for code in rng.integers(33, 0x2FFF, size=400))


def repeating(ask):
    groups, each = wanted(ask)
    return form(groups, each, ["warm lofi hip hop with piano at 82 bpm"] * (groups * each))


def copying(ask):
    """Give back what it was shown."""
    shown = re.findall(r"^(?:- |\d+\. (?:[\d ±]+(?: new)?: )?)(.+)$", ask.messages[-1].text, re.M)
    return form(1, 1, shown or ["warm lofi hip hop with piano at 82 bpm"])


def half_down(ask):
    if int(chance(ask).integers(2)):
        return UnreachableError("The language model at fake.example does not answer.")
    return good(ask)


REFUSAL = "I'm sorry, but I can't help with that request."

SCRIPTS = {
    "good": good,
    "numbered": numbered,
    "silent": "",
    "garbage": garbage,
    "refusing": REFUSAL,
    "repeating": repeating,
    "copying": copying,
    "too few": too_few,
    "too many": too_many,
    "half down": half_down,
    "down": UnreachableError("The language model at fake.example cannot be reached."),
}


def model(script="good"):
    return FakeLanguageModel(SCRIPTS[script])
