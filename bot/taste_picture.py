"""``/taste show`` as a picture: the map of clips, the trend of likes, and whether forecasts came true.

It is 1000 pixels wide and drawn to be read on a phone, where that is about a third as large. What is liked and what is
not differs in colour, lightness and, for own votes, in shape.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable
from statistics import fmean

from bot.canvas import COLD, INK, LINE, QUIET, SHADE, WARM, Box, Canvas, Colour, blend
from scoring.calibration import Calibration
from scoring.intervals import Interval
from service.progress import LEAST_VOTES
from service.taste_map import MapPoint, TasteMap

WIDTH, HEIGHT = 1000, 1270
MAP = Box(left=20, top=110, right=980, bottom=850)
TREND = Box(left=20, top=870, right=490, bottom=1250)
FORECAST = Box(left=510, top=870, right=980, bottom=1250)
FIELD = Box(left=80, top=180, right=920, bottom=720)
"""Where the clips are drawn: the map without its words."""
TITLE, HEAD, BODY = 44, 30, 27
LATEST = 12
"""Rounds of the trend."""
NAMED = 4
"""Genre families whose names are on the map."""
LEAST_OF_A_FAMILY = 3


def draw(view: TasteMap) -> Canvas:
    """Draw a taste."""
    canvas = Canvas(WIDTH, HEIGHT)
    _title(canvas, view)
    for box in (MAP, TREND, FORECAST):
        canvas.panel(box)
    _map(canvas, view)
    _trend(canvas, view.rounds)
    _forecast(canvas, view.calibration)
    return canvas


def render(view: TasteMap) -> bytes:
    """Return the picture as a PNG file. It takes a fifth of a second: for a device worker."""
    return draw(view).png()


def alt_text(view: TasteMap) -> str:
    """Return the picture in words, at most 1,024 characters."""
    low, high = view.across
    down, up = view.upwards
    halves = [
        (f"{low} clips", [p.liking for p in view.points if p.x < 0]),
        (f"{high} clips", [p.liking for p in view.points if p.x >= 0]),
        (f"{down} clips", [p.liking for p in view.points if p.y < 0]),
        (f"{up} clips", [p.liking for p in view.points if p.y >= 0]),
    ]
    means = "; ".join(f"{name} {fmean(likings):.0%}" for name, likings in halves if likings)
    trend = ", ".join(f"{one.value:.0%}" for one in view.rounds[-LATEST:])
    text = (
        f"A map of {len(view.points)} clips of this server, from {low} to {high} and from {down} to {up}, coloured by "
        f"how much you should like them, learned from {view.evidence} votes: {view.liked} likes, {view.disliked} not. "
        f"Expected liking on average: {means}. Your likes by round: {trend or 'none yet'}."
    )
    return text[:1024]


def _title(canvas: Canvas, view: TasteMap) -> None:
    canvas.text(24, 56, "Your taste on this server", TITLE, canvas.box)
    counts = f"{view.evidence} clips rated: {view.liked} liked, {view.disliked} not"
    if view.evidence < view.enough:
        counts += f" · {view.enough - view.evidence} more until it counts"
    canvas.text(24, 94, counts, BODY, canvas.box, colour=QUIET)


def _map(canvas: Canvas, view: TasteMap) -> None:
    low, high = view.across
    down, up = view.upwards
    middle_x, middle_y = (FIELD.left + FIELD.right) / 2, (FIELD.top + FIELD.bottom) / 2
    canvas.line(FIELD.left, middle_y, FIELD.right, middle_y)
    canvas.line(middle_x, FIELD.top, middle_x, FIELD.bottom)
    edge = Box(left=MAP.left + 14, top=MAP.top + 8, right=MAP.right - 14, bottom=MAP.bottom - 8)
    for point in view.points:
        _point(canvas, point)
    taken = [
        canvas.text(middle_x, FIELD.top - 26, up, BODY, edge, anchor="ms", colour=QUIET),
        canvas.text(middle_x, FIELD.bottom + 42, down, BODY, edge, anchor="ms", colour=QUIET),
        _tag(canvas, edge.left + 8, middle_y + 9, low, edge),
        _tag(canvas, edge.right - 8 - canvas.measure(high, BODY)[0], middle_y + 9, high, edge),
    ]
    _families(canvas, view, taken)
    _legend(canvas, edge)


def _spot(point: MapPoint) -> tuple[float, float]:
    width, height = FIELD.right - FIELD.left, FIELD.bottom - FIELD.top
    return (
        FIELD.left + width * (point.x + 1) / 2,
        FIELD.bottom - height * (point.y + 1) / 2,
    )


def _point(canvas: Canvas, point: MapPoint) -> None:
    x, y = _spot(point)
    if point.rating is not None:
        canvas.vote(x, y, 17, blend(point.liking), liked=point.rating > 0)
        return
    sure = max(0.0, 1.0 - 2.5 * point.spread)
    canvas.disc(x, y, 8 + 6 * sure, blend(point.liking), alpha=round(120 + 115 * sure))


def _tag(
    canvas: Canvas, x: float, y: float, words: str, within: Box, colour: Colour = QUIET
) -> Box:
    """Write words on a dark ground of their own, so that they can be read over clips."""
    width, height = canvas.measure(words, BODY)
    box = Box(left=x - 8, top=y - height - 6, right=x + width + 8, bottom=y + 8)
    canvas.rectangle(box, SHADE, alpha=200)
    canvas.text(x, y, words, BODY, within, colour=colour)
    return box


def _families(canvas: Canvas, view: TasteMap, taken: list[Box]) -> None:
    """Name the families that are liked most and least, where their clips are and nothing else is written."""
    members: dict[str, list[MapPoint]] = defaultdict(list)
    for point in view.points:
        members[point.family].append(point)
    big = {
        name: fmean(point.liking for point in points)
        for name, points in members.items()
        if name and len(points) >= LEAST_OF_A_FAMILY and view.evidence
    }
    ranked = sorted(big, key=lambda name: (-big[name], name))
    ends = itertools.chain.from_iterable(zip(ranked, reversed(ranked), strict=True))
    placed = 0
    for name in dict.fromkeys(ends):
        spots = [_spot(point) for point in members[name]]
        words = name.replace("_", " ")
        x, y = fmean(spot[0] for spot in spots), fmean(spot[1] for spot in spots)
        width, height = canvas.measure(words, BODY)
        left = min(max(x - width / 2, FIELD.left), FIELD.right - width)
        box = Box(left=left - 8, top=y - height - 6, right=left + width + 8, bottom=y + 8)
        if placed < NAMED and box.inside(MAP) and not any(box.meets(other) for other in taken):
            taken.append(_tag(canvas, left, y, words, MAP, _readable(big[name])))
            placed += 1


def _readable(liking: float) -> Colour:
    """Return the colour of a liking, lightened for words."""
    red, green, blue = blend(liking)
    return (red + 255) // 2, (green + 255) // 2, (blue + 255) // 2


def _legend(canvas: Canvas, edge: Box) -> None:
    y = MAP.bottom - 42
    x = canvas.text(edge.left, y + 10, "less for you", BODY, edge, colour=QUIET).right + 14
    for step in range(24):
        part = Box(left=x + 6 * step, top=y - 10, right=x + 6 * step + 6, bottom=y + 12)
        canvas.rectangle(part, blend((step + 0.5) / 24))
    x = canvas.text(x + 158, y + 10, "more", BODY, edge, colour=QUIET).right
    for place, words, liked in ((x + 60, "you liked", True), (x + 260, "you did not", False)):
        canvas.vote(place, y, 17, WARM if liked else COLD, liked=liked)
        canvas.text(place + 28, y + 10, words, BODY, edge, colour=QUIET)


def _plot(box: Box) -> Box:
    return Box(left=box.left + 84, top=box.top + 84, right=box.right - 28, bottom=box.bottom - 74)


def _frame(canvas: Canvas, box: Box, title: str) -> Callable[[float], float]:
    """Draw a panel's head and its percent lines; returns the height of a share."""
    inner = Box(left=box.left + 14, top=box.top + 8, right=box.right - 14, bottom=box.bottom - 8)
    canvas.text(inner.left + 6, box.top + 46, title, HEAD, inner)
    plot = _plot(box)

    def height(share: float) -> float:
        return plot.bottom - share * (plot.bottom - plot.top)

    for share in (0.0, 0.5, 1.0):
        canvas.line(plot.left, height(share), plot.right, height(share))
        canvas.text(
            plot.left - 10, height(share) + 9, f"{share:.0%}", 24, inner, anchor="rs", colour=QUIET
        )
    return height


def _note(canvas: Canvas, box: Box, lines: tuple[str, ...]) -> None:
    plot = _plot(box)
    middle = (plot.top + plot.bottom) / 2 - 17 * (len(lines) - 1)
    for row, line in enumerate(lines):
        canvas.text(
            (box.left + box.right) / 2,
            middle + 36 * row,
            line,
            BODY,
            box,
            anchor="ms",
            colour=QUIET,
        )


def _trend(canvas: Canvas, rounds: tuple[Interval, ...]) -> None:
    if not rounds:
        canvas.text(TREND.left + 20, TREND.top + 46, "What you liked", HEAD, TREND)
        _note(canvas, TREND, ("You have rated no round yet.",))
        return
    height, plot = _frame(canvas, TREND, "What you liked, by round"), _plot(TREND)
    shown = rounds[-LATEST:]
    gap = (plot.right - plot.left) / len(shown)
    spots = [
        (plot.left + gap * (place + 0.5), height(one.value)) for place, one in enumerate(shown)
    ]
    for (x, _), one in zip(spots, shown, strict=True):
        canvas.line(x, height(one.low), x, height(one.high), colour=LINE, width=8)
    for (x, y), (to_x, to_y) in itertools.pairwise(spots):
        canvas.line(x, y, to_x, to_y, colour=QUIET, width=3)
    for (x, y), one in zip(spots, shown, strict=True):
        canvas.disc(x, y, 9, blend(one.value))
        canvas.ring(x, y, 9, INK, width=2)
    votes = sum(one.count for one in shown)
    words = f"{len(rounds)} rounds" if len(rounds) > 1 else "1 round"
    which = f"last {len(shown)} of {words}" if len(rounds) > len(shown) else words
    canvas.text(plot.left, TREND.bottom - 28, f"{which}, {votes} votes", BODY, TREND, colour=QUIET)


def _forecast(canvas: Canvas, found: Calibration | None) -> None:
    have = 0 if found is None else found.error.count
    if found is None or have < LEAST_VOTES:
        canvas.text(FORECAST.left + 20, FORECAST.top + 46, "Do my forecasts hold?", HEAD, FORECAST)
        missing = f"{LEAST_VOTES - have} more votes"
        _note(canvas, FORECAST, (f"{missing} on new rounds", "until that can be told."))
        return
    height, plot = _frame(canvas, FORECAST, "Do my forecasts hold?"), _plot(FORECAST)
    wide = plot.right - plot.left
    canvas.line(plot.left, plot.bottom, plot.right, plot.top, colour=QUIET, width=2)
    for one in found.bins:
        x = plot.left + wide * one.foretold
        canvas.line(x, height(one.actual.low), x, height(one.actual.high), colour=LINE, width=8)
        canvas.disc(x, height(one.actual.value), 10, blend(one.foretold))
        canvas.ring(x, height(one.actual.value), 10, INK, width=2)
    text = f"foretold; off by {100 * found.error.value:.0f} points, {have} votes"
    canvas.text(plot.left, FORECAST.bottom - 28, text, BODY, FORECAST, colour=QUIET)
