from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from domain.errors import ScoringError
from scoring.features import NAMES, FeatureEncoder
from scoring.fit_space import fit, main
from scoring.space import STATISTICS, Form, TasteSpace, default_space
from scoring.taste import default_prior, predict
from tests.scoring.listeners import KINDS, Listener, learn, top
from tests.scoring.synth import Piece, play


def test_the_shipped_space_fits_the_shipped_encoder(space):
    assert space.encoder_id == FeatureEncoder.info.id
    assert space.id.startswith("features-1/")
    assert len(space.labels) == space.dimensions + 1
    assert 20 <= space.dimensions <= 96
    assert all(low and high and low != high for low, high in space.labels)
    assert default_space() is space


def test_projects_to_columns_of_sensible_size(space, bank):
    assert bank.phi.shape == (160, space.dimensions + 1)
    assert (bank.phi[:, -1] == 1).all()
    assert np.isfinite(bank.phi).all()
    # A stranger's log odds then spread by one to four: neither certain of everything nor of nothing.
    assert 1.0 < np.sqrt((bank.phi[:, :-1] ** 2).sum(axis=1).mean()) < 4.0
    extreme = space.project(np.full((1, len(NAMES)), 1e9))
    assert np.isfinite(extreme).all()


@pytest.mark.parametrize("shape", [(3, 7), (len(NAMES),), (1, 1, len(NAMES))])
def test_embeddings_of_another_encoder_are_refused(space, shape):
    with pytest.raises(ScoringError, match="encode the clips again"):
        space.project(np.zeros(shape))


def test_embeddings_that_are_not_finite_are_refused(space):
    with pytest.raises(ScoringError, match="not finite"):
        space.project(np.full((1, len(NAMES)), np.nan))


@pytest.mark.parametrize(
    "change", [{"centre": None}, {"components": [[1.0]]}, {"columns": [{"form": "cube"}]}]
)
def test_damaged_statistics_are_refused(change):
    statistics = json.loads(STATISTICS.read_text(encoding="utf-8"))
    with pytest.raises(ScoringError, match="statistics"):
        TasteSpace({**statistics, **change})
    with pytest.raises(ScoringError, match="statistics"):
        TasteSpace({})


def test_a_middle_can_be_liked(space, bank):
    """Somebody who wants 100 beats a minute, neither faster nor slower, is found out."""
    tempi = np.array([piece.tempo for piece in bank.pieces])
    listener = Listener(chance=np.where(np.abs(np.log2(tempi / 106)) < 0.2, 0.95, 0.05))
    rates = []
    for seed in range(6):
        taste = learn(
            listener, bank.phi, default_prior(space), np.random.default_rng(seed), ratings=60
        )
        rates.append(top(taste, bank.phi, listener, 20))
    assert np.mean(rates) > 2.0 * listener.chance.mean()


def test_clips_sound_like_their_kind_even_if_they_were_not_fitted_on(bank):
    seen = np.arange(len(bank.kinds)) % 16 < 8
    kinds = [kind for kind, known in zip(bank.kinds, seen, strict=True) if known]
    fitted = TasteSpace(fit(bank.embeddings[seen], FeatureEncoder(), kinds))
    columns = [i for i, c in enumerate(fitted.columns) if c.form is Form.KIND]
    assert [fitted.columns[i].name for i in columns] == sorted(KINDS)
    share = fitted.project(bank.embeddings[~seen])[:, columns]
    best = [sorted(KINDS)[place] for place in share.argmax(axis=1)]
    truth = [kind for kind, known in zip(bank.kinds, seen, strict=True) if not known]
    assert np.mean([b == t for b, t in zip(best, truth, strict=True)]) > 0.8


def test_without_kinds_components_carry_what_is_left(bank):
    fitted = TasteSpace(fit(bank.embeddings, FeatureEncoder()))
    assert fitted.project(bank.embeddings).shape[1] == fitted.dimensions + 1
    taste = default_prior(fitted)
    assert taste.space_id == fitted.id


def test_fits_from_a_folder(tmp_path):
    for number in range(20):
        folder = tmp_path / "clips" / ("one" if number % 2 else "two")
        folder.mkdir(parents=True, exist_ok=True)
        clip = play(Piece(tempo=80 + 3 * number), seed=number, seconds=1.0, rate=16000)
        soundfile.write(folder / f"{number}.wav", clip, 16000)
    out = tmp_path / "space.json"
    assert main([str(tmp_path / "clips"), "--out", str(out)]) == 0
    fitted = TasteSpace(json.loads(out.read_text(encoding="utf-8")))
    assert predict([], np.zeros((2, fitted.dimensions + 1))).liking.shape == (0, 2)


def test_too_few_clips_are_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        main([str(tmp_path)])
    assert caught.value.code == 2
    assert "20 are needed" in capsys.readouterr().err
