import dataclasses
import os
import shutil
import struct

import numpy as np
import pytest

from domain.errors import GenerationError
from generation.generator import Note, Part
from generation.sounding.renderers import NumpyRenderer
from generation.sounding.soundfont import SoundFont, default_soundfont, preset_numbers
from generation.sounding.soundfonts import choose, describe, find, folders, probe

RATE = 44_100
PROGRAMS = (0, 24, 33, 48, 56, 73)


def chunk(name, data):
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)


def listed(name, *chunks):
    return chunk(b"LIST", name + b"".join(chunks))


def tiny(path, *, cents=0, programs=PROGRAMS, drums=True, drum_is_tone=False):
    """Write a SoundFont of one looped tone at A4 and one burst of noise."""
    time = np.arange(4410) / RATE
    tone = 0.5 * np.sin(2 * np.pi * 440 * 2 ** (cents / 1200) * time)
    noise = 0.5 * np.random.default_rng(1).uniform(-1, 1, 4410)
    period = RATE / 440 / 2 ** (cents / 1200)
    loop = (round(10 * period), round(40 * period))
    # The loop's length in samples need not be whole periods to a cent, so it is long.
    data = np.concatenate([tone, np.zeros(46), noise, np.zeros(46)])
    samples = (data * 32_767).astype("<i2").tobytes()
    headers = b"".join(
        struct.pack(
            "<20sIIIIIBbHH", name, start, start + 4410, start + a, start + b, RATE, 69, 0, 0, 1
        )
        for name, start, (a, b) in ((b"tone", 0, loop), (b"noise", 4456, (8, 4400)))
    ) + struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)
    presets = [(0, program, 0) for program in programs]
    presets += [(128, 0, 0 if drum_is_tone else 1)] if drums else []
    phdr = b"".join(
        struct.pack("<20sHHHIII", b"p", program, bank, index, 0, 0, 0)
        for index, (bank, program, _) in enumerate(presets)
    ) + struct.pack("<20sHHHIII", b"EOP", 0, 0, len(presets), 0, 0, 0)
    pbag = b"".join(struct.pack("<HH", i, 0) for i in range(len(presets) + 1))
    pgen = b"".join(struct.pack("<Hh", 41, which) for _, _, which in presets)
    inst = (
        struct.pack("<20sH", b"tone", 0)
        + struct.pack("<20sH", b"noise", 1)
        + struct.pack("<20sH", b"EOI", 2)
    )
    ibag = b"".join(struct.pack("<HH", gen, 0) for gen in (0, 2, 4))
    igen = b"".join(struct.pack("<Hh", *pair) for pair in ((54, 1), (53, 0), (56, 100), (53, 1)))
    body = (
        listed(b"INFO", chunk(b"ifil", struct.pack("<HH", 2, 4)))
        + listed(b"sdta", chunk(b"smpl", samples))
        + listed(
            b"pdta",
            *(chunk(n, d) for n, d in (
                (b"phdr", phdr), (b"pbag", pbag), (b"pmod", b"\0" * 10), (b"pgen", pgen + b"\0" * 4),
                (b"inst", inst), (b"ibag", ibag), (b"imod", b"\0" * 10), (b"igen", igen + b"\0" * 4),
                (b"shdr", headers),
            )),
        )
    )  # fmt: skip
    path.write_bytes(chunk(b"RIFF", b"sfbk" + body))
    return path


def test_a_good_font_passes_and_is_used(tmp_path):
    path = tiny(tmp_path / "GeneralUser-GS.sf2")
    choice = choose("numpy", str(path))
    assert choice.font.path == path
    assert choice.probe.faults == ()
    assert all(abs(cents) < 5 for cents in choice.probe.cents.values())
    assert choice.details["soundfont"] == "GeneralUser-GS.sf2"
    assert "GeneralUser" in choice.licence


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"cents": 40}, "out of tune"),
        ({"programs": (0, 24)}, "no bass, strings, trumpet, flute"),
        ({"drums": False}, "no drums"),
        ({"drum_is_tone": True}, "piano"),
    ],
)
def test_a_bad_font_is_refused_with_the_reason(tmp_path, wrong, said):
    path = tiny(tmp_path / "FluidR3_GM.sf2", **wrong)
    with pytest.raises(GenerationError, match=said):
        choose("numpy", str(path))
    choice = choose("numpy", str(tmp_path))
    assert choice.font.path.name == "TimGM6mb.sf2"
    assert any(font.path == path and said in why for font, why in choice.rejected)


def test_the_best_known_font_comes_first(tmp_path):
    for name in ("zebra.sf2", "FluidR3_GM.sf2", "MuseScore_General.sf2"):
        tiny(tmp_path / name)
    choice = choose("numpy", str(tmp_path))
    assert choice.font.title == "MuseScore General"
    reasons = {font.path.name: why for font, why in choice.rejected}
    assert "first" in reasons["FluidR3_GM.sf2"]
    assert set(reasons) == {"zebra.sf2", "FluidR3_GM.sf2", "TimGM6mb.sf2"}


def test_an_unknown_font_plays_only_when_it_is_named(tmp_path):
    path = tiny(tmp_path / "zebra.sf2")
    choice = choose("numpy", str(tmp_path))
    assert choice.font.path.name == "TimGM6mb.sf2"
    assert "set soundfont" in {f.path: why for f, why in choice.rejected}[path]
    assert choose("numpy", str(path)).licence == "MIT (composer), zebra.sf2 under its own licence"


def test_a_compressed_font_needs_a_player_that_reads_it(tmp_path):
    path = tiny(tmp_path / "MuseScore_General.sf3")
    with pytest.raises(GenerationError, match="compressed"):
        choose("numpy", str(path))


def test_standard_folders_are_searched(tmp_path):
    shared = tmp_path / "share" / "sounds" / "sf2"
    shared.mkdir(parents=True)
    path = tiny(shared / "FluidR3_GM.sf2")
    (shared / "default-GM.sf2").symlink_to(path)
    environ = {"XDG_DATA_DIRS": str(tmp_path / "share"), "XDG_DATA_HOME": str(tmp_path)}
    assert shared in folders(environ)
    assert [font.path.name for font in find("", environ)] == ["FluidR3_GM.sf2", "TimGM6mb.sf2"]
    assert len(find("", {"HOME": str(tmp_path), "XDG_DATA_DIRS": "/nonexistent"})) == 1


def test_the_bundled_font_is_found_once(tmp_path):
    shutil.copy(default_soundfont(), tmp_path / "TimGM6mb.sf2")
    assert len(find(str(tmp_path))) == 1


def test_what_is_not_a_font_is_one_sentence(tmp_path):
    (tmp_path / "FluidR3.sf2").write_bytes(os.urandom(3000))
    (tmp_path / "MuseScore_General.sf2").write_bytes(
        b"RIFF\xff\xff\xff\xffsfbk" + b"phdr\xff\xff\xff\x7f"
    )
    choice = choose("numpy", str(tmp_path))
    assert choice.font.title == "TimGM6mb"
    assert len(choice.rejected) == 2
    with pytest.raises(GenerationError, match="There is no SoundFont"):
        find(str(tmp_path / "absent.sf2"))
    with pytest.raises(GenerationError, match="not an SF2"):
        preset_numbers(tmp_path / "FluidR3.sf2")


def test_the_bundled_font_passes_the_probe():
    heard = probe(NumpyRenderer(default_soundfont()))
    assert heard.faults == ()
    assert heard.softer > 6


def test_names_are_known_whatever_their_marks():
    assert describe(default_soundfont()).licence == "GPL-2.0"
    assert describe(default_soundfont().with_name("generaluser_gs v1.471.sf2")).known
    font = describe(default_soundfont().with_name("Piano.sf2"))
    assert not font.known
    assert dataclasses.asdict(font)["title"] == "Piano"


def test_a_tiny_font_s_loop_lasts_as_long_as_its_note(tmp_path):
    path = tiny(tmp_path / "t.sf2")
    note = Note(start=0.0, seconds=2.0, pitch=69, velocity=100)
    part = Part(role="lead", patch="flute", program=73, percussion=False, notes=(note,))
    stem = NumpyRenderer(path).play(part, 3 * RATE)
    assert np.abs(stem[0, RATE : 2 * RATE - 2000]).max() > 0.1
    assert np.abs(stem[0, int(2.4 * RATE) :]).max() < 1e-3
    assert SoundFont(path).zones(0, 99)
