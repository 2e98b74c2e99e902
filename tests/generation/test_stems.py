import io
import zipfile

import mido
import numpy as np
import pytest

from domain.errors import GenerationError
from domain.facets import Facets
from generation.encode import decode
from generation.planning.plan import make_plan
from generation.sounding.mix import Bus, route, side
from generation.sounding.renderers import kick_notes
from generation.sounding.sound import rendered
from generation.sounding.stems import stems, stems_zip
from generation.writing.arrange import arrange


@pytest.fixture(scope="module", params=["reggae", "techno"])
def piece(request):
    plan = make_plan(Facets(family=request.param), 5, 5.0)
    return plan, arrange(plan)


@pytest.fixture(scope="module")
def renderer(composer):
    return composer._renderer


def bus(plan, score, renderer):
    """The mix as it enters the bus, made as ``mix`` makes it."""
    out, seen = None, []
    for stem in rendered(plan, score, renderer):
        out = out or Bus(plan, stem.samples.shape[1])
        route(plan, stem, kick_notes(score.parts), out, side(stem.role, seen))
        seen.append(stem.role)
    return out.finish()


def test_the_parts_add_up_to_the_mix(piece, renderer):
    whole = bus(*piece, renderer)
    total = sum(samples for _, samples in stems(*piece, renderer))
    assert np.sqrt(np.mean((total - whole) ** 2)) < 1e-3 * np.sqrt(np.mean(whole**2))


def test_the_zip_holds_every_part_and_the_notes(piece, renderer):
    plan, score = piece
    data = stems_zip(plan, score, renderer)
    assert data == stems_zip(plan, score, renderer)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        assert len([n for n in names if n.endswith(".flac")]) == len(score.parts)
        for number, part in enumerate(score.parts, start=1):
            assert f"{number:02d}-{part.role}-{part.patch}.flac" in names
        clips = [decode(archive.read(n)).samples for n in names if n.endswith(".flac")]
        midi = mido.MidiFile(file=io.BytesIO(archive.read("score.mid")))
        assert "before the bus" in archive.read("README.txt").decode()
    assert len(midi.tracks) == len(score.parts) + 1
    whole = bus(plan, score, renderer)
    total = sum(clips).T
    assert 0.5 < np.abs(total).max() < 0.9
    gain = (total * whole).sum() / (whole**2).sum()
    assert np.sqrt(np.mean((total - gain * whole) ** 2)) < 1e-3 * np.sqrt(np.mean(total**2))


def test_stems_are_lossless_or_refused(piece, renderer):
    with pytest.raises(GenerationError, match="flac"):
        stems_zip(*piece, renderer, extension="mp3")
