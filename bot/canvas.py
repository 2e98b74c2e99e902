"""A dark canvas for pictures in Discord: panels, texts that never leave their box, marks that need no colour.

Everything is drawn twice as large and scaled down, so that edges are smooth. Pillow is loaded with the first picture.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

SCALE = 2
Colour = tuple[int, int, int]
GROUND, PANEL, LINE = (43, 45, 49), (30, 31, 34), (63, 65, 71)
SHADE = (20, 21, 24)
INK, QUIET = (242, 243, 245), (163, 166, 173)
COLD, MIDDLE, WARM = (64, 132, 224), (112, 117, 128), (255, 176, 32)
"""Blue to amber: apart in lightness and hue, so that no kind of colour blindness takes the difference away."""
SMALLEST = 18
"""Pixels of the smallest type: below it nothing can be read on a phone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def inside(self, other: Box) -> bool:
        """Tell whether this lies within another."""
        return (
            self.left >= other.left
            and self.top >= other.top
            and self.right <= other.right
            and self.bottom <= other.bottom
        )

    def meets(self, other: Box) -> bool:
        """Tell whether the two overlap."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A text as it was drawn, and the box it had to stay in."""

    text: str
    box: Box
    within: Box


def blend(value: float) -> Colour:
    """Return the colour of a liking in [0, 1]: cold below a half, warm above."""
    share = min(1.0, abs(2.0 * value - 1.0) * 1.3)
    end = WARM if value >= 0.5 else COLD
    red, green, blue = (round(a + share * (b - a)) for a, b in zip(MIDDLE, end, strict=True))
    return red, green, blue


class Canvas:
    """A picture in the making. ``written`` lists its texts, for whoever checks that none is cut."""

    def __init__(self, width: int, height: int) -> None:
        from PIL import Image, ImageDraw  # noqa: PLC0415 - only when a picture is drawn

        self.box = Box(left=0, top=0, right=width, bottom=height)
        self.written: list[Written] = []
        self._image: Image.Image = Image.new("RGB", (width * SCALE, height * SCALE), GROUND)
        self._draw: ImageDraw.ImageDraw = ImageDraw.Draw(self._image, "RGBA")
        self._fonts: dict[int, ImageFont.FreeTypeFont | ImageFont.ImageFont] = {}

    def panel(self, box: Box) -> None:
        """Draw a rounded ground for a part of the picture."""
        self._draw.rounded_rectangle(_scaled(box), radius=18 * SCALE, fill=PANEL)

    def rectangle(self, box: Box, colour: Colour, alpha: int = 255) -> None:
        """Fill a rectangle."""
        self._draw.rectangle(_scaled(box), fill=(*colour, alpha))

    def line(self, x: float, y: float, to_x: float, to_y: float, **style: object) -> None:
        """Draw a straight line; ``colour`` and ``width`` in pixels may be given."""
        colour, width = style.get("colour", LINE), style.get("width", 2.0)
        points = [x * SCALE, y * SCALE, to_x * SCALE, to_y * SCALE]
        self._draw.line(points, fill=colour, width=round(float(width) * SCALE))  # type: ignore[arg-type]

    def disc(self, x: float, y: float, radius: float, colour: Colour, alpha: int = 255) -> None:
        """Fill a circle."""
        box = Box(left=x - radius, top=y - radius, right=x + radius, bottom=y + radius)
        self._draw.ellipse(_scaled(box), fill=(*colour, alpha))

    def ring(self, x: float, y: float, radius: float, colour: Colour, width: float = 3.0) -> None:
        """Draw a circle."""
        box = Box(left=x - radius, top=y - radius, right=x + radius, bottom=y + radius)
        self._draw.ellipse(_scaled(box), outline=colour, width=round(width * SCALE))

    def vote(self, x: float, y: float, radius: float, colour: Colour, *, liked: bool) -> None:
        """Draw a clip that was rated: ringed, with a plus or a minus."""
        self.disc(x, y, radius, colour)
        self.ring(x, y, radius, INK)
        arm = 0.5 * radius
        self.line(x - arm, y, x + arm, y, colour=INK, width=3.5)
        if liked:
            self.line(x, y - arm, x, y + arm, colour=INK, width=3.5)

    def measure(self, text: str, size: int) -> tuple[float, float]:
        """Return the width and height of a text in pixels."""
        left, top, right, bottom = self._draw.textbbox(
            (0, 0), text, font=self._font(size), anchor="ls"
        )
        return (right - left) / SCALE, (bottom - top) / SCALE

    def text(  # noqa: PLR0913 - what, where, how large, in what bounds
        self,
        x: float,
        y: float,
        text: str,
        size: int,
        within: Box,
        *,
        anchor: str = "ls",
        colour: Colour = INK,
    ) -> Box:
        """Write one line and return its box. It shrinks, and then is cut, until it stays in ``within``.

        Args:
            x: Where it is anchored.
            y: Where it is anchored.
            text: What to write; characters that the type lacks are left out.
            size: Of the type in pixels.
            within: What it may not leave.
            anchor: Two letters as Pillow knows them, such as ``"ls"``: left, on the baseline.
            colour: Of the ink.
        """
        plain = "".join(char for char in text if char.isascii() or char.isalpha() or char in "·%")
        while True:
            font = self._font(size)
            place = (x * SCALE, y * SCALE)
            edges = self._draw.textbbox(place, plain, font=font, anchor=anchor)
            left, top, right, bottom = (edge / SCALE for edge in edges)
            box = Box(left=left, top=top, right=right, bottom=bottom)
            if box.inside(within) or len(plain) < 2:
                break
            if size > SMALLEST:
                size -= 1
            else:
                plain = f"{plain.removesuffix('...')[:-1].rstrip()}..."
        self._draw.text(place, plain, font=font, anchor=anchor, fill=colour)
        self.written.append(Written(text=plain, box=box, within=within))
        return box

    def _font(self, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
        from PIL import ImageFont  # noqa: PLC0415 - only when a picture is drawn

        if size not in self._fonts:
            self._fonts[size] = ImageFont.load_default(size * SCALE)
        return self._fonts[size]

    def image(self) -> Image.Image:
        """Return the picture in its real size."""
        width, height = self._image.size
        return self._image.reduce(SCALE) if width and height else self._image

    def png(self) -> bytes:
        """Return the picture as a PNG file."""
        out = io.BytesIO()
        self.image().save(out, "PNG", compress_level=6)
        return out.getvalue()


def _scaled(box: Box) -> tuple[float, float, float, float]:
    return box.left * SCALE, box.top * SCALE, box.right * SCALE, box.bottom * SCALE
