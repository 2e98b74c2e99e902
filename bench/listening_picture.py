"""Small pictures of music without a drawing library: a canvas of palette colours, tiny letters, and a PNG writer."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.listening import Floats, heard_at, spectrogram

Pixels = NDArray[np.uint8]

GLYPHS = {
    "A": "25755", "B": "65656", "C": "34443", "D": "65556", "E": "74647", "F": "74644", "G": "34553", "H": "55755",
    "I": "72227", "J": "11152", "K": "55655", "L": "44447", "M": "57755", "N": "65555", "O": "25552", "P": "65644",
    "Q": "25563", "R": "65655", "S": "34216", "T": "72222", "U": "55557", "V": "55552", "W": "55775", "X": "55255",
    "Y": "55222", "Z": "71247", "0": "75557", "1": "26227", "2": "71747", "3": "71717", "4": "55711", "5": "74717",
    "m": "07755", "a": "03553", "j": "10152", "d": "11353", "i": "20222", "b": "44656", "s": "03636", "u": "05553",
    "g": "03536", "6": "74757", "7": "71222", "8": "75757", "9": "75717", ".": "00002", ":": "02020",
    "-": "00700", "/": "11244", ",": "00024", "(": "12221", ")": "42224", "+": "02720", " ": "00000",
}  # fmt: skip
"""Letters of three by five dots: a row is an octal digit."""
SHARP = (0b01010, 0b11111, 0b01010, 0b11111, 0b01010)
"""The one sign that needs five dots to be told from an H."""

SCALE = (
    (13, 8, 35),
    (60, 15, 90),
    (130, 30, 100),
    (200, 65, 70),
    (245, 135, 35),
    (250, 215, 90),
    (252, 252, 215),
)
"""Colours from quiet to loud."""
SHADES = 28
INKS = {
    "white": (255, 255, 255),
    "black": (25, 25, 30),
    "grey": (150, 150, 158),
    "pale": (226, 226, 232),
    "drums": (110, 110, 120),
    "bass": (32, 95, 170),
    "chords": (52, 150, 90),
    "pad": (150, 190, 150),
    "lead": (205, 60, 50),
    "counter": (225, 145, 35),
}
"""Colours by name, after the shades in the palette."""


def palette() -> Pixels:
    """Return all colours (n, 3)."""
    places = np.linspace(0, len(SCALE) - 1, SHADES)
    shades = np.stack(
        [np.interp(places, range(len(SCALE)), [c[part] for c in SCALE]) for part in range(3)],
        axis=1,
    )
    return np.vstack([shades.round(), list(INKS.values())]).astype(np.uint8)


def ink(name: str) -> int:
    """Return the index of a colour."""
    return SHADES + list(INKS).index(name)


class Canvas:
    """An image of palette colours, white to begin with.

    Attributes:
        pixels: Shape (height, width).
    """

    def __init__(self, width: int, height: int) -> None:
        self.pixels: Pixels = np.full((height, width), ink("white"), dtype=np.uint8)

    def box(self, corner: tuple[int, int], size: tuple[int, int], colour: str) -> None:
        """Fill a rectangle: left and top, width and height."""
        (left, top), (width, height) = corner, size
        self.pixels[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)] = ink(
            colour
        )

    def write(
        self, text: str, corner: tuple[int, int], colour: str = "black", *, big: bool = False
    ) -> int:
        """Write from the left top corner, in capitals where there is no small letter. Returns where it ends."""
        left, top = corner
        size = 2 if big else 1
        for letter in text:
            rows, wide = _rows(letter)
            for down, row in enumerate(rows):
                for across in range(wide):
                    if row >> (wide - 1 - across) & 1:
                        self.box((left + across * size, top + down * size), (size, size), colour)
            left += (wide + 1) * size
        return left

    def paste(self, shades: NDArray[np.floating], corner: tuple[int, int]) -> None:
        """Draw values in [0, 1] (height, width) as shades."""
        left, top = corner
        height, width = shades.shape
        self.pixels[top : top + height, left : left + width] = (
            np.clip(shades, 0, 1) * (SHADES - 1)
        ).astype(np.uint8)

    def png(self) -> bytes:
        """Return it as a PNG file of palette colours."""
        height, width = self.pixels.shape
        rows = np.hstack([np.zeros((height, 1), dtype=np.uint8), self.pixels])
        return b"".join(
            [
                b"\x89PNG\r\n\x1a\n",
                _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
                _chunk(b"PLTE", palette().tobytes()),
                _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
                _chunk(b"IEND", b""),
            ]
        )


def _rows(letter: str) -> tuple[tuple[int, ...], int]:
    """Return the rows of a letter as bits, and how wide it is."""
    if letter == "#":
        return SHARP, 5
    octal = GLYPHS.get(letter, GLYPHS.get(letter.upper(), "00000"))
    return tuple(map(int, octal)), 3


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def spectrum_shades(
    samples: Floats, sample_rate: int, size: tuple[int, int], span: tuple[float, float]
) -> NDArray[np.float64]:
    """Return levels of a clip as shades (height, width), from 0 (70 dB below the loudest) to 1.

    Args:
        samples: Shape (frames,) or (frames, channels).
        sample_rate: In Hz.
        size: Width and height.
        span: Lowest and highest frequency in Hz, on a logarithmic scale, lowest at the bottom.
    """
    width, height = size
    window, rate = 4096, 44_100
    mono = heard_at(samples, sample_rate, rate)
    hop = max(1, (len(mono) - window) // max(1, width - 1))
    magnitude = spectrogram(mono, window, hop)[:width]
    pitch = np.fft.rfftfreq(window, 1 / rate)
    edges = np.geomspace(span[0], span[1], height + 1)
    rows = []
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        inside = (pitch >= low) & (pitch < high)
        if inside.any():
            rows.append(magnitude[:, inside].max(axis=1))
        else:
            middle = float(np.sqrt(low * high))
            rows.append([float(np.interp(middle, pitch, frame)) for frame in magnitude])
    level = 20 * np.log10(np.stack(rows) + 1e-7)
    shades = (level - level.max() + 70) / 70
    out = np.zeros((height, width))
    out[:, : shades.shape[1]] = shades[::-1]
    return out


def ticks(low: float, high: float, values: Sequence[float]) -> list[tuple[float, float]]:
    """Return values within a span, each with its place in [0, 1] on a logarithmic scale."""
    return [(v, float(np.log(v / low) / np.log(high / low))) for v in values if low <= v <= high]
