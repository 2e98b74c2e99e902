"""The seam between runs and whatever breeds their candidates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from domain.candidate import Brief, Evaluation, Proposal


class Searcher(Protocol):
    """Breeds the candidates of one run; asked for proposals, told how good stored candidates are."""

    @property
    def name(self) -> str:
        """The name that the registry knows it by."""

    async def ask(self, brief: Brief) -> list[Proposal]:
        """Return exactly ``brief.count`` proposals; no prompt is ever repeated within the run."""

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Take the whole rescored archive of the run; it replaces what was told before."""

    def state(self) -> dict[str, Any]:
        """Return everything that a successor needs to go on exactly like this, ready for ``json.dumps``."""

    def notices(self) -> tuple[str, ...]:
        """Return what people should know of the last ``ask``, a plain sentence each: what stood in, and why."""

    def note(self) -> str:
        """Return what the searcher has learned about its listeners, in a few plain words; data, often empty."""
