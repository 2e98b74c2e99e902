"""The engines by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from evolution.numeric.cma import CMAES
from evolution.numeric.engine import Array, Engine
from evolution.numeric.genetic import Genetic
from evolution.numeric.nes import SNES, XNES
from evolution.numeric.sampling import CEM, PGPE

ENGINES: Mapping[str, Callable[[Array, Array], Engine]] = {
    "ga": Genetic,
    "cmaes": CMAES,
    "snes": SNES,
    "pgpe": PGPE,
    "xnes": XNES,
    "cem": CEM,
}
"""Each is made from where the search begins, (n,), and how far it looks at first, (n,)."""
