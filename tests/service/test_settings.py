from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import ConfigError
from service.settings import Settings, example, keys, language_key, load, token_from


def written(tmp_path, text: str) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("runs: {secnds: 3}", ("runs.secnds", "runs.seconds")),
        ("rnus: {}", ("rnus", "runs")),
        ("runs: {seconds: 99}", ("runs.seconds", "30")),
        ("runs: {quorum: many}", ("runs.quorum",)),
        ("storage: {data_dir: [1]}", ("storage.data_dir", "TUNEBREEDER_DATA_DIR")),
        ("discord: {token: abc}", ("discord.token", "DISCORD_TOKEN")),
        ("a: [", ("line 1",)),
        ("- 1", ("sections",)),
        ("generation: {format: aiff}", ("generation.format", "mp3")),
        ("language: {api_key: abc}", ("language.api_key", "OPENAI_API_KEY")),
        (
            "language: {base_url: 'https://me:abc@models.example/v1', model: m}",
            ("language.base_url",),
        ),
        (
            "language: {base_url: 'https://models.example/v1?key=abc', model: m}",
            ("language.base_url",),
        ),
        ("language: {base_url: 'http://localhost:11434/v1'}", ("language.model",)),
        ("language: {daily_tokens: -1}", ("language.daily_tokens",)),
        ("language: {prices: {big: [1]}}", ("language.prices.big",)),
    ],
)
def test_a_wrong_file_is_a_sentence_that_names_the_key(tmp_path, text, names):
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, text), {})
    assert all(name in str(caught.value) for name in names)
    assert "abc" not in str(caught.value)


def test_the_environment_wins_over_the_file(tmp_path):
    file = written(tmp_path, "storage: {data_dir: here}\nlog_level: error")
    environ = {
        "TUNEBREEDER_DATA_DIR": "there",
        "TUNEBREEDER_LOG_LEVEL": "debug",
        "TUNEBREEDER_WORKERS": "3",
    }
    settings = load(file, environ)
    assert settings.storage.data_dir == Path("there")
    assert settings.log_level == "debug"
    assert settings.generation.workers == 3


def test_a_wrong_variable_is_named(tmp_path):
    with pytest.raises(ConfigError, match="TUNEBREEDER_DISCORD_API"):
        load(written(tmp_path, ""), {"TUNEBREEDER_DISCORD_API": "discord.com"})


def test_a_named_file_must_exist_and_the_default_need_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load(None, {}) == Settings()
    with pytest.raises(ConfigError, match="no settings file"):
        load(tmp_path / "nothing.yaml", {})


def test_the_example_loads_and_says_what_the_defaults_are(tmp_path):
    assert load(written(tmp_path, example()), {}) == Settings()
    assert all(key.split(".")[-1] + ":" in example() for key in keys())


def test_a_language_model_is_an_address_and_a_name_away(tmp_path):
    text = "language: {base_url: 'http://localhost:11434/v1', prices: {big: [1, 2.5]}, models: {chat: big}, "
    text += "extra: {reasoning_effort: low, thinking_token_budget: 100}}"
    settings = load(written(tmp_path, text), {"TUNEBREEDER_LANGUAGE_MODEL": "tiny"}).language
    assert settings.extra == {"reasoning_effort": "low", "thinking_token_budget": 100}
    assert (settings.model, settings.models, settings.prices["big"]) == (
        "tiny",
        {"chat": "big"},
        (1.0, 2.5),
    )
    key = language_key(settings, {"OPENAI_API_KEY": " sk-secret "})
    assert key.get_secret_value() == "sk-secret"
    assert "sk-secret" not in f"{key}{key!r}{settings!r}"
    assert not language_key(settings, {}).get_secret_value()


def test_the_token_never_shows():
    token = token_from({"DISCORD_TOKEN": "very.secret"})
    assert token is not None
    assert "very.secret" not in repr(token)
    assert "very.secret" not in str(token)
    assert token_from({"DISCORD_TOKEN": " "}) is None


@given(st.text(max_size=200))
def test_any_text_is_settings_or_a_sentence(tmp_path_factory, text):
    file = tmp_path_factory.mktemp("any") / "config.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        load(file, {})
    except ConfigError as error:
        assert str(error)
