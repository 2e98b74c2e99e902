"""EvoMusic's way of breeding with its bugs gone: selection, elites, chains, batches, lineage, failures."""

import dataclasses
import re
from collections import Counter

import pytest

from domain.candidate import Brief
from domain.errors import LanguageModelError, OverBudgetError, UnreachableError
from domain.operators import Operator
from evolution.language.evolve import Evolution
from prompts.operators import applied
from tests.evolution.language_searchers.models import chance, form, good, model, music, wanted
from tests.evolution.language_searchers.worlds import (
    CROSS,
    MUTATE,
    PROMPTS,
    archive,
    caller,
    evaluation,
    herd,
    searcher,
    settings,
)
from tests.fake_model import FakeLanguageModel
from tests.fakes import FakeClock


async def evolution(chain, seed=1, told=None):
    one, prompts = await herd(told, seed)
    return Evolution(one, prompts, caller(settings=chain), Brief(count=12))


async def test_a_tournament_has_different_contestants_and_its_best_wins_without_sampling():
    breeding = await evolution(settings(sample=False, tournament_size=3))
    pool = breeding._pool()
    won = Counter()
    for _ in range(300):
        contestants = breeding.contestants(pool, 3)
        assert len({one.id for one in contestants}) == 3
        winner = breeding.selected(contestants)
        assert winner.promise == max(one.promise for one in contestants)
        won[winner.id] += 1
    assert won[1] == max(won.values())  # in half of the draws the best of six is there
    assert 0.4 < won[1] / 300 < 0.6
    assert {5, 6} & set(won) == set()


@pytest.mark.parametrize("temperature", [1e-6, 0.05, 0.2, 5.0])
async def test_the_roulette_follows_fitness_by_its_temperature(temperature):
    breeding = await evolution(settings(temperature=temperature))
    pool = breeding._pool()
    won = Counter(breeding.selected(pool).id for _ in range(600))
    if temperature < 0.01:
        assert won == {1: 600}
    elif temperature > 1:
        assert min(won[number] for number in range(1, 7)) > 60
    else:
        assert won[1] > won[2] > won[4]
        assert (won[1] > 400) == (temperature == 0.05)


async def test_elites_are_always_parents_and_are_never_made_again():
    told = [
        evaluation(n + 1, f"piano jazz at {60 + n} bpm", 0.99 if n == 7 else 0.3) for n in range(30)
    ]
    for seed in range(6):
        chain = settings(elites=0.1, temperature=50.0, novel_prompts=0.0)
        breeder = searcher(told=told, seed=seed, settings=chain)
        proposals = await breeder.ask(Brief(count=12))
        bred = [one for one in proposals if applied(one.operator)]
        best = told[7].candidate
        assert any(best.id in one.parents for one in bred) or len(bred) < 6
        assert best.prompt not in {one.prompt for one in proposals}
        state = breeder.state()
        assert str(best.id) in state["told"]


async def test_one_request_breeds_many_children_each_with_its_lineage():
    fake = FakeLanguageModel(tagging)
    chain = settings(CROSS, MUTATE, novel_prompts=0.0, elites=0.2)
    proposals = await searcher(told=many(), language_model=fake, settings=chain).ask(
        Brief(count=12)
    )
    texts = {int(one.candidate.id): one.candidate.prompt for one in many()}
    bred = [one for one in proposals if applied(one.operator) == ("cross", "mutate")]
    assert len(bred) > 4
    for child in bred:
        assert len(child.parents) == 2
        marks = re.findall(r"at (\d+) bpm", child.prompt)
        assert set(marks) == {
            re.findall(r"at (\d+) bpm", texts[int(parent)])[0] for parent in child.parents
        }


def many():
    return [
        evaluation(n + 1, f"{word} piano jazz at {70 + n} bpm", 0.4 + 0.02 * n)
        for n, word in enumerate(("warm", "dark", "soft", "happy", "sad", "calm", "bright", "epic"))
    ]


def tagging(ask):
    """Write children that say which parents they have, in order of the groups."""
    groups, each = wanted(ask)
    text = ask.messages[-1].text
    blocks = re.split(r"Group \d+:", text)[1:] if groups > 1 else [text.partition("<data>")[2]]
    rng, out = chance(ask), []
    for block in blocks[:groups]:
        tempi = sorted(set(re.findall(r"at (\d+) bpm", block)))
        told = " then ".join(f"at {tempo} bpm" for tempo in tempi)
        out += [f"{one.split(',')[0].split(' at ')[0]} {told}" for one in music(rng, each)]
    return form(groups, each, out)


async def test_a_generation_of_a_hundred_takes_twelve_requests_at_most():
    fake = model("good")
    breeder = searcher(language_model=fake, told=[])
    told = []
    for generation in range(3):
        fake.asks.clear()
        proposals = await breeder.ask(Brief(count=100))
        assert len(fake.asks) <= 12
        for proposal in proposals:
            fitness = 0.3 + 0.4 * (len(told) % 7) / 7
            told.append(evaluation(len(told) + 1, proposal.prompt, fitness, generation=generation))
        breeder.tell(told)
    assert fake.most_at_once >= 4


async def test_an_operator_with_probability_passes_others_on_and_copies_are_never_proposed():
    rare = Operator(name="rare", template="Rarely: {prompts}", input=1, output=1, probability=0.0)
    fake = model("good")
    chain = settings(rare, novel_prompts=0.0)
    proposals = await searcher(language_model=fake, settings=chain).ask(Brief(count=8))
    assert fake.count("operator:rare") == 0
    assert not {one.prompt for one in proposals} & set(PROMPTS)
    sometimes = dataclasses.replace(rare, probability=0.5)
    fake = model("good")
    await searcher(told=many(), language_model=fake, settings=settings(sometimes)).ask(
        Brief(count=20)
    )
    assert fake.count("operator:rare") >= 1


async def test_where_one_operator_fails_the_next_goes_on_with_what_is_there():
    fake = FakeLanguageModel({"operator:cross": "nothing useful {", "*": good})
    proposals = await searcher(told=many(), language_model=fake, settings=settings()).ask(
        Brief(count=12)
    )
    bred = [one for one in proposals if applied(one.operator)]
    assert bred
    assert {applied(one.operator) for one in bred} == {("mutate",)}
    assert all(len(one.parents) == 1 for one in bred)


async def test_settings_that_cannot_be_used_are_said_and_shipped_ones_breed():
    wrong = settings(CROSS, CROSS)
    breeder = searcher(settings=wrong)
    proposals = await breeder.ask(Brief(count=6))
    assert any("Two operators have the name" in one for one in breeder.notices())
    assert any(applied(one.operator)[:1] == ("crossover",) for one in proposals)


async def test_novel_ones_begin_where_least_was_seen():
    fake = model("good")
    await searcher(language_model=fake).ask(Brief(count=12))
    (novel,) = [ask for ask in fake.asks if ask.task == "novel"]
    points = novel.messages[-1].text.partition("in this order: ")[2].splitlines()[0].split(", ")
    assert points
    assert not {"techno", "jazz", "ska", "folk"} & set(points)


@pytest.mark.parametrize(
    ("error", "asks"),
    [
        (UnreachableError("It is down."), 3),
        (OverBudgetError("Used up."), 3),
        (LanguageModelError("It refuses this."), 12),
    ],
)
async def test_a_server_that_is_down_is_not_asked_again_in_this_generation(error, asks):
    fake = FakeLanguageModel(error)
    breeder = searcher(told=many(), language_model=fake)
    proposals = await breeder.ask(Brief(count=12))
    assert len(fake.asks) <= asks
    assert all(one.operator.startswith("offline:") for one in proposals)
    assert breeder.notices() == (
        f"{error} The built-in breeder wrote all 12 prompts in its place.",
    )
    fake.scripts["*"] = good
    again = await breeder.ask(Brief(count=12))
    assert not any(one.operator.startswith("offline:") for one in again)
    assert breeder.notices() == ()


async def test_a_slow_model_cannot_hold_up_a_round():
    fake = FakeLanguageModel(good, clock=FakeClock(), delay=3600.0)  # a clock that never moves
    for name in ("evolve", "full", "auto"):
        breeder = searcher(name, told=many(), language_model=fake, seconds=0.05)
        proposals = await breeder.ask(Brief(count=6))
        assert len(proposals) == 6
        assert "longer than 0.05 seconds" in breeder.notices()[0]


async def test_good_optional_operators_come_more_often():
    def told(gain):
        parents = [evaluation(n, f"piano jazz at {60 + n} bpm", 0.5) for n in range(1, 9)]
        children = [
            evaluation(
                n,
                f"harp waltz at {60 + n} bpm",
                0.5 + gain,
                operator="evolve:swap",
                parents=(n - 8,),
            )
            for n in range(9, 17)
        ]
        plain = [
            evaluation(
                n, f"organ ska at {60 + n} bpm", 0.5, operator="evolve:other", parents=(n - 16,)
            )
            for n in range(17, 25)
        ]
        return [*parents, *children, *plain]

    swap = Operator(name="swap", template="Swap: {prompts}", input=1, output=1, probability=0.5)
    used = {}
    for gain in (0.3, -0.3):
        count = 0
        for seed in range(10):
            breeding = await evolution(settings(swap), seed, told(gain))
            lines = breeding._lines(20, far=False)
            await breeding._chain(lines)
            count += sum(bool(line.items[0].applied) for line in lines)
        used[gain] = count
    assert used[0.3] > 1.5 * used[-0.3]
    assert used[-0.3] > 0


async def test_an_unknown_archive_is_the_same_whatever_order_answers_come_in():
    one = await searcher(told=many()).ask(Brief(count=12))
    slow = FakeLanguageModel(good)
    breeder = searcher(told=many(), language_model=_Reversed(slow))
    assert await breeder.ask(Brief(count=12)) == one


class _Reversed:
    """Answers the first asked last."""

    def __init__(self, inner):
        self._inner = inner
        self._waiting = 6
        self.name = inner.name

    async def answer(self, ask):
        answer = await self._inner.answer(ask)
        self._waiting = max(0, self._waiting - 2)
        for _ in range(5 * self._waiting):
            await self._inner.answer(ask)
        return answer


def test_the_archive_of_these_tests_is_what_it_seems():
    assert [one.fitness for one in archive()] == [0.9, 0.75, 0.6, 0.45, 0.3, 0.15]
    assert MUTATE.output == 3
