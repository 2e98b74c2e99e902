"""The picture of a taste: its size, what changes in it, and that no word leaves its place."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from bot.canvas import COLD, SMALLEST, WARM, Box, Canvas, blend
from bot.taste_picture import FIELD, HEIGHT, MAP, WIDTH, alt_text, draw, render
from scoring.calibration import calibration
from scoring.intervals import share
from service.taste_map import MapPoint, TasteMap


def taste_map(count: int = 60, votes: int = 20, *, seed: int = 0, **changes) -> TasteMap:
    rng = np.random.default_rng(seed)
    families = ("lofi", "drum_and_bass", "bossa", "a_family_with_a_very_long_name")
    points = tuple(
        MapPoint(
            x=float(x),
            y=float(rng.uniform(-1, 1)),
            liking=float(np.clip(0.5 - 0.45 * x, 0, 1)),
            spread=float(rng.uniform(0, 0.4)),
            rating=(1.0 if x < 0 else -1.0) if row < votes else None,
            family=families[row % len(families)],
        )
        for row, x in enumerate(rng.uniform(-1, 1, size=count))
    )
    foretold = rng.random(votes)
    values = {
        "points": points,
        "across": ("slower", "faster"),
        "upwards": ("more colourful in its notes", "simpler in its notes"),
        "evidence": votes,
        "rounds": tuple(share(int(rng.integers(5)), 4) for _ in range(votes // 4)),
        "calibration": calibration(list(foretold), list(foretold > 0.4)),
        "enough": 5,
    }
    return TasteMap(**{**values, **changes})


CASES = {
    "nothing": taste_map(0, 0),
    "prior only": taste_map(50, 0),
    "one clip": taste_map(1, 1),
    "few": taste_map(40, 5),
    "usual": taste_map(),
    "many": taste_map(300, 80),
    "long words": taste_map(
        across=("richer in chord changes " * 3, "steadier in harmony " * 3),
        upwards=("ein sehr langes Wort " * 6, "unlike drum and bass " * 5),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_no_word_leaves_its_place(name):
    canvas = draw(CASES[name])
    assert canvas.written
    for one in canvas.written:
        assert one.box.inside(one.within), one
        assert one.box.inside(canvas.box), one
        assert one.text


def test_words_on_the_map_do_not_cover_each_other():
    for name, view in CASES.items():
        boxes = [one for one in draw(view).written if one.box.inside(MAP)]
        if name == "long words":
            continue  # they are cut to the map's width, and meet
        for place, one in enumerate(boxes):
            for other in boxes[place + 1 :]:
                assert not one.box.meets(other.box), (name, one.text, other.text)


def test_the_file_is_a_small_png_of_its_size():
    data = render(CASES["many"])
    assert len(data) < 400_000
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "PNG"
        assert image.size == (WIDTH, HEIGHT)


def field(view: TasteMap) -> np.ndarray:
    image = draw(view).image()
    box = (round(FIELD.left), round(FIELD.top), round(FIELD.right), round(FIELD.bottom))
    return np.asarray(image.crop(box)).astype(int)


def warmth(pixels: np.ndarray) -> float:
    """More red than blue."""
    return float((pixels[..., 0] - pixels[..., 2]).mean())


def test_the_picture_follows_the_taste():
    view = taste_map(80, 0)
    pixels = field(view)
    middle = pixels.shape[1] // 2
    assert warmth(pixels[:, :middle]) > warmth(pixels[:, middle:])
    turned = dataclasses.replace(
        view,
        points=tuple(dataclasses.replace(one, liking=1 - one.liking) for one in view.points),
    )
    other = field(turned)
    assert warmth(other[:, :middle]) < warmth(other[:, middle:])
    assert (pixels != other).any()


def test_own_votes_are_told_apart_by_shape():
    point = MapPoint(x=0, y=0, liking=0.5, spread=0.1, rating=1.0, family="")
    plus = field(taste_map(0, 0, points=(point,)))
    minus = field(taste_map(0, 0, points=(dataclasses.replace(point, rating=-1.0),)))
    none = field(taste_map(0, 0, points=(dataclasses.replace(point, rating=None),)))
    grey = plus.mean(axis=2)
    white = (grey > 200).sum(), (minus.mean(axis=2) > 200).sum(), (none.mean(axis=2) > 200).sum()
    assert white[0] > white[1] > white[2]


def test_colours_differ_in_lightness_too():
    def lightness(colour):
        return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]

    assert lightness(WARM) - lightness(COLD) > 50
    assert blend(0.5) not in {WARM, COLD}
    assert blend(1.0) == WARM
    assert blend(0.0) == COLD


def test_a_text_shrinks_and_then_is_cut():
    canvas = Canvas(300, 80)
    within = Box(left=10, top=10, right=290, bottom=70)
    box = canvas.text(20, 60, "far too long to be written here at all " * 3, 40, within)
    assert box.inside(within)
    assert canvas.written[0].text.endswith("...")
    assert SMALLEST < 40


def test_alt_text_says_what_is_seen():
    text = alt_text(CASES["usual"])
    assert "60 clips" in text
    assert "from slower to faster" in text
    assert "20 votes" in text
    assert len(alt_text(CASES["long words"])) <= 1024
    assert "none yet" in alt_text(CASES["nothing"])
