"""A small archive that never changes, and searchers over it."""

from domain.candidate import Candidate, Evaluation
from domain.ids import CandidateId, RunId
from domain.operators import EvolveSettings, Operator
from evolution.language.auto import LanguageSearcher
from evolution.language.calling import Caller
from evolution.language.credit import Told
from evolution.language.kit import LanguageKit
from evolution.offline import OfflineBreeder
from prompts import operators
from prompts.reader import read
from prompts.templates import shipped
from tests.evolution.language_searchers.models import model

PROMPTS = (
    "warm lofi hip hop with piano and vinyl crackle at 82 bpm",
    "driving techno with acid synth at 130 bpm",
    "slow jazz ballad with tenor saxophone and brushed drums",
    "happy ska with trumpet and organ",
    "dark ambient drone with cello, no drums",
    "acoustic folk with fiddle and banjo",
)
CROSS = Operator(name="cross", template="Blend these: {prompts}", input=2, output=1)
MUTATE = Operator(name="mutate", template="Vary this: {prompts}", input=1, output=3)


def evaluation(number, prompt, fitness, *, generation=0, operator="novel", parents=(), **values):
    candidate = Candidate(
        id=CandidateId(number),
        run_id=RunId(1),
        generation=generation,
        prompt=prompt,
        genome={**read(prompt).to_json(), **values},
        operator=operator,
        searcher="any",
        parents=tuple(CandidateId(parent) for parent in parents),
        seed=number,
    )
    return Evaluation(candidate=candidate, fitness=fitness, uncertainty=0.05, rated=True)


def archive():
    """Return the prompts, the first the best; the last two came in the latest generation."""
    return [
        evaluation(n, prompt, round(0.9 - 0.15 * (n - 1), 2), generation=int(n > 4))
        for n, prompt in enumerate(PROMPTS, start=1)
    ]


def kit(language_model=None, settings=None, **values):
    return LanguageKit(
        model=language_model or model("good"),
        settings=settings or operators.shipped(),
        templates=shipped(),
        **values,
    )


def settings(*chain, **values):
    return EvolveSettings(operators=chain or (CROSS, MUTATE), **values)


def searcher(name="evolve", told=None, seed=1, vibe="", **values):
    made = LanguageSearcher(name, seed=seed, vibe=vibe, kit=kit(**values))
    made.tell(archive() if told is None else told)
    return made


async def herd(told=None, seed=1):
    """Return a herd and the prompts of its members."""
    told = archive() if told is None else told
    offline = OfflineBreeder(seed=seed)
    offline.tell(told)
    prompts = {
        int(one.candidate.id): Told(
            prompt=one.candidate.prompt, generation=one.candidate.generation
        )
        for one in told
    }
    return await offline.herd(), prompts


def caller(language_model=None, wanted=12, **values):
    return Caller(kit(language_model, **values), "7", wanted)
