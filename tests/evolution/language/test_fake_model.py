"""The fake keeps the seam's promises, so that what is built on it holds for a real model."""

import asyncio

import pytest

from domain.errors import OverBudgetError, UnreachableError
from evolution.language.seam import Answer, Ask, LanguageModel, user
from tests.fake_model import FakeLanguageModel, calls, prompts
from tests.fakes import FakeClock


def ask(task: str, text: str = "hello there") -> Ask:
    return Ask(task=task, messages=(user(text),))


async def test_scripts_are_found_by_task_kind_and_star():
    model = FakeLanguageModel(
        {
            "operator:blend": prompts("a", "b"),
            "operator": ["first", OverBudgetError("Used up."), "last"],
            "chat": calls(("next_round", {"n": 1})),
            "*": lambda asked: asked.messages[-1].text.upper(),
        }
    )
    seam: LanguageModel = model
    assert (await seam.answer(ask("operator:blend"))).text == '{"prompts": ["a", "b"]}'
    assert (await model.answer(ask("operator:mutate"))).text == "first"
    with pytest.raises(OverBudgetError):
        await model.answer(ask("operator:mutate"))
    assert [(await model.answer(ask("operator:x"))).text for _ in range(2)] == ["last", "last"]
    assert (await model.answer(ask("chat"))).calls[0].arguments == {"n": 1}
    assert (await model.answer(ask("full"))).text == "HELLO THERE"
    assert (model.count(), model.count("operator"), model.count("operator:blend")) == (7, 5, 1)
    with pytest.raises(AssertionError, match="reflect"):
        await FakeLanguageModel().answer(ask("reflect"))


async def test_it_can_be_down_slow_and_stream():
    clock = FakeClock()
    model = FakeLanguageModel("one two one", clock=clock, delay=5.0)
    first, second = (asyncio.ensure_future(model.answer(ask("full"))) for _ in range(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not first.done()
    clock.advance(5.0)
    assert await first == await second == Answer(text="one two one", tokens_in=2, tokens_out=3)
    assert model.most_at_once == 2
    model.delay = 0.0
    assert [piece async for piece in model.stream(ask("chat"))] == ["one", " two", " one"]
    model.down = True
    with pytest.raises(UnreachableError):
        await model.answer(ask("full"))
    assert model.count("full") == 3
