"""The device worker with real processes: order, a clip that kills its process, a clip that hangs, no orphans."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from domain.clip import ClipFailure, ClipRequest, RenderedClip
from generation.registry import Recipe
from service import device as module
from service.device import CLOSING, UNFORESEEN, ProcessWorker, RenderSpec
from service.generator_state import Readiness

ROOT = Path(__file__).parents[2]


def request(seed: int, prompt: str = "lofi") -> ClipRequest:
    return ClipRequest(prompt=prompt, seed=seed, seconds=1.0)


def fake_render(spec: RenderSpec, wanted: ClipRequest):
    """Runs in the worker process instead of the composer."""
    if wanted.prompt == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if wanted.prompt == "hang":
        time.sleep(60)  # noqa: TID251 - a worker process that hangs
    if wanted.prompt == "odd":
        raise ZeroDivisionError(wanted.prompt)
    time.sleep(0.05)  # noqa: TID251 - as long as a short clip takes
    return ClipFailure(reason=f"{spec.generator.name} {wanted.seed}")


def until_there(spec: RenderSpec, wanted: ClipRequest):
    """Runs in the worker process instead of the composer, until there is a file of the prompt's name."""
    while not Path(wanted.prompt).exists():
        time.sleep(0.01)  # noqa: TID251 - a worker process that is busy
    return ClipFailure(reason=spec.generator.name)


@pytest.fixture
async def worker(monkeypatch):
    monkeypatch.setattr(module, "_render", fake_render)
    made = ProcessWorker(
        RenderSpec(generator=Recipe(loader="fake", name="fake")), workers=2, deadline=20
    )
    yield made
    await made.close()


async def test_results_keep_their_order_and_progress_is_told(worker):
    seen: list[int] = []
    made = await worker.render([request(seed) for seed in range(6)], seen.append)
    assert [one.reason for one in made] == [f"fake {seed}" for seed in range(6)]
    assert seen == [1, 2, 3, 4, 5, 6]


async def test_a_clip_that_kills_its_process_takes_nobody_with_it(worker):
    wanted = [request(1), request(2, "die"), request(3), request(4)]
    made = await worker.render(wanted, lambda _: None)
    assert [one.reason for one in made] == [
        "fake 1",
        "Its render process died.",
        "fake 3",
        "fake 4",
    ]
    again = await worker.render([request(9)], lambda _: None)
    assert again[0].reason == "fake 9"


async def test_a_clip_that_fails_as_nobody_foresaw_takes_nobody_with_it(worker, caplog):
    made = await worker.render([request(1), request(2, "odd"), request(3)], lambda _: None)
    assert [one.reason for one in made] == ["fake 1", UNFORESEEN, "fake 3"]
    assert "ZeroDivisionError: odd" in caplog.text


def paint(view: str) -> bytes:
    """Runs in the worker process instead of the drawing of a picture."""
    if view == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return f"{view} {os.getpid() != int(os.environ.get('BOT_PID', '0'))}".encode()


async def test_a_picture_is_drawn_elsewhere_and_may_fail(worker, monkeypatch):
    monkeypatch.setenv("BOT_PID", str(os.getpid()))
    assert await worker.draw(paint, "map") == b"map True"
    assert isinstance(await worker.draw(paint, "die"), ClipFailure)
    assert await worker.draw(paint, "again") == b"again True"


async def test_a_clip_that_hangs_is_given_up_and_waiting_is_not_counted(monkeypatch):
    monkeypatch.setattr(module, "_render", fake_render)
    worker = ProcessWorker(
        RenderSpec(generator=Recipe(loader="fake", name="fake")), workers=1, deadline=4.0
    )
    try:
        await worker.render([request(0)], lambda _: None)  # the process is up
        made = await worker.render(
            [request(1, "hang"), *(request(seed) for seed in range(2, 40))], lambda _: None
        )
    finally:
        await worker.close()
    assert made[0] == ClipFailure(reason="It took longer than 4 s.")
    assert [one.reason for one in made[1:]] == [f"fake {seed}" for seed in range(2, 40)]


async def test_who_gives_up_on_a_clip_that_hangs_costs_nobody_else_theirs(monkeypatch):
    monkeypatch.setattr(module, "_render", fake_render)
    worker = ProcessWorker(
        RenderSpec(generator=Recipe(loader="fake", name="fake")), workers=1, deadline=20.0
    )
    try:
        await worker.render([request(0)], lambda _: None)  # the process is up
        hangs = asyncio.ensure_future(worker.render([request(1, "hang")], lambda _: None))
        while not worker._making:
            await asyncio.sleep(0)
        hangs.cancel()
        made = await worker.render([request(2)], lambda _: None)
        assert made == [ClipFailure(reason="fake 2")]
        (state,) = await worker.states()
        assert (state.tally.given_up, state.making) == (1, 0)
    finally:
        await worker.close()


async def test_what_waits_when_all_is_stopped_is_told_and_starts_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "_render", until_there)
    worker = ProcessWorker(RenderSpec(), workers=2, deadline=60)
    gate = str(tmp_path / "gate")
    busy = asyncio.ensure_future(
        worker.render([request(seed, gate) for seed in range(5)], lambda _: None)
    )
    while worker._making < 2:
        await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await asyncio.gather(worker.close(), worker.close())
        assert await busy == [ClipFailure(reason=CLOSING)] * 5
        assert await worker.render([request(9)], lambda _: None) == [ClipFailure(reason=CLOSING)]
    assert worker._processes._pool is None


async def test_two_clips_that_kill_their_process_do_not_wait_for_each_other(worker):
    async with asyncio.timeout(40):
        made = await worker.render(
            [request(seed, "die" if seed % 2 else "lofi") for seed in range(6)], lambda _: None
        )
    assert [one.reason for one in made] == [
        f"fake {seed}" if seed % 2 == 0 else "Its render process died." for seed in range(6)
    ]


async def test_the_real_engine_renders_the_same_in_every_process():
    worker = ProcessWorker(RenderSpec(), workers=2)
    try:
        first, second = await worker.render([request(5), request(5)], lambda _: None)
        wav = await worker.wav(request(5))
        (state,) = await worker.states(known=True)
    finally:
        await worker.close()
    assert isinstance(first, RenderedClip)
    assert first == second
    assert isinstance(wav, bytes)
    assert wav.startswith(b"RIFF")
    assert first.generator == state.info
    assert state.readiness is Readiness.READY
    assert state.capabilities.notes
    assert (state.tally.made, state.tally.timed, state.waiting, state.making) == (2, 2, 0, 0)
    assert state.tally.mean > 0
    assert first.quality > 0.9


async def test_how_it_does_is_said_at_once_while_every_process_is_busy(monkeypatch, tmp_path):
    gate = tmp_path / "gate"
    monkeypatch.setattr(module, "_render", until_there)
    worker = ProcessWorker(RenderSpec(), workers=1, deadline=60)
    try:
        busy = asyncio.ensure_future(worker.render([request(1, str(gate))], lambda _: None))
        async with asyncio.timeout(20):
            while not worker._making:  # its only slot is taken
                await asyncio.sleep(0)
        (state,) = await worker.states()
        assert (state.readiness, state.capabilities) == (Readiness.STARTING, None)
        assert (state.info.name, state.info.version) == ("composer", "")
        assert state.info.stand_in_for, "that it stands in for something is said from the start"
        assert not busy.done()
        gate.touch()
        (known,) = await worker.states(known=True)
        assert (known.readiness, known.capabilities.notes) == (Readiness.READY, True)
        assert known.info.stand_in_for == state.info.stand_in_for
        assert (await worker.states())[0].info == known.info
        await busy
    finally:
        gate.touch()
        await worker.close()


async def test_a_generator_that_cannot_be_met_says_why():
    worker = ProcessWorker(RenderSpec(generator=Recipe(loader="none", name="none")), workers=1)
    try:
        (state,) = await worker.states(known=True)
        assert (state.readiness, state.info.stand_in_for) == (Readiness.UNABLE, "")
        assert "There is no generator 'none'" in state.reason
    finally:
        await worker.close()


async def test_render_processes_end_with_a_killed_bot(tmp_path):
    script = tmp_path / "host.py"
    script.write_text(
        textwrap.dedent("""
        import asyncio, multiprocessing
        from service.device import ProcessWorker, RenderSpec

        async def main():
            worker = ProcessWorker(RenderSpec(), workers=1)
            await worker.states(known=True)
            print(*(child.pid for child in multiprocessing.active_children()), flush=True)
            await asyncio.Event().wait()

        if __name__ == "__main__":
            asyncio.run(main())
        """)
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, str(script)], env=env, stdout=subprocess.PIPE, text=True
    ) as host:
        assert host.stdout is not None
        children = [int(pid) for pid in (await asyncio.to_thread(host.stdout.readline)).split()]
        assert children
        host.kill()
    async with asyncio.timeout(10):
        while any(alive(pid) for pid in children):
            await asyncio.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"
