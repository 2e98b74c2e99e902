from __future__ import annotations

import base64

import aiohttp
import discord
import pytest

from bot.room import EventIds, snowflake
from bot.sink import AudioFile, DiscordSink, nonce, undeliverable, waveform
from service.posting import Undeliverable
from tests.bot.fakes import make_clip, make_post, round_view


class Answer:
    def __init__(self, status: int) -> None:
        self.status = status
        self.reason = "because"


def refusal(status: int, code: int) -> discord.HTTPException:
    kind = {403: discord.Forbidden, 404: discord.NotFound}.get(status, discord.HTTPException)
    return kind(Answer(status), {"code": code, "message": "m"})


@pytest.mark.parametrize(
    ("status", "code", "permanent"),
    [
        (403, 50013, True),
        (403, 0, True),
        (404, 0, True),
        (400, 50035, True),
        (429, 0, False),
        (502, 0, False),
    ],
)
def test_refusals_are_permanent_and_outages_are_not(status, code, permanent):
    error = undeliverable(refusal(status, code))
    assert error.permanent is permanent
    assert str(error).endswith(".")


@pytest.mark.parametrize("error", [TimeoutError(), OSError("no route"), aiohttp.ClientError()])
def test_a_dead_line_is_tried_again(error):
    assert undeliverable(error).permanent is False


async def test_without_a_connection_posts_wait():
    with pytest.raises(Undeliverable) as caught:
        await DiscordSink().send(round_view())
    assert caught.value.permanent is False


def test_files_carry_length_waveform_and_description():
    payload = AudioFile(b"x", "A-lofi.mp3", make_clip(), "Clip A").to_dict(2)
    assert payload["id"] == 2
    assert payload["filename"] == "A-lofi.mp3"
    assert payload["description"] == "Clip A"
    assert payload["duration_secs"] == 8.0
    assert list(base64.b64decode(payload["waveform"])) == [0, 128, 255]


def test_a_waveform_has_at_most_256_points():
    assert len(base64.b64decode(waveform([2.0] * 999))) == 256


def test_snowflakes_follow_the_clock():
    moment = discord.utils.snowflake_time(snowflake(1_800_000_000.5))
    assert moment.timestamp() == pytest.approx(1_800_000_000.5)
    assert snowflake(0.0) == 0


def test_event_ids_grow_even_when_the_clock_does_not():
    ids = EventIds()
    made = [ids.next(1_800_000_000.0), ids.next(1_800_000_000.0), ids.next(1_799_999_999.0)]
    assert made[0] == snowflake(1_800_000_000.0)
    assert made == sorted(set(made))


def test_a_post_has_its_own_short_nonce():
    one = make_post(id=12, created_at=1_800_000_000.7)
    assert nonce(one) == nonce(one) == "tb12-1800000000"
    assert nonce(make_post(id=12, created_at=5.0)) != nonce(one)
    assert len(nonce(make_post(id=10**15, created_at=1e12))) <= 25
