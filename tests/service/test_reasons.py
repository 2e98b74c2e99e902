"""The votes behind a reason, and the map of a taste."""

from __future__ import annotations

import numpy as np
import pytest

from domain.vote import Consent, Grade
from scoring.space import Form, default_space
from scoring.taste import Rated, default_prior, fit, newcomer
from service.evidence import Evidence
from service.reasons import reasons_behind
from service.taste_map import axes
from tests.service.conftest import ANN, BOB
from tests.service.test_proof import play

SPACE = default_space()


def column(name: str) -> int:
    return next(
        index
        for index, one in enumerate(SPACE.columns)
        if one.name == name and one.form is Form.LINEAR
    )


def clips(count: int, seed: int = 0):
    """Clips that differ in tempo and width alone."""
    phi = np.zeros((count, SPACE.dimensions + 1))
    phi[:, -1] = 1.0
    rng = np.random.default_rng(seed)
    for name in ("tempo", "width"):
        phi[:, column(name)] = SPACE.columns[column(name)].weight * rng.normal(size=count)
    return phi


def slow_lover(count: int = 12) -> Evidence:
    phi = clips(count)
    rated = [
        Rated(clip=row, rating=1.0 if phi[row, column("tempo")] < 0 else -1.0, age=row)
        for row in range(count)
    ]
    return Evidence(phi=phi, rated=rated, pairs=())


def test_the_votes_that_made_a_taste_are_found():
    said = slow_lover()
    slow = said.phi[int(said.phi[:, column("tempo")].argmin())]
    found = reasons_behind(said, default_prior(SPACE), SPACE, slow)
    best = found[0]
    assert best.reason.label == "tempo"
    assert best.reason.contribution > 0
    tempo = said.phi[:, column("tempo")]
    assert all(tempo[row] < np.median(tempo) for row in best.alike)
    assert 1 <= len(best.alike) <= 4
    # A vote that made slow music liked: love for a slow clip or dislike of a fast one.
    assert len(best.movers) == 2
    fast = said.phi[int(tempo.argmax())]
    against = reasons_behind(said, default_prior(SPACE), SPACE, fast)
    assert {one.reason.label: one.reason.contribution < 0 for one in against}["tempo"]


def test_a_vote_that_contradicts_is_no_reason():
    said = slow_lover()
    tempo = said.phi[:, column("tempo")]
    odd = int(tempo.argmin())
    said = Evidence(
        phi=said.phi,
        rated=[
            one if one.clip != odd else Rated(clip=odd, rating=-1.0, age=odd) for one in said.rated
        ],
        pairs=(),
    )
    slow = said.phi[int(np.argsort(tempo)[1])]
    for one in reasons_behind(said, default_prior(SPACE), SPACE, slow):
        if one.reason.label == "tempo" and one.reason.contribution > 0:
            assert odd not in one.movers
            return
    pytest.fail("Slow music is still liked on the whole.")


def test_the_axes_are_what_the_listener_cares_about():
    said = slow_lover(40)
    taste = fit(default_prior(SPACE), said.phi, said.rated)
    assert axes(taste, SPACE, said.phi)[0] == column("tempo")
    stranger = newcomer(default_prior(SPACE))
    usual = {SPACE.columns[index].name for index in axes(stranger, SPACE, said.phi)}
    assert usual == {"tempo", "brightness"}
    wide = [
        Rated(clip=one.clip, rating=1.0 if said.phi[one.clip, column("width")] > 0 else -1.0)
        for one in said.rated
    ]
    assert axes(fit(default_prior(SPACE), said.phi, wide), SPACE, said.phi)[0] == column("width")


async def test_why_names_votes_for_and_against(stage):
    await play(stage, 3)
    clip = (await stage.shown(3))[0]
    view = await stage.services.clips.why(ANN, clip.id)
    assert view.reasons
    assert any(one.alike for one in view.reasons)
    assert all(0 <= one.liked <= one.alike for one in view.reasons)
    assert any(one.moved for one in view.reasons)
    strengths = [one.strength for one in view.reasons]
    assert strengths == sorted(strengths, key=lambda one: (one < 0, -abs(one)))
    assert (await stage.services.clips.why(BOB, clip.id)).reasons == ()


async def test_a_map_needs_consent_and_a_vote(stage):
    await stage.services.listeners.set_consent(ANN, Consent.TASTE)
    assert await stage.services.listeners.taste_map(ANN) is None
    await play(stage, 2, who=(ANN, BOB))
    assert await stage.services.listeners.taste_map(BOB) is None
    view = await stage.services.listeners.taste_map(ANN)
    assert len(view.points) == 8
    assert (view.evidence, view.liked, view.disliked) == (8, 4, 4)
    assert [one.value for one in view.rounds] == [0.5, 0.5]
    assert view.calibration.error.count == 4
    assert all(-1 <= point.x <= 1 and -1 <= point.y <= 1 for point in view.points)


async def test_a_clip_that_came_back_is_one_point(stage):
    await stage.services.listeners.set_consent(ANN, Consent.TASTE)
    await play(stage, 4)
    view = await stage.services.listeners.taste_map(ANN)
    assert len(view.points) == 15
    assert view.evidence == 15
    await stage.rate(ANN, 1, Grade.LOVE)
