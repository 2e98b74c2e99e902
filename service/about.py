"""Say what is running: which part is which, what stands in for what, under which licence."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from domain.clip import GeneratorInfo
from service.device import DeviceWorker
from service.settings import Settings
from service.views import AboutView


def product_version() -> str:
    """Return the installed version."""
    try:
        return version("tunebreeder")
    except PackageNotFoundError:
        return "unreleased"


class AboutService:
    """Answers ``/about``. Asks the device worker once what makes the sound."""

    def __init__(self, settings: Settings, device: DeviceWorker, encoder_id: str) -> None:
        self._settings = settings
        self._device = device
        self._encoder_id = encoder_id

    async def view(self) -> AboutView:
        """Return what is running now."""
        info = await self._device.info()
        return AboutView(
            version=product_version(),
            parts={
                "searcher": "offline breeder (built in)",
                "generator": _words(info),
                "scorer": f"{self._encoder_id} features (built in) and a Bayesian taste for each listener",
            },
            stand_ins=await self.stand_ins(),
            licences={info.name: info.licence},
        )

    async def stand_ins(self) -> tuple[str, ...]:
        """Return one sentence for each built-in default that is used in place of a model."""
        info = await self._device.info()
        sentences = ["The offline breeder writes the prompts; no language model is set up."]
        if info.stand_in_for:
            sentences.append(f"The built-in {info.name} plays; {info.stand_in_for} is not set up.")
        sentences.append("Built-in audio features stand in for the MERT encoder and AlignerV2.")
        return tuple(sentences)


def _words(info: GeneratorInfo) -> str:
    details = ", ".join(f"{key} {value}" for key, value in info.details.items())
    return f"{info.name} {info.version}" + (f" ({details})" if details else "")
