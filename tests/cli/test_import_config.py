"""``import-config``: EvoMusic's files, sound and unsound, become settings and operators; secrets stay behind."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import yaml

from bench.searchers_efficiency import first_generation
from bench.searchers_world import random_prompt
from cli.evomusic_config import base_url, convert
from cli.evomusic_keys import TREE, fate, flattened
from cli.loose_yaml import read
from cli.main import main
from domain.candidate import Brief
from evolution.language.kit import LanguageKit
from evolution.registry import create_searcher
from prompts.operators import from_yaml
from prompts.templates import shipped
from service.settings import Settings, load
from tests.fake_model import FakeLanguageModel, prompts

SOUND = """
epochs: 5
music_model: musicgen
music_generator: {model: facebook/musicgen-small, input_type: text}
user_model:
  users: [{user_type: synth, target_user_id: 0}]
  best_solutions: 10
evolution:
  exp_name: one
  generations: 10
  duration: 2
  LLM:
    api_key: sk-abcdefghijklmnopqrst
    temperature: 0.7
    model: gpt-4o-mini
    api_uri: https://me:pass@llm.example:8443/v1/chat/completions?key=hidden
  logger: {wandb: true, wandb_token: 0123456789abcdef}
  search:
    mode: LLM evolve
    population_size: 100
    sample: true
    temperature: 0.1
    novel_prompts: 0.1
    elites: 0.1
    tournament_size: 25
    LLM_genetic_operators:
      - {name: Cross Over!, prompt: "blend them {prompts}", input: 2, output: 1, probability: 1}
      - {name: mutation, prompt: "three small changes of", input: 1, output: 3, probability: 1}
"""
MISPLACED = """
evolution:
  exp_name: two
  search:
    mode: "full LLM"
    full_LLM_prompt:
    "Generate {num_generate} prompts: be bold
    {ranking}
    and then {num_generate} prompts."
    sample: True
    LLM_genetic_operators:
      - name: "cross over"
        prompt: "mix {prompts}"
        input: 2
        output: 1
        probability: 0.5
    evotorch:
      parameter1: 3
"""
FLAT = """
In the user_model section it is possible to choose a lot.
search:
mode: "LLM evolve"
population_size: 100
sample: True
temperature: 0.1 #(note: low is better)
LLM_genetic_operators:
# what to do
- name: "cross over"
prompt: "mix {prompts}"
input: 2 # parents
output: 1
probability: 0.5
- name: "other genre"
input: 1
output: 1
prompt: "change {prompts}"
probability: 0.5
LLM:
model: "tiny"
The mode says how: read on.
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def imported(text: str):
    return convert(read(text, TREE).values, "SOME_KEY")


def test_a_sound_file_is_read_as_it_stands():
    loose = read(SOUND, TREE)
    assert loose.values == yaml.safe_load(SOUND)
    assert (loose.trouble, loose.skipped, loose.mended) == ("", [], [])


def test_a_text_that_begins_under_its_key_is_put_together():
    loose = read(MISPLACED, TREE)
    assert "line" in loose.trouble
    assert loose.mended == [(6, "full_LLM_prompt")]
    search = loose.values["evolution"]["search"]
    assert search["full_LLM_prompt"].split("\n")[1] == "{ranking}"
    assert search["sample"] is True
    assert search["LLM_genetic_operators"][0]["output"] == 1
    assert search["evotorch"] == {"parameter1": 3}


def test_lost_indentation_is_found_by_the_names():
    loose = read(FLAT, {"evolution": TREE["evolution"], **TREE["evolution"]})
    assert loose.values["search"]["temperature"] == 0.1
    assert [one["name"] for one in loose.values["search"]["LLM_genetic_operators"]] == [
        "cross over",
        "other genre",
    ]
    assert loose.values["LLM"] == {"model": "tiny"}
    assert [at for at, _ in loose.skipped] == [2, 22]


@pytest.mark.parametrize(
    "text",
    ["", "- 1\n- 2", "[" * 5000, "a: &a [*a]", "\x00", "just words", "a: !!python/object:x y"],
)
def test_what_is_no_configuration_has_nothing_known(text):
    values = read(text, TREE).values
    assert (
        all(
            fate(key) is None
            for key, _ in flattened(values)
            if values is not None and key != "a[0]"
        )
        or not values
    )


def test_every_key_has_a_line_and_a_place():
    out = imported(SOUND)
    kinds = {line.key: line.kind for line in out.lines}
    assert kinds["evolution.search.mode"] == "used"
    assert kinds["user_model.best_solutions"] == "ignored"
    assert kinds["evolution.LLM.api_key"] == kinds["evolution.logger.wandb_token"] == "secret"
    assert out.problems == []
    assert out.settings["runs"] == {"seconds": 4.0, "searcher": "evolve", "candidates": 32}
    assert out.settings["language"] == {
        "temperature": 0.7,
        "model": "gpt-4o-mini",
        "base_url": "https://llm.example:8443/v1",
    }
    told = [key for key, _ in flattened(yaml.safe_load(SOUND)) if "operators[" not in key]
    assert [line.key for line in out.lines if "operators[" not in line.key] == told


def test_operators_keep_their_words_and_numbers():
    evolve = imported(SOUND).evolve
    assert (evolve.tournament_size, evolve.temperature, evolve.sample) == (25, 0.1, True)
    first, second = evolve.operators
    assert (first.name, first.input, first.output, first.template) == (
        "cross over",
        2,
        1,
        "blend them {prompts}",
    )
    assert (second.input, second.output, second.template) == (
        1,
        3,
        "three small changes of\n{prompts}",
    )


def test_a_whole_population_prompt_says_its_number_once():
    out = imported(MISPLACED)
    assert out.problems == []
    assert out.full.count("{num_generate}") == 1
    assert out.full.endswith("and then that many.")
    assert out.settings["runs"]["searcher"] == "full"


@pytest.mark.parametrize("mode", ["GA", "CMAES", "SNES", "PGPE", "XNES", "CEM"])
def test_a_search_over_embeddings_becomes_the_search_by_numbers_of_its_name(mode):
    out = imported(f"evolution: {{search: {{mode: {mode}, evotorch: {{stdev_init: 30}}}}}}")
    assert out.settings["runs"]["searcher"] == mode.lower()
    assert {line.kind for line in out.lines} == {"used", "ignored"}
    Settings.model_validate(out.settings)


def test_a_model_without_address_is_evomusics():
    out = imported("evolution: {LLM: {api_key: x}, search: {mode: LLM evolve}}")
    assert out.settings["language"] == {
        "base_url": "https://api.openai.com/v1",
        "model": "gpt-4o-mini",
    }
    out = imported("evolution: {LLM: {model: m, api_uri: nonsense}}")
    assert "language" not in out.settings
    assert out.problems


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("input: 1, output: 3", "input: 2, output: 3"), "reads 2 prompts"),
        (("tournament_size: 25", "tournament_size: 1"), "tournament_size is 1"),
        (("output: 3, probability: 1", "output: 3, probability: 0.5"), "probability 1"),
        (("input: 2, output: 1", "input: two, output: 1"), "whole number"),
        (('prompt: "blend them {prompts}", ', ""), "prompt is missing"),
    ],
)
def test_operators_that_cannot_be_used_are_refused_with_a_reason(change, says):
    out = imported(SOUND.replace(*change))
    assert out.evolve is None
    assert says in " ".join(out.problems)


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("http://localhost:11434/v1/chat/completions", "http://localhost:11434/v1"),
        ("https://a.example/v1/", "https://a.example/v1"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("ftp://a.example", ""),
        ("https://a.example:notaport/v1", ""),
        ("nonsense", ""),
    ],
)
def test_an_address_is_cut_to_its_base(address, base):
    assert base_url(address)[0] == base


def test_wrong_input_is_one_sentence(tmp_path, capsys):
    (tmp_path / "prose.txt").write_text("Dear all, this is a letter.")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00\x81")
    for name, code in (("prose.txt", 2), ("bytes.yaml", 2), (".", 2), ("nowhere.yaml", 2)):
        assert main(["import-config", name]) == code
        said = capsys.readouterr()
        assert said.out == ""
        assert len(said.err.strip().splitlines()) == 1
        assert "Traceback" not in said.err


@pytest.mark.parametrize("text", [SOUND, MISPLACED])
def test_no_secret_is_ever_shown_or_written(tmp_path, capsys, text):
    (tmp_path / "evo.yaml").write_text(text)
    main(["import-config", "evo.yaml"])
    main(["import-config", "evo.yaml", "--out", "new"])
    said = capsys.readouterr()
    written = (
        "".join(one.read_text() for one in Path("new").glob("*")) if Path("new").exists() else ""
    )
    for secret in ("sk-abcdef", "0123456789abcdef", "hidden", "me:pass"):
        assert secret not in said.out + said.err + written


async def test_imported_files_load_and_their_operators_breed_a_generation(tmp_path, capsys):
    (tmp_path / "evo.yaml").write_text(SOUND)
    assert main(["import-config", "evo.yaml", "--out", "new"]) == 0
    assert "OPENAI_API_KEY" in capsys.readouterr().out
    settings = load(Path("new/config.yaml"), {})
    assert settings.runs.searcher == "evolve"
    assert settings.language.model == "gpt-4o-mini"
    evolve = from_yaml(Path("new/operators.yaml").read_text())
    rng = np.random.default_rng(1)
    model = FakeLanguageModel(lambda ask: prompts(*(random_prompt(rng) for _ in range(9))))
    kit = LanguageKit(model=model, settings=evolve, templates=shipped())
    searcher = create_searcher("evolve", seed=1, kit=kit)
    searcher.tell(first_generation(1, 20))
    proposals = await searcher.ask(Brief(count=12))
    assert len(proposals) == 12
    assert model.count("operator:cross over") > 0
    assert model.count("operator:mutation") > 0
    assert any(one.operator.startswith("evolve:cross over+mutation") for one in proposals)


def test_a_file_that_holds_itself_is_no_configuration(tmp_path, capsys):
    nested = "".join(
        f"k{n}: &k{n} {{a: {f'*k{n - 1}' if n else 1}, b: {f'*k{n - 1}' if n else 1}}}\n"
        for n in range(40)
    )
    for text in ("evolution: &a {search: *a, LLM: *a, logger: *a, fitness: *a, x: *a}", nested):
        (tmp_path / "evo.yaml").write_text(text)
        assert main(["import-config", "evo.yaml"]) in (0, 2)
        assert "unexpected" not in capsys.readouterr().err


def test_nothing_is_overwritten(tmp_path, capsys):
    (tmp_path / "evo.yaml").write_text(SOUND)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "operators.yaml").write_text("mine")
    assert main(["import-config", "evo.yaml", "--out", "new"]) == 1
    assert "operators.yaml is there already" in capsys.readouterr().err
    assert [one.name for one in (tmp_path / "new").iterdir()] == ["operators.yaml"]
