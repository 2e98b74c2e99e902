"""Background tasks at the end, and services that are closed though one of them fails."""

from __future__ import annotations

import asyncio

import pytest

from domain.errors import ClosedError, UserError
from service.bootstrap import open_services
from service.tasks import TaskSet
from tests.fakes import FakeClock, FakeDevice


async def test_what_a_task_starts_at_its_end_is_ended_too():
    tasks, ended = TaskSet(), []

    async def last() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("last")

    async def first() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            tasks.spawn(last(), "last")
            await asyncio.sleep(0)
            raise
        finally:
            ended.append("first")

    task = tasks.spawn(first(), "first")
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await asyncio.gather(tasks.close(), tasks.close())
    assert task.cancelled()
    assert ended == ["first", "last"]
    assert not tasks._tasks


async def test_nothing_starts_after_the_end():
    tasks, begun = TaskSet(), []

    async def late() -> None:
        begun.append(True)

    await tasks.close()
    task = tasks.spawn(late(), "late")
    await asyncio.wait([task])
    assert task.cancelled()
    assert not begun


@pytest.mark.parametrize(
    ("error", "traced"),
    [(UserError("no"), False), (ClosedError("closed"), False), (KeyError("x"), True)],
)
async def test_only_what_nobody_foresaw_leaves_a_trace(caplog, error, traced):
    async def failing():
        raise error

    tasks = TaskSet()
    await asyncio.wait([tasks.spawn(failing(), "failing")])
    assert any(record.exc_info for record in caplog.records) is traced


async def test_the_database_is_closed_though_the_device_cannot_be(settings):
    class Stuck(FakeDevice):
        async def close(self) -> None:
            raise RuntimeError("It does not end.")

    with pytest.raises(RuntimeError, match="does not end"):
        async with open_services(settings, clock=FakeClock(), device=Stuck()) as services:
            pass
    with pytest.raises(ClosedError):
        async with services.db.reading():
            pass
