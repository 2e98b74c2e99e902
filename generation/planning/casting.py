"""Who plays what: instruments that were asked for, left out or left to the style."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from domain.description import Levels
from domain.facets import Facets
from generation.planning.levels import usual_of
from generation.planning.patches import (
    Patch,
    family_of,
    find_ensemble,
    find_layers,
    find_patch,
    find_percussion,
    patch,
    silenced,
)
from generation.planning.styles import Style
from generation.planning.timbre import acoustic, last_stand_ins, stand_ins, sung

_PREFERENCES = {
    "keys": ("chords", "lead", "pad"),
    "plucked": ("chords", "lead"),
    "mallet": ("lead", "chords"),
    "sustained": ("lead", "pad"),
    "pad": ("pad", "chords", "lead"),
    "arp": ("chords", "lead"),
    "effects": ("lead",),
}
_SPARE = {
    "drums": ("kit_standard",),
    "bass": ("finger_bass", "sub_bass", "upright_bass"),
    "chords": ("piano", "rhodes", "steel_guitar", "warm_pad", "strings", "organ"),
    "pad": ("warm_pad", "slow_strings", "organ"),
    "lead": ("flute", "vibraphone", "clean_guitar", "soft_lead", "piano", "violin"),
}
"""Stand-ins for when everything that a style would take is unwanted."""

ROLES = ("drums", "bass", "chords", "pad", "lead", "counter")
"""In the order in which they are mixed and written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A player: role, sound, and whether the prompt asked for it."""

    role: str
    patch: Patch
    asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """All players.

    Attributes:
        voices: In the order of ``ROLES``; ``"counter"`` may come several times.
        pieces: Percussion pieces that were asked for besides the kit's own groove.
        banned_pieces: Pieces that must not be heard.
        groove: Whether the kit plays its groove; not when only single pieces were asked for.
        ignored: Instrument words that mean nothing here.
    """

    voices: tuple[Voice, ...]
    pieces: tuple[str, ...] = ()
    banned_pieces: frozenset[str] = frozenset()
    groove: bool = True
    ignored: tuple[str, ...] = ()

    def voice(self, role: str) -> Voice | None:
        """Return the first player of a role."""
        return next((v for v in self.voices if v.role == role), None)


class _Casting:
    """Fills roles one request at a time."""

    def __init__(
        self, style: Style, facets: Facets, levels: Levels | None, rng: np.random.Generator
    ) -> None:
        self.style = style
        self.levels = levels
        # Drawn for every role beforehand: leaving one out must not change the others.
        self.luck = dict(zip(ROLES, rng.uniform(size=len(ROLES)).tolist(), strict=True))
        self.roles: dict[str, Voice] = {}
        self.counters: list[Voice] = []
        self.pieces: list[str] = []
        self.ignored: list[str] = []
        self.wanted_roles: list[str] = []
        layers = [layer for word in facets.without for layer in find_layers(word)]
        self.no_percussion = "percussion" in layers
        self.banned_roles = set(layers)
        self.banned_patches = {name for word in facets.without for name in silenced(word)}
        self.banned_pieces = {p for word in facets.without for p in find_percussion(word)}

    def own(self, role: str) -> list[str]:
        """Names of the style's sounds for a role, without the unwanted."""
        part = getattr(self.style, role, None)
        names: tuple[str, ...] = ()
        if part is not None:
            names = part.kits if role == "drums" else part.patches
        names = names or _SPARE.get(role, ())
        free = [n for n in names if n not in self.banned_patches]
        return free or [n for n in _SPARE.get(role, ()) if n not in self.banned_patches]

    def request(self, word: str) -> None:
        pieces = find_percussion(word)
        layers = find_layers(word)
        if layers:
            self.wanted_roles += [layer for layer in layers if layer != "percussion"]
        if pieces and "percussion" not in layers:
            self.pieces += pieces
        elif "percussion" in layers:
            self.pieces += pieces or ("shaker", "conga_high", "conga_low")
        elif not layers:
            found = self._mean(word)
            if found is None:
                self.ignored.append(word)
            elif found.name not in self.banned_patches:
                self._seat(found)

    def suggest(self, word: str) -> None:
        """Seat a typical instrument where a place is free and nobody is displaced."""
        if find_layers(word) or find_percussion(word):
            return
        found = self._mean(word)
        if found is None or found.name in self.banned_patches:
            return
        if found.kind in {"drums", "bass"}:
            roles = [found.kind]
        else:
            at_home = [r for r in ("lead", "chords", "pad") if found.name in self._listed(r)]
            roles = at_home or list(_PREFERENCES[found.kind][:1])
        taken = {v.patch.name for v in self.roles.values()}
        for role in roles:
            if role in self.roles or role in self.banned_roles or found.name in taken:
                continue
            if role in {"drums", "pad"} and not self._listed(role):
                continue
            self.roles[role] = Voice(role=role, patch=found)
            return

    def join(self, ensemble: Mapping[str, str]) -> None:
        """Give the free roles to an ensemble and close those that it does not have."""
        if not ensemble:
            return
        for role in ("drums", "bass", "chords", "pad", "lead"):
            if role in self.roles or role in self.banned_roles or role in self.wanted_roles:
                continue
            name = ensemble.get(role)
            if name is not None and name not in self.banned_patches:
                self.roles[role] = Voice(role=role, patch=patch(name))
            elif role not in ensemble and not (role == "drums" and self.pieces):
                self.banned_roles.add(role)
        self.banned_roles.add("counter")

    def _mean(self, word: str) -> Patch | None:
        """A general word means the style's own kind of it: a guitar in metal is distorted."""
        kin = family_of(word)
        if kin:
            for role in ("chords", "lead", "pad", "bass"):
                part = getattr(self.style, role, None)
                for name in part.patches if part is not None else ():
                    if name in kin:
                        return self._of_its_kin(patch(name), kin)
        found = find_patch(word)
        return self._of_its_kin(found, kin) if found is not None and kin else found

    def _of_its_kin(self, own: Patch, kin: tuple[str, ...]) -> Patch:
        """Choose the acoustic or electronic one of its kin: "guitar" in acoustic metal is not distorted."""
        if self.levels is None:
            return own
        lift = self.levels.acousticness - usual_of(self.style).acousticness
        free = [patch(name) for name in kin if name not in self.banned_patches]
        if lift > 2 * _SLACK and acoustic(own) < _ENOUGH:
            return next((one for one in free if acoustic(one) >= _ENOUGH), own)
        if lift < -2 * _SLACK and acoustic(own) > 1 - _ENOUGH:
            return next((one for one in free if acoustic(one) <= 1 - _ENOUGH), own)
        return own

    def _seat(self, found: Patch) -> None:
        if found.name in {v.patch.name for v in (*self.roles.values(), *self.counters)}:
            return
        if found.kind in {"drums", "bass"}:
            role = found.kind
            if role in self.roles:
                return
            self.roles[role] = Voice(role=role, patch=found, asked=True)
            return
        ranked = list(_PREFERENCES[found.kind])
        at_home = [r for r in ("lead", "chords", "pad") if found.name in self._listed(r)]
        for role in [*at_home, *ranked]:
            if role not in self.roles and role not in self.banned_roles:
                self.roles[role] = Voice(role=role, patch=found, asked=True)
                return
        self.counters.append(Voice(role="counter", patch=found, asked=True))

    def _listed(self, role: str) -> tuple[str, ...]:
        part = getattr(self.style, role, None)
        if part is None:
            return ()
        return tuple(part.kits if role == "drums" else part.patches)

    def fill(self, role: str) -> None:
        if role in self.roles or role in self.banned_roles:
            return
        taken = {v.patch.name for v in self.roles.values()}
        names = self.own(role)
        fresh = [n for n in names if n not in taken] or names
        if fresh:
            name = fresh[int(self.luck[role] * len(fresh))]
            self.roles[role] = Voice(role=role, patch=patch(name))

    # What the levels change. Chance of its own, so that a level that is turned moves no other choice.

    def retouch(self) -> None:
        """Exchange sounds that nobody asked for until the cast is as acoustic and as vocal as it should be."""
        if self.levels is None:
            return
        self._let_sing(self.levels.instrumentalness)
        for role, voice in list(self.roles.items()):
            if not voice.asked and not sung(voice.patch):
                self.roles[role] = Voice(role=role, patch=self._nearer(role, voice.patch))
        self.counters = [
            v
            if v.asked or sung(v.patch)
            else Voice(role=v.role, patch=self._nearer("counter", v.patch))
            for v in self.counters
        ]

    def _nearer(self, role: str, own: Patch) -> Patch:
        """Return a stand-in when the piece is to be clearly more acoustic or electronic than its style is.

        Each role gives way at a place of its own between the style's usual level and the end of the range, so that
        the cast changes one player at a time.
        """
        wanted = self.levels.acousticness if self.levels is not None else 0.5
        usual = usual_of(self.style).acousticness
        luck = _second_luck(self.luck[role])
        first = usual + min(_SLACK, (1 - usual) / 2)
        above = first + luck * max(0.0, _MOSTLY - first)
        first = usual - min(_SLACK, usual / 2)
        below = first - luck * max(0.0, first - 1 + _MOSTLY)
        if wanted >= above and acoustic(own) < _ENOUGH:
            return self._stand_in(role, own, towards_acoustic=True)
        if wanted <= below and acoustic(own) > 1 - _ENOUGH:
            return self._stand_in(role, own, towards_acoustic=False)
        return own

    def _stand_in(self, role: str, own: Patch, *, towards_acoustic: bool) -> Patch:
        """Choose among the style's own sounds that will do, else among those that stand in for ``own``."""
        taken = {v.patch.name for v in (*self.roles.values(), *self.counters)}
        at_home = [n for n in self._listed(role) if self._will_do(n, towards_acoustic)]
        spare = stand_ins(role, own, towards_acoustic=towards_acoustic)
        if role == "drums":  # brushes for calm styles, sticks for lively ones
            spare = spare[:1] if self.style.energy < _CALM else spare[1:]
        rest = last_stand_ins(towards_acoustic=towards_acoustic)
        for names in (at_home, spare, rest if role not in {"drums", "bass"} else ()):
            free = [n for n in names if n not in self.banned_patches and n not in taken]
            if free:
                return patch(free[int(self.luck[role] * len(free))])
        return own

    def _will_do(self, name: str, towards_acoustic: bool) -> bool:
        found = patch(name)
        how = acoustic(found)
        return not sung(found) and (how >= _ENOUGH if towards_acoustic else how <= 1 - _ENOUGH)

    def _let_sing(self, instrumentalness: float) -> None:
        """Give the tune to a voice when the piece is to be sung, and silence voices when it is not."""
        lead = self.roles.get("lead")
        sings = _second_luck(self.luck["lead"]) > (instrumentalness - 0.1) / 0.4
        if instrumentalness < 0.5 and sings and lead is not None and not lead.asked:
            names = ("choir", "talking_lead") if self._warm() else ("talking_lead", "choir")
            free = [n for n in names if n not in self.banned_patches]
            if free:
                self.roles["lead"] = Voice(role="lead", patch=patch(free[0]))
        if instrumentalness > 0.65:
            self._hush()

    def _warm(self) -> bool:
        return self.levels is None or self.levels.acousticness >= 0.3

    def _hush(self) -> None:
        for role, voice in list(self.roles.items()):
            if sung(voice.patch) and not voice.asked:
                names = [n for n in self.own(role) if not sung(patch(n))] or _SPARE.get(role, ())
                free = [n for n in names if n not in self.banned_patches]
                if free:
                    name = free[int(self.luck[role] * len(free))]
                    self.roles[role] = Voice(role=role, patch=patch(name))
        self.counters = [v for v in self.counters if v.asked or not sung(v.patch)]


_CALM = 0.45
_SLACK = 0.12
"""How far acousticness may lie from the style's own before a sound is exchanged."""
_MOSTLY = 0.88
"""At this acousticness every sound is acoustic that can be; likewise electronic at the other end."""
_ENOUGH = 0.6
"""Sounds at least so acoustic stay when the piece is to be more acoustic."""


def _second_luck(luck: float) -> float:
    """Return another uniform number from one, so that no further draw disturbs the others."""
    return (luck * 7919.0) % 1.0


def cast(
    style: Style,
    facets: Facets,
    density: float,
    rng: np.random.Generator,
    *,
    typical: tuple[str, ...] = (),
    levels: Levels | None = None,
) -> Cast:
    """Choose the players.

    Args:
        style: The family's style.
        facets: Instruments wanted and unwanted.
        density: Busier clips get more layers.
        rng: Chooses among the style's sounds.
        typical: Instruments of the genre, each of which takes a free place more often than not.
        levels: How acoustic and how instrumental the piece is; ``None`` keeps to the style's own sounds.
    """
    casting = _Casting(style, facets, levels, rng)
    for word in facets.instruments:
        casting.request(word)
    wish = rng.uniform(size=2)
    ensemble = find_ensemble(facets.genre, typical)
    casting.join(ensemble)
    for word in typical:
        if rng.uniform() < 0.7:
            casting.suggest(word)
    groove = style.drums is not None or "drums" in {*casting.roles, *casting.wanted_roles}
    if groove or casting.pieces:
        casting.fill("drums")
    casting.fill("bass")
    casting.fill("chords")
    casting.fill("lead")
    chance = style.pad.chance * (0.6 + 0.8 * density) if style.pad is not None else 0.0
    if "pad" in casting.wanted_roles or wish[0] < chance:
        casting.fill("pad")
    if not casting.counters and density > 0.45 and wish[1] < density - 0.1:
        _add_counter(casting)
    if not ensemble:
        casting.retouch()
    voices = [
        casting.roles[r] for r in ROLES if r in casting.roles and r not in casting.banned_roles
    ]
    voices += [v for v in casting.counters if v.asked or "counter" not in casting.banned_roles]
    banned = casting.banned_pieces - set(casting.pieces)
    if casting.no_percussion:
        casting.pieces.clear()
        banned |= _HAND_PERCUSSION
    return Cast(
        voices=tuple(voices),
        pieces=tuple(dict.fromkeys(casting.pieces)),
        banned_pieces=frozenset(banned),
        groove=groove,
        ignored=tuple(casting.ignored),
    )


_HAND_PERCUSSION = {
    "shaker", "tambourine", "cowbell", "bongo_high", "bongo_low", "conga_mute", "conga_high",
    "conga_low", "timbale_high", "timbale_low", "agogo_high", "agogo_low", "cabasa", "guiro",
    "clave", "block_high", "block_low", "triangle", "timpani",
    "vibraslap", "whistle_short", "whistle_long", "guiro_long", "cuica_mute", "cuica_open", "triangle_mute",
    "jingle", "bell_tree", "castanets", "surdo_mute", "surdo",
}  # fmt: skip


def _add_counter(casting: _Casting) -> None:
    """A second melodic voice for busy clips, another sound than the rest."""
    if "counter" in casting.banned_roles:
        return
    taken = {v.patch.name for v in casting.roles.values()}
    spare = [n for n in (*casting.own("lead"), *casting.own("chords")) if n not in taken]
    if spare:
        name = spare[int(casting.luck["counter"] * len(spare))]
        casting.counters.append(Voice(role="counter", patch=patch(name)))
