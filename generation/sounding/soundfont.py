"""SoundFont 2 files read with numpy alone: presets become zones that ``generation.sounding.sampler`` can play.

Follows the SoundFont Technical Specification 2.04: the RIFF layout and preset hierarchy of chapters 4 to 7
and the generators of section 8.1. Modulators are left out; a note's velocity and the filter's envelope are
approximated where the zone is played.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.errors import GenerationError
from generation.sounding.zones import Shorts, Zone

_PHDR = np.dtype(
    [("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("more", "V12")]
)
_INST = np.dtype([("name", "S20"), ("bag", "<u2")])
_BAG = np.dtype([("gen", "<u2"), ("mod", "<u2")])
_GEN = np.dtype([("kind", "<u2"), ("amount", "<i2")])
_SHDR = np.dtype(
    [
        ("name", "S20"),
        ("start", "<u4"),
        ("end", "<u4"),
        ("loop_start", "<u4"),
        ("loop_end", "<u4"),
        ("rate", "<u4"),
        ("root", "u1"),
        ("correction", "i1"),
        ("link", "<u2"),
        ("kind", "<u2"),
    ]
)

# Generators of section 8.1.2 that are used here, by number.
_START, _END, _LOOP_START, _LOOP_END = 0, 1, 2, 3
_START_COARSE, _END_COARSE, _LOOP_START_COARSE, _LOOP_END_COARSE = 4, 12, 45, 50
_FILTER, _ENV_TO_FILTER, _PAN = 8, 11, 17
_DELAY, _ATTACK, _HOLD, _DECAY, _SUSTAIN, _RELEASE = 33, 34, 35, 36, 37, 38
_INSTRUMENT, _KEYS, _VELOCITIES, _ATTENUATION = 41, 43, 44, 48
_COARSE, _FINE, _SAMPLE, _LOOPING, _SCALE, _CHOKE, _ROOT = 51, 52, 53, 54, 56, 57, 58
_ONLY_IN_INSTRUMENT = {_START, _END, _LOOP_START, _LOOP_END, _START_COARSE, _END_COARSE}
_ONLY_IN_INSTRUMENT |= {
    _LOOP_START_COARSE,
    _LOOP_END_COARSE,
    46,
    47,
    _LOOPING,
    _CHOKE,
    _ROOT,
    _SAMPLE,
}
_DEFAULTS = {_FILTER: 13500, _SCALE: 100, _ROOT: -1}
_DEFAULTS |= dict.fromkeys((_DELAY, _ATTACK, _HOLD, _DECAY, _RELEASE), -12000)
_FULL_RANGE = 127 << 8

Generators = dict[int, int]


def default_soundfont() -> Path:
    """Find the SoundFont that ``pretty_midi`` ships, without importing it.

    Raises:
        GenerationError: It is not installed.
    """
    spec = importlib.util.find_spec("pretty_midi")
    if spec is not None and spec.origin is not None:
        path = Path(spec.origin).parent / "TimGM6mb.sf2"
        if path.is_file():
            return path
    raise GenerationError(
        "No SoundFont found: install pretty_midi, which ships one, or name a .sf2 file."
    )


def preset_numbers(path: Path) -> frozenset[tuple[int, int]]:
    """Return bank and program of every preset of a ``.sf2`` or ``.sf3`` file.

    Raises:
        GenerationError: The file is missing or not a SoundFont.
    """
    try:
        data: npt.NDArray[np.uint8] = np.memmap(path, dtype=np.uint8, mode="r")
        rows = data[_chunks(data)["phdr"]].view(_PHDR)[:-1]
    except (OSError, KeyError, ValueError) as error:
        raise _unreadable(path) from error
    return frozenset((int(row["bank"]), int(row["program"])) for row in rows)


def _unreadable(path: Path) -> GenerationError:
    return GenerationError(
        f"The SoundFont {path.name} cannot be read: it is missing or not an SF2 file."
    )


@dataclass(frozen=True, slots=True)
class _Level:
    """Bags and generators of presets or of instruments."""

    bags: npt.NDArray[Any]
    gens: npt.NDArray[Any]

    def zones(self, first: int, last: int, target: int) -> list[Generators]:
        """Return the generators of each zone that ends in ``target``, the global zone merged in."""
        common: Generators = {}
        out = []
        for index in range(first, last):
            a, b = int(self.bags["gen"][index]), int(self.bags["gen"][index + 1])
            found = {int(kind): int(amount) for kind, amount in self.gens[a:b]}
            if target in found:
                out.append(common | found)
            elif index == first:
                common = found
        return out


class SoundFont:
    """A SoundFont file. Sample data stays on disk until a zone is asked for.

    Args:
        path: A ``.sf2`` file with 16-bit samples.

    Raises:
        GenerationError: The file is missing or not a SoundFont 2 file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._bytes: npt.NDArray[np.uint8] = np.memmap(path, dtype=np.uint8, mode="r")
            chunks = _chunks(self._bytes)
            self._samples = self._bytes[chunks["smpl"]].view("<i2")
            table = {name: self._bytes[place] for name, place in chunks.items()}
            self._instruments = table["inst"].view(_INST)
            self._headers = table["shdr"].view(_SHDR)
            self._preset_level = _Level(table["pbag"].view(_BAG), table["pgen"].view(_GEN))
            self._instrument_level = _Level(table["ibag"].view(_BAG), table["igen"].view(_GEN))
            presets = table["phdr"].view(_PHDR)
        except (OSError, KeyError, ValueError) as error:
            raise _unreadable(path) from error
        self._presets = {
            (int(row["bank"]), int(row["program"])): (int(row["bag"]), int(presets["bag"][i + 1]))
            for i, row in enumerate(presets[:-1])
        }
        self._cache: dict[tuple[int, int], tuple[Zone, ...]] = {}

    def zones(self, bank: int, program: int) -> tuple[Zone, ...]:
        """Return the playable zones of a preset.

        A preset that the file lacks is replaced by the first of its bank, then by bank 0, program 0.
        """
        key = (bank, program)
        if key not in self._cache:
            self._cache[key] = tuple(self._read_preset(key))
        return self._cache[key]

    def _read_preset(self, key: tuple[int, int]) -> list[Zone]:
        place = self._presets.get(key) or self._presets.get((key[0], 0)) or self._presets[0, 0]
        zones = []
        for preset in self._preset_level.zones(*place, _INSTRUMENT):
            index = preset[_INSTRUMENT]
            bags = self._instruments["bag"]
            span = (int(bags[index]), int(bags[index + 1]))
            for generators in self._instrument_level.zones(*span, _SAMPLE):
                zone = self._zone(_DEFAULTS | generators, preset)
                if zone is not None:
                    zones.append(zone)
        return zones

    def _zone(self, own: Generators, preset: Generators) -> Zone | None:
        keys = _meet(own.get(_KEYS, _FULL_RANGE), preset.get(_KEYS, _FULL_RANGE))
        velocities = _meet(own.get(_VELOCITIES, _FULL_RANGE), preset.get(_VELOCITIES, _FULL_RANGE))
        if keys is None or velocities is None:
            return None
        total = dict(own)
        for kind, amount in preset.items():
            if kind not in _ONLY_IN_INSTRUMENT and kind not in {_KEYS, _VELOCITIES, _INSTRUMENT}:
                total[kind] = total.get(kind, 0) + amount
        header = self._headers[own[_SAMPLE]]
        root = own[_ROOT] if own[_ROOT] >= 0 else int(header["root"])
        cents = total.get(_COARSE, 0) * 100 + total.get(_FINE, 0) + int(header["correction"])
        data, loop = self._wave(total, header)
        return Zone(
            data=data,
            loop=loop,
            rate=float(header["rate"]),
            root=root,
            cents=cents,
            cents_per_key=total[_SCALE],
            keys=keys,
            velocities=velocities,
            # 0.4 is how the hardware that the format comes from scales attenuation; fonts rely on it.
            attenuation=max(0.0, total.get(_ATTENUATION, 0) * 0.04),
            pan=float(np.clip(total.get(_PAN, 0) / 500, -1, 1)),
            delay=_seconds(total[_DELAY]),
            attack=_seconds(total[_ATTACK]),
            hold=_seconds(total[_HOLD]),
            decay=_seconds(total[_DECAY]),
            sustain=float(np.clip(total.get(_SUSTAIN, 0) / 10, 0, 96)),
            release=_seconds(total[_RELEASE]),
            choke=own.get(_CHOKE, 0),
            # The filter at the top of its own envelope: what the attack sounds like.
            cutoff=float(min(14_000, total[_FILTER] + max(0, total.get(_ENV_TO_FILTER, 0)))),
        )

    def _wave(self, gens: Generators, header: Any) -> tuple[Shorts, tuple[int, int] | None]:
        start = int(header["start"]) + gens.get(_START, 0) + 32768 * gens.get(_START_COARSE, 0)
        end = int(header["end"]) + gens.get(_END, 0) + 32768 * gens.get(_END_COARSE, 0)
        a = int(header["loop_start"]) + gens.get(_LOOP_START, 0)
        b = int(header["loop_end"]) + gens.get(_LOOP_END, 0)
        a += 32768 * gens.get(_LOOP_START_COARSE, 0) - start
        b += 32768 * gens.get(_LOOP_END_COARSE, 0) - start
        data = self._samples[start:end]
        looping = gens.get(_LOOPING, 0) & 3 in {1, 3} and 0 <= a < b - 8 and b <= data.size
        return data, (a, b) if looping else None


def _chunks(data: npt.NDArray[np.uint8]) -> dict[str, slice]:
    """Return where each leaf chunk of the RIFF file lies."""
    if bytes(data[:4]) != b"RIFF" or bytes(data[8:12]) != b"sfbk":
        raise ValueError("not a SoundFont")
    places = {}
    at, end = 12, data.size
    while at + 8 <= end:
        name = bytes(data[at : at + 4]).decode("latin1")
        size = int.from_bytes(bytes(data[at + 4 : at + 8]), "little")
        if name == "LIST":
            at += 12
            continue
        places[name] = slice(at + 8, at + 8 + size)
        at += 8 + size + (size & 1)
    return places


def _meet(one: int, other: int) -> tuple[int, int] | None:
    """Intersect two ranges packed as low byte and high byte."""
    low = max(one & 255, other & 255)
    high = min((one >> 8) & 255, (other >> 8) & 255)
    return (low, high) if low <= high else None


def _seconds(timecents: int) -> float:
    return 0.0 if timecents <= -12000 else float(2.0 ** (timecents / 1200))
