from __future__ import annotations

import asyncio
from dataclasses import replace
from types import MappingProxyType

import pytest

from domain.errors import LanguageModelError, OverBudgetError, UnreachableError
from evolution.language.breaker import FAILURES, FIRST_REST, LONGEST_REST, Breaker
from evolution.language.caching import AnswerCache, key_of
from evolution.language.metered import Limits, Metered
from evolution.language.pricing import Price, Prices
from evolution.language.seam import Answer, Ask, LanguageModel, Tool, Usage, user
from tests.fake_model import FakeLanguageModel
from tests.fakes import FakeClock


def ask(text: str = "hello", **changes) -> Ask:
    return replace(Ask(task="full", messages=(user(text),), account="7"), **changes)


class Bench:
    def __init__(self, script="one two", allow=None, prices=None, delay=0.0, **limits) -> None:
        self.clock = FakeClock()
        self.fake = FakeLanguageModel(script, clock=self.clock, delay=delay)
        self.used: list[Usage] = []
        self.model = Metered(
            self.fake,
            now=self.clock.now,
            sleep=self.clock.sleep,
            limits=Limits(**limits),
            prices=prices,
            allow=allow,
            used=self.used.append,
        )


async def spin() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_tokens_and_money_are_counted_by_account_task_and_model():
    prices = Prices(default=Price(read=5.0), models={"fake": Price(read=1.0, written=10.0)})
    bench = Bench(prices=prices)
    seam: LanguageModel = bench.model
    answer = await seam.answer(ask())
    assert answer.cost == pytest.approx(21e-6)
    assert bench.used == [
        Usage(account="7", task="full", model="fake", tokens_in=1, tokens_out=2, cost=answer.cost)
    ]
    assert prices.of("other").of(1_000_000, 9) == 5.0
    assert bench.model.name == "fake model"
    await bench.model.close()
    assert bench.fake.closed


async def test_an_equal_request_is_answered_once_unless_it_has_to_be_fresh():
    bench = Bench(["first", "second", "third"])
    first = await bench.model.answer(ask())
    again = await bench.model.answer(ask(account="8"))
    assert (again.text, again.cached, again.cost) == ("first", True, 0.0)
    assert not first.cached
    assert (await bench.model.answer(ask(fresh=True))).text == "second"
    assert (await bench.model.answer(ask())).text == "second"
    assert (await bench.model.answer(ask(temperature=0.1))).text == "third"
    assert bench.fake.count() == len(bench.used) == 3


def test_what_makes_requests_equal():
    tool = Tool(name="a", description="b", parameters={"type": "object"})
    base = ask(schema={"a": 1, "b": 2}, tools=(tool,))
    same = replace(base, schema=MappingProxyType({"b": 2, "a": 1}), account="x", fresh=True)
    assert key_of(base, "m") == key_of(same, "m")
    others = (
        ask(),
        replace(base, most_tokens=1),
        replace(base, tools=()),
        replace(base, schema=None),
    )
    assert len({key_of(one, "m") for one in (base, *others)} | {key_of(base, "n")}) == 6


def test_the_cache_is_bounded_and_keeps_only_whole_answers():
    cache = AnswerCache(2)
    cache.put("cut", Answer(text="a", finished=False))
    cache.put("empty", Answer(text=""))
    cache.put("huge", Answer(text="a" * 30_000))
    assert len(cache) == 0
    for name in ("a", "b"):
        cache.put(name, Answer(text=name))
    assert cache.get("a") is not None
    cache.put("c", Answer(text="c"))
    assert cache.get("b") is None
    assert len(cache) == 2
    none = AnswerCache(0)
    none.put("a", Answer(text="a"))
    assert none.get("a") is None


async def test_no_more_requests_are_in_flight_than_allowed():
    bench = Bench(delay=5.0, concurrency=2)
    asks = [asyncio.ensure_future(bench.model.answer(ask(str(one)))) for one in range(5)]
    for _ in range(3):
        await spin()
        bench.clock.advance(5.0)
    await asyncio.gather(*asks)
    assert bench.fake.most_at_once == 2


async def test_the_rate_of_an_account_makes_wait_and_then_refuses():
    bench = Bench(per_minute=2)
    await bench.model.answer(ask("0"))
    bench.clock.advance(50.0)
    await bench.model.answer(ask("1"))
    waiting = asyncio.ensure_future(bench.model.answer(ask("2")))
    await spin()
    assert bench.fake.count() == 2
    with pytest.raises(OverBudgetError, match=r"2 requests .* in 60 s"):
        await bench.model.answer(ask("3"))
    assert (await bench.model.answer(ask("4", account="8"))).text == "one two"
    bench.clock.advance(10.0)
    await waiting
    assert bench.fake.count() == 4
    bench.clock.advance(61.0)
    for text in "56":
        await bench.model.answer(ask(text))
    unlimited = Bench(per_minute=0)
    for number in range(50):
        await unlimited.model.answer(ask(str(number)))


async def test_a_spent_budget_asks_nobody_but_the_cache():
    spent = False

    async def allow(asked: Ask) -> None:
        if spent:
            raise OverBudgetError(f"Account {asked.account} has spent its money.")

    bench = Bench(allow=allow)
    await bench.model.answer(ask())
    spent = True
    assert (await bench.model.answer(ask())).cached
    with pytest.raises(OverBudgetError, match="Account 7"):
        await bench.model.answer(ask("more"))
    with pytest.raises(OverBudgetError, match="Account 7"):
        await anext(bench.model.stream(ask()))
    assert bench.fake.count() == 1


async def test_a_server_that_is_down_is_left_alone_and_probed():
    bench = Bench()
    bench.fake.down = True
    for number in range(FAILURES):
        with pytest.raises(UnreachableError, match="cannot be reached"):
            await bench.model.answer(ask(str(number)))
    with pytest.raises(UnreachableError, match="asked again in about 15 s"):
        await bench.model.answer(ask("x"))
    assert bench.fake.count() == FAILURES
    assert bench.model.resting == FIRST_REST
    assert all(one.failed for one in bench.used)
    bench.clock.advance(FIRST_REST)
    with pytest.raises(UnreachableError, match="cannot be reached"):
        await bench.model.answer(ask("x"))
    assert bench.model.resting == 2 * FIRST_REST
    bench.clock.advance(2 * FIRST_REST)
    bench.fake.down = False
    bench.fake.delay = 3.0
    sent = bench.fake.count()
    probe = asyncio.ensure_future(bench.model.answer(ask("x")))
    others = [asyncio.ensure_future(bench.model.answer(ask(name))) for name in "yz"]
    await spin()
    assert bench.fake.count() == sent + 1  # the others wait for what the probe finds
    bench.clock.advance(3.0)
    await probe
    await spin()
    assert bench.model.resting == 0
    assert bench.fake.count() == sent + 3
    bench.clock.advance(3.0)
    assert [one.text for one in await asyncio.gather(*others)] == ["one two"] * 2


async def test_who_waits_for_a_probe_that_fails_is_refused_without_asking():
    bench = Bench()
    bench.fake.down = True
    for number in range(FAILURES):
        with pytest.raises(UnreachableError):
            await bench.model.answer(ask(str(number)))
    bench.clock.advance(FIRST_REST)
    bench.fake.delay = 3.0
    tries = [asyncio.ensure_future(bench.model.answer(ask(name))) for name in "xyz"]
    await spin()
    bench.clock.advance(3.0)
    found = await asyncio.gather(*tries, return_exceptions=True)
    assert all(isinstance(one, UnreachableError) for one in found)
    assert "asked again in about 30 s" in str(found[2])
    assert bench.fake.count() == FAILURES + 1


async def test_nobody_waits_long_for_a_probe(monkeypatch):
    monkeypatch.setattr("evolution.language.breaker.PROBE_PATIENCE", 0.01)
    clock = FakeClock()
    breaker = Breaker("m", clock.now)
    for _ in range(FAILURES):
        breaker.failed(probe=await breaker.enter())
    clock.advance(FIRST_REST)
    assert await breaker.enter()
    with pytest.raises(UnreachableError, match="not known yet"):
        await breaker.enter()


async def test_a_probe_that_is_given_up_leaves_the_place_to_the_next():
    bench = Bench(delay=3.0)
    bench.fake.down = True
    tries = [asyncio.ensure_future(bench.model.answer(ask(str(one)))) for one in range(FAILURES)]
    await spin()
    bench.clock.advance(3.0)
    await asyncio.gather(*tries, return_exceptions=True)
    bench.clock.advance(FIRST_REST)
    bench.fake.down = False
    probe = asyncio.ensure_future(bench.model.answer(ask("x")))
    await spin()
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    bench.fake.delay = 0.0
    assert (await bench.model.answer(ask("y"))).text == "one two"


async def test_rests_grow_up_to_a_minute():
    clock = FakeClock()
    breaker = Breaker("m", clock.now)
    for _ in range(FAILURES):
        breaker.failed(probe=await breaker.enter())
    rests = []
    for _ in range(5):
        rests.append(breaker.resting)
        clock.advance(breaker.resting)
        breaker.failed(probe=await breaker.enter())
    assert rests == [15.0, 30.0, 60.0, 60.0, LONGEST_REST]


async def test_nonsense_is_no_outage():
    bench = Bench(LanguageModelError("Nothing to use."))
    for number in range(FAILURES + 2):
        with pytest.raises(LanguageModelError, match="Nothing"):
            await bench.model.answer(ask(str(number)))
    assert bench.model.resting == 0
    assert [one.failed for one in bench.used] == [True] * (FAILURES + 2)
    empty = Bench("")
    assert (await empty.model.answer(ask())).text == ""
    assert empty.used[0].failed


async def test_streams_are_counted_too():
    bench = Bench("one two three")
    assert [piece async for piece in bench.model.stream(ask())] == ["one", " two", " three"]
    assert [(one.tokens_out, one.failed) for one in bench.used] == [(3, False)]
    left = bench.model.stream(ask())
    assert await anext(left) == "one"
    await left.aclose()
    bench.fake.down = True
    with pytest.raises(UnreachableError):
        await anext(bench.model.stream(ask()))
    assert [one.failed for one in bench.used] == [False, True]


async def test_a_broken_stream_is_counted_once():
    class Breaking(FakeLanguageModel):
        async def stream(self, ask, done=None):
            yield "one"
            done(Answer(text="one", tokens_in=3, tokens_out=1, finished=False))
            raise UnreachableError("The connection broke.")

    used: list[Usage] = []
    model = Metered(Breaking(), now=FakeClock().now, used=used.append)
    stream = model.stream(ask())
    assert await anext(stream) == "one"
    with pytest.raises(UnreachableError):
        await anext(stream)
    assert [(one.tokens_in, one.failed) for one in used] == [(3, False)]
