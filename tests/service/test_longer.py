"""Longer versions of clips that a model made."""

from __future__ import annotations

import dataclasses

import pytest

from domain.clip import BUILT_IN, MADE_FROM, SourceUse
from domain.errors import NotFoundError, UserError
from domain.facets import Facets
from generation.composer import account
from generation.finishing import FADE_OUT
from generation.planning.plan import make_plan
from generation.writing.arrange import arrange
from service.longer import LONGER, Longer, by_model
from service.mood import request_of
from service.mood_session import Kind, say
from service.mood_start import from_clip
from storage import runs
from tests.bot.fakes import make_clip
from tests.fakes import ABLE, FakeDevice, generator_state
from tests.service.conftest import ANN


class Library:
    """Has the audio of every clip."""

    async def audio(self, clip) -> bytes:
        return b"mp3"

    async def embedding(self, clip):
        return b"states"


def longer(*states) -> Longer:
    device = FakeDevice()
    device.generators = list(states)
    return Longer(device, Library())


def sung(**changes):
    return make_clip(generator="musicgen-small", description={"device": "cpu"}, **changes)


async def test_a_models_clip_is_gone_on_from_by_that_model_from_its_own_audio(stage):
    await stage.start()
    start = (await stage.shown())[0]
    moods = stage.services.moods
    view = await moods.open_on(ANN, start.id, Kind.LONGER)
    assert view.note == "fake goes on from the clip's own sound."
    ticket = await moods.listen(ANN, view.panel_id)
    assert (await ticket.done()).error is None
    asked = stage.device.requests[-1]
    assert asked.source.use is SourceUse.CONTINUE
    assert asked.source.audio == await stage.services.clips.audio(start)
    assert asked.source.end == start.seconds - FADE_OUT
    assert (asked.generator, asked.seconds) == (start.generator, LONGER)
    assert (asked.prompt, asked.description, asked.facets) == (start.prompt, None, None)
    made = (await moods.look(ANN, view.panel_id)).clip
    lineage = await stage.services.clips.lineage(ANN, made.id)
    assert lineage.ancestors[0].operator == "extend"
    assert lineage.ancestors[1].id == start.candidate_id
    async with stage.services.db.reading() as tx:
        run = await runs.get_run(tx, made.run_id)
    assert run.settings.generator == start.generator
    assert await moods.listen(ANN, view.panel_id) is None


async def test_what_cannot_go_on_says_so_before_a_panel_opens(stage):
    await stage.start()
    start = (await stage.shown())[0]
    stage.device.generators = [generator_state(name=BUILT_IN)]
    with pytest.raises(UserError, match="fake made that clip and does not play here any more"):
        await stage.services.moods.open_on(ANN, start.id, Kind.LONGER)
    deaf = dataclasses.replace(ABLE, sources=frozenset())
    stage.device.generators = [generator_state(capabilities=deaf)]
    with pytest.raises(UserError, match="it cannot go on from a sound"):
        await stage.services.moods.open_on(ANN, start.id, Kind.LONGER)
    assert (await stage.services.moods.open_on(ANN, start.id)).note.startswith("fake made that")


async def test_a_generator_that_left_while_the_panel_was_open_says_so_too(stage):
    await stage.start()
    view = await stage.services.moods.open_on(ANN, (await stage.shown())[0].id, Kind.LONGER)
    stage.device.generators = [generator_state(offered=False)]
    with pytest.raises(UserError, match="does not play here any more"):
        await stage.services.moods.listen(ANN, view.panel_id)


@pytest.mark.parametrize(
    ("seconds", "longest", "wanted"),
    [(8.0, 300.0, 30.0), (20.0, 300.0, 40.0), (50.0, 300.0, 60.0), (8.0, 12.0, 12.0)],
)
async def test_it_is_twice_as_long_within_what_the_model_can(seconds, longest, wanted):
    able = dataclasses.replace(ABLE, longest=longest)
    one = longer(generator_state(name="musicgen-small", capabilities=able))
    assert (await one.request(sung(seconds=seconds))).seconds == wanted


async def test_a_clip_as_long_as_can_be_is_refused_with_the_number():
    able = dataclasses.replace(ABLE, longest=30.0)
    one = longer(generator_state(name="musicgen-small", capabilities=able))
    with pytest.raises(UserError, match=r"as long as musicgen-small can make them: 30 s\."):
        await one.request(sung(seconds=30.0))


async def test_a_model_that_has_not_started_is_asked_and_says_itself_what_it_cannot_do():
    one = longer(generator_state(name="musicgen-small", capabilities=None))
    await one.check(sung())
    assert (await one.request(sung(seconds=8.0))).seconds == LONGER


async def test_audio_that_is_not_kept_cannot_be_gone_on_from(stage):
    await stage.start()
    start = (await stage.shown())[0]
    view = await stage.services.moods.open_on(ANN, start.id, Kind.LONGER)
    stage.services.moods._longer._library._store.path(start.sha256, start.extension).unlink()
    with pytest.raises(NotFoundError, match="not kept any more"):
        await stage.services.moods.listen(ANN, view.panel_id)


async def test_notes_are_played_on_by_the_composer_whatever_plays_in_the_channel():
    one = longer(generator_state(name="musicgen-small"))
    plan = make_plan(Facets(genre="swing", family="swing"), 1, 8.0)
    told = {**account(plan, arrange(plan), "none"), "family": "swing"}
    composed = make_clip(generator=BUILT_IN, description=told)
    await one.check(composed)
    assert await one.request(composed) is None
    for kind in Kind:
        session, note = from_clip(composed, kind)
        assert note == ""
        assert request_of(session, composed).generator == BUILT_IN


def test_a_mood_starts_from_what_a_models_clip_was_asked_for():
    one = dataclasses.replace(sung(), prompt="slow melancholic waltz with a cello")
    session, note = from_clip(one)
    assert note.startswith("musicgen-small made that clip as sound")
    assert session.features.tempo < 100
    assert session.features.valence < 0.5
    assert session.facets().metre == (3, 4)
    assert "cello" in session.words["instruments"]
    same, note = say(session, "qwertz")
    assert same is session
    assert note


def test_a_continuation_can_be_gone_on_from_again():
    assert by_model(sung())
    assert by_model(make_clip(generator="musicgen-small", description={MADE_FROM: "continue"}))
    older = make_clip(generator=BUILT_IN, description={})
    assert not by_model(older)
    session, _ = from_clip(older, Kind.LONGER)
    assert request_of(session, older).generator == BUILT_IN
