"""Shows what the composer sounds like: for each family a clip, its piano roll and its spectrogram, on one page.

``python bot.py bench sound`` writes docs/sound.md and docs/sound/ anew.
"""

from __future__ import annotations

import asyncio
import io
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.composer_part import Studio
from bench.listening_picture import Canvas, spectrum_shades, ticks
from bench.report import Bar, Report
from domain.facets import FAMILIES
from generation.audio import Audio
from generation.encode import LABEL
from generation.generator import Composition, Score
from prompts.reader import read
from prompts.vocabulary import shipped

PAGE = Path(__file__).parents[1] / "docs" / "sound.md"
SECONDS, SEED = 8.0, 3
WIDTH, LEFT, RIGHT, TOP = 560, 34, 6, 28
ROLL, DRUMS, SPECTRUM = 116, 30, 96
LOWEST, HIGHEST = 28, 100
"""MIDI keys of the piano roll, E1 to E7."""
SPAN = (50.0, 16_000.0)
PICTURE_LIMIT, SOUND_LIMIT, PICTURES_LIMIT = 40_000, 70_000, 2_500_000
LEVELS = (0.93, 0.95, 0.97)
"""libsndfile's compression levels for Opus, about 60 kbit/s and less in stereo, tried until a file is small enough."""
KICKS, SNARES = {35, 36}, {37, 38, 39, 40}


HEAD = """# How it sounds

One clip of {seconds:.0f} seconds for each of the {count} genre families, made by the built-in composer (version
{version}) from the plainest prompt that names the family, seed {seed}. `python bot.py bench sound` writes this page
anew.

Each picture shows above who plays what: keys from E1 to E7, one colour for each role, chords on the bar lines, drums in
three lanes (cymbals and hand percussion, snare, kick; taller is louder). Below, on the same time axis, is what sounds,
from 50 Hz to 16 kHz; black is 70 dB below the loudest.

{links}

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One family on the page."""

    family: str
    prompt: str
    made: Composition

    @property
    def picture(self) -> bytes:
        """The PNG file."""
        return draw(self.made)

    @property
    def sound(self) -> bytes:
        """The Opus file."""
        return opus(self.made.audio, f"{self.prompt} ({self.family})")


async def measure(*, quick: bool = False) -> Report:
    """Write the page; ``quick`` leaves out nothing, the page is small."""
    del quick
    return write_page(PAGE)


def write_page(page: Path, families: tuple[str, ...] = FAMILIES) -> Report:
    """Write the page and its files, and return what they weigh.

    Args:
        page: The Markdown file; pictures and sounds go into a folder of its name beside it.
        families: Which to show, in order.
    """
    studio, folder = Studio(), page.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    report = Report(
        name="sound: a page of every family", header=["family", "picture kB", "sound kB"]
    )
    sections, pictures, heaviest = [], 0, [0, 0]
    for family in families:
        exhibit = show(studio, family)
        picture, sound = exhibit.picture, exhibit.sound
        (folder / f"{family}.png").write_bytes(picture)
        (folder / f"{family}.opus").write_bytes(sound)
        sections.append(_section(exhibit, folder.name))
        pictures += len(picture)
        heaviest = [max(heaviest[0], len(picture)), max(heaviest[1], len(sound))]
        report.rows.append([family, f"{len(picture) / 1000:.0f}", f"{len(sound) / 1000:.0f}"])
    page.write_text(_head(studio, families) + "\n".join(sections), encoding="utf-8")
    for name, value, limit in (
        ("heaviest picture", heaviest[0], PICTURE_LIMIT),
        ("heaviest sound", heaviest[1], SOUND_LIMIT),
        ("all pictures", pictures, PICTURES_LIMIT),
    ):
        report.bars.append(
            Bar(
                name=name,
                value=f"{value / 1000:.0f} kB",
                asked=f"<= {limit / 1000:.0f} kB",
                met=value <= limit,
            )
        )
    return report


def show(studio: Studio, family: str) -> Exhibit:
    """Make the clip of a family from the plainest prompt that names it."""
    vocabulary = shipped()
    names = [family.replace("_", " "), *(genre.name for genre in vocabulary.genres_of(family))]
    prompt = next(name for name in names if read(name, vocabulary).family == family)
    made = studio.make(read(prompt, vocabulary), SEED, SECONDS)
    return Exhibit(family=family, prompt=prompt, made=made)


def opus(audio: Audio, title: str) -> bytes:
    """Return an Opus file in stereo that is small enough for the page."""
    import soundfile  # noqa: PLC0415  # slow to import
    from scipy.signal import resample_poly  # noqa: PLC0415

    samples = resample_poly(audio.samples, 480, 441, axis=0).clip(-1, 1)
    data = b""
    for level in LEVELS:
        buffer = io.BytesIO()
        with soundfile.SoundFile(
            buffer,
            "w",
            48_000,
            audio.channels,
            format="OGG",
            subtype="OPUS",
            compression_level=level,
        ) as file:
            file.title, file.comment = title, LABEL
            file.write(samples)
        data = buffer.getvalue()
        if len(data) <= SOUND_LIMIT:
            break
    return data


def draw(made: Composition) -> bytes:
    """Return a picture of a clip: who plays what above, what sounds below."""
    score = made.notes
    if score is None:
        raise RuntimeError("The composer gave no score.")
    inner = WIDTH - LEFT - RIGHT
    height = TOP + ROLL + DRUMS + 8 + SPECTRUM + 14
    canvas = Canvas(WIDTH, height)
    _draw_bars(canvas, made, score, inner)
    _draw_notes(canvas, score, inner)
    below = TOP + ROLL + DRUMS + 8
    shades = spectrum_shades(made.audio.samples, made.audio.sample_rate, (inner, SPECTRUM), SPAN)
    canvas.paste(shades, (LEFT, below))
    for hertz, place in ticks(*SPAN, (100.0, 1000.0, 10_000.0)):
        name = f"{hertz / 1000:.0f}K" if hertz >= 1000 else f"{hertz:.0f}"
        y = below + round((1 - place) * SPECTRUM)
        canvas.write(name, (LEFT - 3 - 8 * len(name), y - 5), big=True)
        canvas.box((LEFT - 3, y), (3, 1), "black")
    for second in range(int(score.seconds) + 1):
        x = LEFT + round(second / score.seconds * (inner - 1))
        canvas.box((x, below + SPECTRUM), (1, 3), "black")
        canvas.write(f"{second}S", (min(x - 4, WIDTH - 16), below + SPECTRUM + 4), big=False)
    return canvas.png()


def _draw_bars(canvas: Canvas, made: Composition, score: Score, inner: int) -> None:
    """Octaves, bar lines with their chords, and who has which colour."""
    place = LEFT
    for role in dict.fromkeys(part.role for part in score.parts):
        canvas.box((place, 2), (7, 7), role)
        place = canvas.write(role.upper(), (place + 10, 3)) + 8
    for key in range(36, HIGHEST, 12):
        y = _row(key)
        canvas.box((LEFT, y), (inner, 1), "pale")
        canvas.write(f"C{key // 12 - 1}", (LEFT - 18, y - 5), big=True)
    canvas.write("DR", (LEFT - 18, TOP + ROLL + 8), big=True)
    beats, value = score.metre
    bar_seconds = beats * 4 / value * 60 / score.quarter_bpm
    chords = made.description["chords"]
    for number, names in enumerate(chords):
        start = score.downbeat + number * bar_seconds
        x = LEFT + round(max(0.0, start) / score.seconds * inner)
        if start > -bar_seconds and x < WIDTH - RIGHT:
            canvas.box((x, TOP - 13), (1, ROLL + DRUMS + 13), "grey")
            end = min(start + bar_seconds, score.seconds)
            room = round((end - max(0.0, start)) / score.seconds * inner) - 6
            text = " ".join(dict.fromkeys(names))
            big = 9 * len(text) <= room
            canvas.write(text[: max(0, room // (9 if big else 5))], (x + 3, TOP - 13), big=big)


def _row(key: float) -> int:
    return TOP + round((HIGHEST - key) / (HIGHEST - LOWEST) * ROLL)


def _draw_notes(canvas: Canvas, score: Score, inner: int) -> None:
    order = {"pad": 0, "chords": 1, "bass": 2, "counter": 3, "lead": 4, "drums": 5}
    for part in sorted(score.parts, key=lambda one: order[one.role]):
        for note in part.notes:
            x = LEFT + round(note.start / score.seconds * inner)
            if x >= WIDTH - RIGHT:
                continue
            if part.percussion:
                lane = 2 if note.pitch in KICKS else 1 if note.pitch in SNARES else 0
                tall = 2 + round(5 * note.velocity / 127)
                canvas.box((x, TOP + ROLL + 10 * lane + 9 - tall), (2, tall), "drums")
            else:
                wide = max(2, round(note.seconds / score.seconds * inner) - 1)
                wide = min(wide, WIDTH - RIGHT - x)
                canvas.box((x, _row(note.pitch) - 1), (wide, 2), part.role)


def _head(studio: Studio, families: tuple[str, ...]) -> str:
    links = ", ".join(f"[{name.replace('_', ' ')}](#{_anchor(name)})" for name in families)
    return HEAD.format(
        seconds=SECONDS,
        count=len(families),
        version=studio.composer.info.version,
        seed=SEED,
        links=links,
    )


def _anchor(family: str) -> str:
    return family.replace("_", "-")


def _section(exhibit: Exhibit, folder: str) -> str:
    said = exhibit.made.description
    players = "; ".join(
        f"{role} {', '.join(name.replace('_', ' ') for name in dict.fromkeys(names))}"
        for role, names in said["instruments"].items()
    )
    chords = " | ".join(" ".join(names) or "-" for names in said["chords"])
    metre = f"{said['metre'][0]}/{said['metre'][1]}"
    name = exhibit.family.replace("_", " ")
    key = f"{said['tonic']} {said['mode'].replace('_', ' ')}"
    listen = f"[Listen]({folder}/{exhibit.family}.opus)"
    line = f"{listen} · prompt: `{exhibit.prompt}` · {said['tempo']:g} bpm, {metre}, {key}"
    return "\n".join(
        [
            f"## {name}",
            "",
            f"![Piano roll and spectrogram of {name}]({folder}/{exhibit.family}.png)",
            "",
            line,
            "",
            f"- players: {players}",
            f"- chords: {chords}",
            "",
        ]
    )


if __name__ == "__main__":
    print(asyncio.run(measure()).text())
    sys.exit(0)
