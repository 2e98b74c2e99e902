"""The searchers' bench: the scripted model, its server's faults, EvoMusic's rule, and the arithmetic."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import aiohttp
import numpy as np
import pytest

from bench.imperfect_model import Given, Mind, Wish, formed, understand
from bench.imperfect_server import PERFECT, SPOILERS, Imperfect, Manners
from bench.searchers_efficiency import first_generation
from bench.searchers_evomusic import EvoMusicSearch, Member
from bench.searchers_quality import Course, in_words
from bench.searchers_world import (
    candidate,
    kit_for,
    model_at,
    random_prompt,
    rated,
    report_settings,
)
from domain.candidate import Brief
from evolution.language.calling import Caller
from evolution.language.parsing import prompts_in
from evolution.registry import create_searcher
from prompts.operators import STAND_IN
from prompts.reader import read
from prompts.templates import data, shipped
from tests.fake_model import FakeLanguageModel

PARENTS = ("slow jazz with piano and upright bass", "fast techno with synth bass, dark")


def said(text: str, system: str = "") -> list[dict[str, str]]:
    return [{"role": "system", "content": system}, {"role": "user", "content": text}]


def wish(**changes) -> Wish:
    start = Wish(groups=((),), each=1, liked=(), points=(), form="prompts")
    return replace(start, **changes)


# The model -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("groups", [1, 3])
async def test_the_model_understands_the_requests_of_our_searchers(groups):
    model = FakeLanguageModel("nothing")
    caller = Caller(kit_for(model, report_settings(tournament_size=4), second=1.0), "", 12)
    await caller.groups("operator:x", lambda block: f"Do it.\n{block}", [PARENTS] * groups, 2)
    asked = said(model.asks[0].messages[-1].text)
    found = understand(asked)
    assert [[one.text for one in group] for group in found.groups] == [list(PARENTS)] * groups
    assert (found.each, found.form) == (2, "groups" if groups > 1 else "prompts")


def test_the_model_understands_a_ranking_and_what_is_known_of_listeners():
    text = shipped().fill(
        "full",
        {
            "num_generate": "7",
            "ranking": data(f"1. 83 \u00b15 new: {PARENTS[0]}\n2. 12 \u00b19: {PARENTS[1]}"),
            "taste": data("warm piano; slow tempo"),
            "feedback": data("liked by 1 person: soft harp; disliked by 2 people: loud guitars"),
        },
    )
    found = understand(said(f"{text}\n\n{shipped().fill('answer', {'num_generate': '7'})}"))
    assert [(one.text, one.score) for one in found.groups[0]] == [
        (PARENTS[0], 83.0),
        (PARENTS[1], 12.0),
    ]
    assert found.each == 7
    assert found.liked == ("warm piano", "slow tempo", "liked by 1 person: soft harp")


def test_the_model_understands_evomusics_lists():
    asked = f"Cross them: {[f'{chr(10)}{n}. {one}' for n, one in enumerate(PARENTS, start=1)]}"
    found = understand(said(asked, "Put prompts between <prompt> and </prompt>."))
    assert tuple(one.text for one in found.groups[0]) == PARENTS
    assert (found.each, found.form) == (1, "tags")


def test_the_model_leaves_known_prompts_alone():
    found = understand(said(f"Write 4 prompts.\n{shipped().fill('again', {'known': '- a b c d'})}"))
    assert found.groups == ((),)


def test_children_are_as_many_as_wanted_and_in_the_form_that_is_wanted():
    group = tuple(Given(text=one) for one in PARENTS)
    asked = wish(groups=(group, group), each=3)
    children = Mind().children(asked, np.random.default_rng(0))
    assert [len(one) for one in children] == [3, 3]
    flat = [text for group in children for text in group]
    for form in ("groups", "prompts", "tags", "text"):
        assert prompts_in(formed(replace(asked, form=form), children), 6) == list(
            dict.fromkeys(flat)
        )


def test_more_to_go_on_gives_better_children():
    mind, rng = Mind(), np.random.default_rng(1)
    group = tuple(Given(text=one) for one in PARENTS)
    scored = tuple(replace(one, score=score) for one, score in zip(group, (95.0, 5.0), strict=True))
    third = (*scored, Given(text="loud metal with guitars", score=5.0))

    def harps(asked: Wish) -> float:
        texts = mind.children(replace(asked, each=150), rng)[0]
        return float(np.mean(["harp" in read(one).instruments for one in texts]))

    assert harps(wish(groups=(group,), liked=("harp",))) > harps(wish(groups=(group,))) + 0.1
    with_scores = mind.children(wish(groups=(third,), each=150), rng)[0]
    without = mind.children(
        wish(groups=(tuple(replace(o, score=None) for o in third),), each=150), rng
    )[0]
    jazz = [
        np.mean([read(one).family == "jazz" for one in texts]) for texts in (with_scores, without)
    ]
    assert jazz[0] > jazz[1] + 0.1


def test_a_note_tells_what_good_ones_share():
    ranked = [Given(text="slow piano", score=90.0), Given(text="loud guitar", score=10.0)]
    note = Mind().note(wish(groups=(tuple(ranked),), form="note"))
    assert note.index("piano") < note.index("Dislikes") < note.rindex("guitar")


# The server ----------------------------------------------------------------------------------------------


async def posted(server: Imperfect, text: str, **body) -> tuple[int, str]:
    asked = {"model": "m", "messages": said(text), **body}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.base_url}/chat/completions", json=asked) as answer,
    ):
        return answer.status, await answer.text()


async def test_the_server_fails_as_often_as_it_says():
    async with Imperfect(seed=3) as server:
        for number in range(400):
            await posted(server, f"Write 5 prompts. {number}")
        answered = [call for call in server.calls if call.status == 200]
        faults = Counter(one for call in answered for one in call.faults)
        manners = Manners()
        assert 1 - len(answered) / 400 == pytest.approx(manners.fails, abs=0.035)
        assert faults["bad_form"] / len(answered) == pytest.approx(manners.bad_form, abs=0.08)
        assert faults["refuses"] / len(answered) == pytest.approx(manners.refuses, abs=0.035)
        assert {call.status for call in server.calls} == {200, 429, 500}


async def test_the_server_is_the_same_for_the_same_seed_and_differs_when_asked_again():
    texts = []
    for seed in (1, 1, 2):
        async with Imperfect(seed=seed, manners=PERFECT) as server:
            texts.append([(await posted(server, "Write 3 prompts."))[1] for _ in range(2)])
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]
    assert texts[0][0] != texts[0][1]


async def test_the_server_streams_what_it_would_have_answered():
    async with Imperfect(seed=1, manners=PERFECT) as server:
        _, streamed = await posted(server, "Write 3 prompts.", stream=True)
    async with Imperfect(seed=1, manners=PERFECT) as server:
        _, whole = await posted(server, "Write 3 prompts.")
    events = [json.loads(line[6:]) for line in streamed.splitlines() if line.startswith("data: {")]
    text = "".join(one["choices"][0]["delta"].get("content", "") for one in events)
    assert text == json.loads(whole)["choices"][0]["message"]["content"]
    assert streamed.rstrip().endswith("[DONE]")


async def test_a_server_that_is_down_answers_nobody():
    async with Imperfect(seed=1, manners=PERFECT) as server:
        server.down = True
        with pytest.raises(aiohttp.ClientError):
            await posted(server, "Write 3 prompts.")
        server.down = False
        assert (await posted(server, "Write 3 prompts."))[0] == 200
        assert server.answered == 1


@pytest.mark.parametrize("spoiler", SPOILERS, ids=lambda one: one.__name__)
def test_bad_form_is_bad_but_has_prompts_in_it(spoiler):
    asked = wish(groups=(tuple(Given(text=one) for one in PARENTS),), each=4)
    groups = Mind().children(asked, np.random.default_rng(2))
    text = spoiler(formed(asked, groups), groups[0])
    assert text != formed(asked, groups)
    assert len(set(prompts_in(text, 4)) & set(groups[0])) >= 2


# The baseline --------------------------------------------------------------------------------------------


async def bred(manners: Manners, size: int, tournament: int) -> EvoMusicSearch:
    async with Imperfect(seed=5, manners=manners) as server:
        search = EvoMusicSearch(
            base_url=server.base_url,
            settings=report_settings(tournament_size=tournament),
            novel=random_prompt,
            rng=np.random.default_rng(5),
        )
        search.members = [
            Member(prompt=one.candidate.prompt, seed=n, fitness=one.fitness)
            for n, one in enumerate(first_generation(5, size))
        ]
        async with search:
            await search.evolve()
        assert search.requests == len(server.calls)
    return search


async def test_the_baseline_makes_as_many_requests_as_it_is_known_to():
    search = await bred(PERFECT, 100, 25)
    assert search.requests == 54
    assert len(search.members) == 100
    assert sum(one.elite for one in search.members) == 10


async def test_the_baseline_asks_again_until_it_has_what_it_wants():
    search = await bred(Manners(bad_form=0.6, fails=0.2), 20, 5)
    assert search.requests > 12
    assert search.thrown_away > 0
    assert search.failures > 0
    assert len(search.members) == 20
    assert not search.stalled


async def test_evolve_breeds_a_hundred_in_at_most_twelve_requests():
    async with Imperfect(seed=6, manners=PERFECT) as server:
        model = model_at(server, second=0.01, seed=6)
        kit = kit_for(model, report_settings(tournament_size=25), second=1.0)
        searcher = create_searcher("evolve", seed=6, kit=kit)
        searcher.tell(first_generation(6))
        proposals = await searcher.ask(Brief(count=100))
        await model.close()
        assert len(server.calls) <= 12
    assert len({one.prompt for one in proposals}) == 100
    assert sum(one.operator.startswith(STAND_IN) for one in proposals) <= 10


# The arithmetic ------------------------------------------------------------------------------------------


def test_words_come_from_ratings_alone():
    texts = ("slow piano", "warm piano", "loud guitar", "fast guitar")
    made = [candidate(n, 1, text, n) for n, text in enumerate(texts, start=1)]
    taste, feedback = in_words(rated(made, (0.9, 0.8, 0.1, 0.2)))
    assert taste[0] == "piano"
    assert "electric guitar" not in taste
    assert "guitar" not in taste
    assert feedback[0] == "liked by 1 person: slow piano"
    assert feedback[-1] == "disliked by 1 person: loud guitar"


def test_gain_is_above_what_all_began_with():
    assert Course(likes=[[0.1, 0.3], [0.4, 0.6], [0.6, 0.8]]).gain == pytest.approx(0.4)
