"""What ``/health`` is told: states, queues, posts, disk. No paths, and nothing for who is no moderator."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from domain.errors import ForbiddenError
from domain.run import PostKind
from service.generator_state import Readiness
from service.health import without_paths
from service.posting import Undeliverable
from storage import posts
from storage.backup import backup
from storage.language_usage import DAY
from tests.fakes import generator_state
from tests.service.conftest import ANN, MOD, actor


async def test_a_fresh_bot_is_well(stage):
    stage.clock.advance(60)
    view = await stage.services.health.view(MOD)
    assert view.uptime == 60
    assert [one.info.name for one in view.generators] == ["fake"]
    assert view.language.here is None
    assert view.hearing is None
    assert (view.rounds.running, view.rounds.waiting) == (False, 0)
    assert (view.unsent.waiting, view.unsent.failed, view.unsent.reason) == (0, 0, "")
    assert view.stored.size > 10_000
    assert view.stored.schema == stage.services.db.schema_version
    assert view.stored.free > 0


async def test_only_moderators_are_told(stage):
    with pytest.raises(ForbiddenError, match="Only moderators"):
        await stage.services.health.view(ANN)


async def test_the_line_of_rounds_has_its_length_and_age(stage):
    stage.device.hold = asyncio.Event()
    first = await stage.services.runs.start(MOD)
    second = await stage.services.runs.start(dataclasses.replace(MOD, channel_id=11))
    await stage.until(lambda: stage.services.conductor._queue.standing().running)
    stage.clock.advance(40)
    rounds = (await stage.services.health.view(MOD)).rounds
    assert (rounds.running, rounds.waiting, rounds.oldest) == (True, 1, 40)
    stage.device.hold.set()
    await first.done()
    await second.done()


async def test_a_post_that_cannot_be_sent_says_why_in_its_own_server_only(stage):
    stage.sink.refuse = Undeliverable("I may not post there.", permanent=True)
    await stage.start()
    here = (await stage.services.health.view(MOD)).unsent
    assert (here.waiting, here.failed, here.reason) == (0, 1, "I may not post there.")
    there = (await stage.services.health.view(actor(9, moderator=True, guild=2))).unsent
    assert (there.failed, there.reason) == (1, "")
    stage.clock.advance(2 * DAY)
    assert (await stage.services.health.view(MOD)).unsent.failed == 0


async def test_a_round_that_was_withdrawn_is_no_trouble(stage):
    stage.sink.refuse = Undeliverable("I may not post there.", permanent=True)
    await stage.start()
    await stage.services.runs.stop(MOD)
    assert (await stage.services.health.view(MOD)).unsent.failed == 0


async def test_posts_that_wait_are_counted(stage):
    await stage.start()
    run = await stage.run()
    async with stage.services.db.transaction() as tx:
        await posts.add_post(tx, run.id, 1, PostKind.PAUSE, run.channel_id, stage.clock.now())
    assert (await stage.services.health.view(MOD)).unsent.waiting == 1


async def test_the_last_backup_is_known(stage, tmp_path):
    assert (await stage.services.health.view(MOD)).stored.backup_age is None
    await backup(stage.services.db.path, tmp_path / "copy.db")
    assert (await stage.services.health.view(MOD)).stored.backup_age is not None


async def test_reasons_name_no_path(stage):
    reason = "There are no weights in /srv/bot/data/models/musicgen-small: pull them."
    stage.device.generators = [generator_state(readiness=Readiness.UNABLE, reason=reason)]
    (state,) = (await stage.services.health.view(MOD)).generators
    assert state.reason == "There are no weights in musicgen-small: pull them."


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (r"C:\bot\models\x.bin is cut.", "x.bin is cut."),
        ("No 'data/models/m/config.json'.", "No 'config.json'."),
        ("[Errno 2] No such file: '/opt/env/bin/python'", "[Errno 2] No such file: 'python'"),
        (
            "Ask http://localhost:8001/v1/audio for it.",
            "Ask http://localhost:8001/v1/audio for it.",
        ),
        ("Fetch facebook/musicgen-small first.", "Fetch facebook/musicgen-small first."),
        ("4/4 and 3/4, and/or 7/8.", "4/4 and 3/4, and/or 7/8."),
    ],
)
def test_paths_become_names(text, left):
    assert without_paths(text) == left
