"""The studio's HTTP API, by a client that knows nothing but HTTP."""

from __future__ import annotations

import asyncio
import io

import aiohttp
import pytest

from playground.studio_api import MOST_BODY
from service.studio import Studio, StudioLimits
from service.tasks import TaskSet
from tests.fakes import FakeClock, FakeDevice


@pytest.fixture
async def device():
    return FakeDevice()


@pytest.fixture
async def client(server, device):
    tasks = TaskSet()
    server.use_studio(Studio(device, FakeClock(), tasks, StudioLimits(waiting=5)))
    async with aiohttp.ClientSession(server.page_url) as session:
        yield session
    await tasks.close()


async def asked(client, method, path, **options):
    async with client.request(method, f"/studio/api{path}", **options) as response:
        return response.status, await response.json()


async def test_order_ask_fetch(client):
    async with client.post("/studio/api/jobs", json={"text": "jazz", "seed": 4}) as response:
        assert response.status == 202
        job = await response.json()
        assert response.headers["Location"] == f"/studio/api/jobs/{job['id']}"
    status, done = await asked(client, "GET", f"/jobs/{job['id']}?wait=5")
    assert (status, done["state"], done["seed"]) == (200, "done", 4)
    async with client.get(done["audio"]) as response:
        assert response.content_type == "audio/mpeg"
        assert len(await response.read()) > 10
    _, every = await asked(client, "GET", "/jobs")
    assert [one["id"] for one in every] == [job["id"]]


async def test_notes_can_be_fetched_when_there_is_a_clip(client, device):
    _, job = await asked(client, "POST", "/jobs", json={"text": "jazz"})
    _, done = await asked(client, "GET", f"/jobs/{job['id']}?wait=5")
    for kind, address in done["notes"].items():
        async with client.get(address) as response:
            assert response.status == 200, kind
            assert "attachment" in response.headers["Content-Disposition"]
            assert await response.read()
    device.fail = lambda _: "No."
    _, job = await asked(client, "POST", "/jobs", json={})
    await asked(client, "GET", f"/jobs/{job['id']}?wait=5")
    assert (await asked(client, "GET", f"/jobs/{job['id']}/midi"))[0] == 409
    async with client.get(f"/studio/api/jobs/{job['id']}/video") as response:
        assert response.status == 404


async def test_words_without_effect_are_named(client):
    _, job = await asked(client, "POST", "/jobs", json={"text": "jazz with zorbl"})
    assert job["ignored"] == ["zorbl"]
    _, read = await asked(client, "POST", "/read", json={"text": "jazz with zorbl"})
    assert read["ignored"] == ["zorbl"]
    assert read["facets"]["family"] == "jazz"


async def test_a_failed_job_says_failed(client, device):
    device.fail = lambda _: "The trumpet is broken."
    _, job = await asked(client, "POST", "/jobs", json={})
    _, done = await asked(client, "GET", f"/jobs/{job['id']}?wait=5")
    assert (done["state"], done["error"]) == ("failed", "The trumpet is broken.")
    status, refused = await asked(client, "GET", f"/jobs/{job['id']}/audio")
    assert status == 409
    assert "trumpet" in refused["error"]


async def test_cancel_and_the_limit(client, device):
    device.hold = asyncio.Event()
    ids = [(await asked(client, "POST", "/jobs", json={}))[1]["id"] for _ in range(7)]
    status, refused = await asked(client, "POST", "/jobs", json={})
    assert status == 429
    assert "waiting" in refused["error"]
    status, job = await asked(client, "GET", f"/jobs/{ids[0]}/audio")
    assert (status, job["error"]) == (409, "This clip is not finished yet.")
    status, job = await asked(client, "DELETE", f"/jobs/{ids[0]}")
    assert (status, job["state"]) == (200, "cancelled")
    device.hold.set()
    states = [(await asked(client, "GET", f"/jobs/{one}?wait=5"))[1]["state"] for one in ids]
    assert states == ["cancelled"] + ["done"] * 6


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({"features": {"tempo": 900}}, 422, "tempo"),
        ({"features": {"happiness": 1}}, 422, "happiness"),
        ({"features": {"energy": "loud"}}, 422, "energy"),
        ({"features": {"key": 2.5}}, 422, "key"),
        ({"seconds": 0}, 422, "seconds"),
        ({"seconds": 10_000}, 422, "seconds"),
        ({"seed": -1}, 422, "seed"),
        ({"text": "x" * 1001}, 422, "text"),
        ({"volume": 3}, 422, "volume"),
        ([], 422, "request"),
    ],
)
async def test_wrong_orders_get_a_sentence_and_no_job(client, body, status, word):
    got, answer = await asked(client, "POST", "/jobs", json=body)
    assert got == status
    assert word in answer["error"]
    assert "Traceback" not in answer["error"]
    assert (await asked(client, "GET", "/jobs"))[1] == []


async def test_what_is_no_order_at_all(client):
    json = {"Content-Type": "application/json"}
    assert (await asked(client, "POST", "/jobs", data=b"{nonsense", headers=json))[0] == 422
    assert (await asked(client, "POST", "/jobs", data=b"\xff\xfe", headers=json))[0] == 422
    assert (await asked(client, "POST", "/jobs", data=b"text=jazz"))[0] == 415
    huge = b'{"text": "' + b"x" * MOST_BODY + b'"}'
    assert (await asked(client, "POST", "/jobs", data=io.BytesIO(huge), headers=json))[0] == 413
    assert (await asked(client, "GET", "/jobs/nobody"))[0] == 404
    assert (await asked(client, "DELETE", "/jobs/nobody"))[0] == 404
    assert (await asked(client, "GET", "/jobs/nobody/audio"))[0] == 404
    assert (await asked(client, "GET", "/jobs/nobody?wait=soon"))[0] == 400


async def test_the_schema_names_everything_that_may_be_sent(client):
    _, schema = await asked(client, "GET", "/schema")
    assert set(schema["wish"]["properties"]) == {
        "text",
        "features",
        "description",
        "seconds",
        "seed",
    }
    assert set(schema["features"]) == set(schema["wish"]["$defs"]["FeaturesBody"]["properties"])
    for one in schema["features"].values():
        assert one["low"] <= one["median"] <= one["high"]


async def test_without_a_studio_it_says_so(server):
    async with aiohttp.ClientSession(server.page_url) as session:
        status, answer = await asked(session, "POST", "/jobs", json={})
        assert status == 409
        assert "without a studio" in answer["error"]
        async with session.get("/studio") as response:
            assert "<title>Tunebreeder studio" in await response.text()
