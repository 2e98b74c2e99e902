from __future__ import annotations

import dataclasses
import math

import pytest

from bot.words import about_text
from bot.words_health import health_text
from domain.clip import GeneratorInfo, SourceUse
from generation.generator import Capabilities
from service.generator_state import Readiness, Tally
from service.health import LanguageState, Stored, Unsent
from service.language import Meter
from service.queue import Standing
from service.spaces import Hearing
from service.views import AboutView
from storage.language_usage import Spent
from tests.bot.fakes import health_view
from tests.fakes import generator_state

MUSICGEN = generator_state(
    info=GeneratorInfo(name="musicgen-small", version="1", licence="CC-BY-NC-4.0"),
    commercial=False,
    capabilities=Capabilities(
        shortest=1.0,
        longest=300.0,
        sample_rate=32_000,
        commercial=False,
        embedding=768,
        sources=frozenset({SourceUse.CONTINUE, SourceUse.MELODY}),
        drafts=True,
        batch=16,
    ),
    batch=4,
    most=16,
    waiting=3,
    making=4,
    tally=Tally(made=120, failed=2, given_up=1, seconds=360.0, timed=120),
)


def test_a_bot_that_is_well_says_so():
    text = health_text(health_view(), 0.042)
    assert text.startswith("**How I do**, up for 2 h: all is well\n🟢")
    assert "**composer** is loaded." in text
    assert "Every post is out." in text
    assert "12.3 MB, schema 9; the last backup is 2 h old" in text
    assert "31.0 GB are free" in text
    assert "Discord answers in 42 ms." in text
    assert "→" not in text


def test_a_generator_says_what_it_does_and_can():
    text = health_text(health_view(generators=(MUSICGEN,)), 0.04)
    assert "**musicgen-small** is loaded. 4 being made, 3 waiting." in text
    assert "Since the start 120 made, 2 failed, 1 given up; 3.0 s a clip." in text
    assert (
        "-# takes words, embeddings · goes on from a sound · follows a melody · drafts · up to 5 min · 32 kHz"
        " · 4 at once (16 did not fit into memory) · CC-BY-NC-4.0 (no commercial use)"
    ) in text


@pytest.mark.parametrize(
    ("readiness", "words"),
    [
        (Readiness.STARTING, "is being loaded."),
        (Readiness.ASLEEP, "starts with its next clip."),
        (Readiness.UNABLE, "cannot start: No weights."),
    ],
)
def test_a_generator_that_is_not_there(readiness, words):
    state = generator_state(readiness=readiness, reason="No weights.", capabilities=None)
    text = health_text(health_view(generators=(state,)), 0.04)
    assert f"**fake** {words}" in text
    assert "what it can do is known once it has started" in text
    assert ("🔴" in text) == (readiness is Readiness.UNABLE)


def test_what_is_wrong_comes_first_with_what_to_do():
    meter = Meter(spent=Spent(requests=9, tokens_in=200), tokens=100)
    view = health_view(
        generators=(generator_state(readiness=Readiness.UNABLE, reason="No weights."),),
        language=LanguageState(
            lines=("Language model: m at host", "Down."), resting=15, here=meter
        ),
        hearing=Hearing(encoder="mert-95m", licence="x", stand_in="It cannot hear."),
        rounds=Standing(running=True, waiting=2, oldest=3600.0),
        unsent=Unsent(waiting=1, failed=2, reason="I may not post there."),
        stored=Stored(size=1, schema=9, backup_age=None, free=1),
    )
    text = health_text(view, math.nan)
    lines = text.split("\n")
    assert lines[0].endswith("7 things need a look")
    marks = [line[0] for line in lines if line[0] in "🟢🟡🔴"]
    assert marks == ["🔴"] * 3 + ["🟡"] * 4 + ["🟢"]
    for remedy in (
        "-# → In this server: I may not post there. Then use /evolve resume.",
        "-# → The host can make one while I run: bot.py backup.",
        "-# → The host can run bot.py doctor. Its next clip tries again.",
    ):
        assert remedy in lines
    assert "A round is being made, 2 wait, the oldest for 60 min." in text
    assert "1 post waits to be sent and 2 posts of the last day could not be sent." in text


def test_a_budget_that_is_used_up_and_clips_that_fail_are_worth_a_look():
    spent = Meter(spent=Spent(requests=9, tokens_in=200), tokens=100)
    view = health_view(
        language=LanguageState(lines=("Language model: m at host",), resting=0.0, here=spent),
        generators=(dataclasses.replace(MUSICGEN, tally=Tally(made=1, failed=5)),),
    )
    text = health_text(view, 9.0)
    assert "budget for today is used up" in text
    assert "This server: 9 requests, 200 tokens of 100." in text
    assert "Most of its clips fail." in text
    assert "Discord answers in 9000 ms." in text


def test_many_generators_fit_and_trouble_is_not_cut_off():
    many = tuple(
        dataclasses.replace(MUSICGEN, info=dataclasses.replace(MUSICGEN.info, name=f"model-{n}"))
        for n in range(12)
    )
    wrong = generator_state(readiness=Readiness.UNABLE, reason="x" * 300)
    text = health_text(health_view(generators=(*many, wrong)), 0.04)
    assert len(text) <= 2000
    assert text.split("\n")[1].startswith("🔴 **fake** cannot start")


def test_about_names_every_generator_with_its_licence():
    view = AboutView(
        version="1", parts={}, stand_ins=(), generators=(generator_state(name="composer"), MUSICGEN)
    )
    text = about_text(view)
    assert (
        "A run may choose what plays (`/evolve start`, `generator`): composer, musicgen-small"
        in text
    )
    assert (
        "composer: none (commercial use allowed); musicgen-small: CC-BY-NC-4.0 (no commercial use)"
        in text
    )
