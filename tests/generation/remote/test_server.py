"""Options of a recipe: defaults, and a sentence for each that is wrong."""

from __future__ import annotations

import pytest

from domain.errors import GenerationError
from generation.registry import create_generator
from generation.remote.server import Style, server_of
from tests.generation.remote.scripted import ENVIRON, KEY, recipe


def test_defaults_and_everything():
    plain = server_of(recipe(), {})
    assert plain.url.geturl() == "http://music.local:8091/v1/audio/speech"
    assert (plain.style, plain.key, plain.timeout, plain.host) == (
        Style.OPENAI,
        "",
        300.0,
        "music.local:8091",
    )
    full = server_of(
        recipe(
            url="https://music.example/api/",
            style="acestep",
            key_variable="MUSIC_KEY",
            timeout="60",
            retries="0",
            parallel="4",
            largest_mb="8",
            longest="120",
            length_field="",
            fields='{"steps": 8}',
            price_per_clip="0.01",
            price_per_minute="0.2",
            currency="EUR",
        ),
        ENVIRON,
    )
    assert full.url.geturl() == "https://music.example/api"
    assert (full.key, full.retries, full.parallel, full.largest) == (KEY, 0, 4, 8 << 20)
    assert (full.fields, full.price_per_minute, full.currency) == ({"steps": 8}, 0.2, "EUR")
    assert server_of(recipe(url="http://h/v1/audio/generate"), {}).url.path == "/v1/audio/generate"
    assert server_of(recipe(url="http://h", style="acestep"), {}).url.path == ""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"url": ""}, "is an address such as"),
        ({"url": "music.local/v1"}, "is an address such as"),
        ({"url": "ftp://music.local"}, "is an address such as"),
        ({"url": "http://music.local:99999/"}, "is an address such as"),
        ({"url": "http://music local/"}, "is an address such as"),
        ({"url": "http://me:hush@music.local/"}, "password or a query"),
        ({"url": "http://music.local/?key=hush"}, "password or a query"),
        ({"style": "grpc"}, "one of openai, acestep"),
        ({"key_variable": "NOWHERE"}, "environment variable NOWHERE, which is empty"),
        ({"key_variable": "SPLIT"}, "environment variable SPLIT is no key"),
        ({"timeout": "long"}, "timeout is a number from 1 on"),
        ({"timeout": "0"}, "timeout is a number from 1 on"),
        ({"price_per_clip": "nan"}, "price_per_clip is a number from 0 on"),
        ({"fields": "[1]"}, "JSON object"),
        ({"fields": "{"}, "JSON object"),
        ({"fields": "[" * 99_999}, "JSON object"),
    ],
)
def test_what_is_wrong_is_named(options, words):
    with pytest.raises(GenerationError, match=words) as raised:
        server_of(recipe(**options), {"SPLIT": "hush\nhush"})
    assert "hush" not in str(raised.value)


def test_a_recipe_makes_one():
    made = create_generator(recipe())
    assert made.info.name == "remote"
    assert made.info.version == "1-openai-tunes-1"
    assert made.info.licence == "CC-BY-4.0"
    assert made.info.details["server"] == "music.local:8091"
    assert "spent" not in made.info.details
    assert (made.capabilities.longest, made.capabilities.commercial) == (600.0, True)
