"""``models``: weights of encoders and generators: what there is, fetch it, delete it, measure it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Collection, Mapping
from typing import Any

from domain.errors import UserError
from service.models.catalogue import Entry, Role, catalogue, entry
from service.models.chosen import offered_names
from service.models.foreign import FOLDER, audiocraft_environment
from service.models.store import Installed, ModelStore
from service.settings import Settings, load, models_folder


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser(
        "models", help="fetch, list and remove model weights", description=__doc__
    )
    what = command.add_subparsers(dest="what", metavar="WHAT", required=True)
    listing = what.add_parser("list", help="what there is and what is on this machine")
    listing.add_argument("--json", action="store_true", help="print it as JSON")
    pull = what.add_parser("pull", help="fetch a model; called again it goes on where it stopped")
    pull.add_argument(
        "--accept-noncommercial",
        action="store_true",
        help="accept that these weights are not for commercial use, without being asked",
    )
    pull.add_argument(
        "--offline",
        action="store_true",
        help="take over files that were copied into the model's folder",
    )
    remove = what.add_parser("remove", help="delete a model from this machine")
    for one in (pull, remove):
        one.add_argument("name", metavar="NAME", help="from the list, or OWNER/NAME on the hub")
    bench = what.add_parser("bench", help="measure what is on this machine")
    bench.add_argument(
        "name", nargs="?", metavar="NAME", help="only this one; features and composer are built in"
    )
    bench.add_argument("--json", action="store_true", help="print it as JSON")


def run(args: argparse.Namespace) -> int:
    """Do it.

    Raises:
        UsageError: There is no such model.
        UserError: It cannot be done; says why.
    """
    settings = load(args.config)
    store = ModelStore(models_folder(settings))
    if args.what == "list":
        elsewhere = audiocraft_environment(settings.storage.data_dir).models()
        return _list(store, elsewhere, as_json=args.json)
    if args.what == "pull":
        return _pull(store, entry(args.name), args)
    if args.what == "remove":
        return _remove(store, entry(args.name).name, settings)
    from cli.models_bench import bench  # noqa: PLC0415 - PyTorch only for this command

    return bench(settings, store, args.name, as_json=args.json)


def _list(store: ModelStore, elsewhere: Collection[str], *, as_json: bool) -> int:
    """Print what there is; ``elsewhere`` are the models whose weights lie in audiocraft's environment."""
    here = {one.name: one for one in store.every()}
    known = [*catalogue().values(), *(entry(name) for name in here if name not in catalogue())]
    if as_json:
        rows = [_row(one, here.get(one.name), store) for one in known]
        for row in rows:
            row["installed"] |= row["name"] in elsewhere
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return 0
    for role in Role:
        print(f"{role.value}s")
        for one in known:
            if one.role is role:
                _print(one, here.get(one.name), store)
                if one.name in elsewhere:
                    print(f"  {'':22}{'':>14}  on this machine: in audiocraft's environment")
    print(f"\nWeights lie in {store.folder}. Fetch one: python bot.py models pull NAME")
    return 0


def _row(known: Entry, here: Installed | None, store: ModelStore) -> dict[str, Any]:
    return {
        "name": known.name,
        "role": known.role.value,
        "repo": known.repo,
        "licence": here.licence if here else known.licence,
        "commercial": here.commercial if here else known.commercial,
        "gated": known.gated,
        "bytes": here.bytes if here else known.megabytes * 1_000_000,
        "memory": known.memory,
        "purpose": known.purpose,
        "usable": known.usable,
        "installed": here is not None,
        "path": str(store.path(known.name)) if here else None,
        "measured": dict(here.measured) if here else {},
    }


def _print(known: Entry, here: Installed | None, store: ModelStore) -> None:
    size = f"{here.bytes / 1e9:.2f} GB" if here else f"about {known.megabytes / 1000:.1f} GB"
    terms = here.licence if here else known.licence
    free = here.commercial if here else known.commercial
    limits = "" if free else ", not for commercial use"
    print(f"  {known.name:22}{size:>14}  {terms}{limits}{', gated' if known.gated else ''}")
    print(f"  {'':22}{'':>14}  {known.purpose}; {known.memory or 'memory not known'}")
    if here:
        print(f"  {'':22}{'':>14}  on this machine: {store.path(known.name)}")
        said = _speed(here.measured)
        if said:
            print(f"  {'':22}{'':>14}  {said}")
    if not known.usable:
        print(f"  {'':22}{'':>14}  this version cannot use it yet")


def _speed(measured: Mapping[str, Any]) -> str:
    """Return in words what was measured here; ``""`` where nothing was."""
    if not measured.get("clips_per_second"):
        return ""
    said = f"measured: {measured['clips_per_second']:.3g} clips of 10 s a second"
    together, drafts = measured.get("together") or {}, measured.get("drafts") or {}
    if together:
        said += f" (x{together['real_time']:.3g} real time), {together['batch']} at once"
    if drafts:
        said += f", drafts {drafts['clips_per_second']:.3g} a second"
    said += f", on {measured.get('device', 'cpu')}"
    for where, name in (("memory_mb", "RAM"), ("vram_mb", "VRAM")):
        if measured.get(where):
            said += f", {measured[where] / 1000:.1f} GB {name}"
    return said


def _pull(store: ModelStore, wanted: Entry, args: argparse.Namespace) -> int:
    from service.models.download import adopt, fetch, look_up  # noqa: PLC0415 - slow import

    if wanted.loader == "audiocraft":
        raise UserError(
            f"{wanted.name} lives in an environment of its own: python bot.py worker audiocraft --pull {wanted.name}"
        )
    if args.offline:
        agree(store, wanted.name, wanted.licence, wanted.commercial, args)
        found = adopt(wanted, store)
    else:
        offer = look_up(wanted)
        here = store.installed(wanted.name)
        if here is not None and here.revision == offer.commit:
            agree(store, here.name, here.licence, here.commercial, args)
            print(f"{wanted.name} is here already: {store.path(wanted.name)}")
            return 0
        print(f"{wanted.repo}: {offer.bytes / 1e6:.0f} MB, licence {offer.licence}", flush=True)
        agree(store, wanted.name, offer.licence, offer.commercial, args)
        found = fetch(wanted, offer, store, lambda text: print(text, flush=True))
    print(f"{found.name} is complete: {found.bytes / 1e6:.0f} MB in {store.path(found.name)}")
    if not wanted.usable:
        print("This version cannot use it yet.")
    elif wanted.role is Role.ENCODER:
        print(
            f"Use it: set scoring.encoder to {found.name} in config.yaml and start the bot again."
        )
    else:
        print(
            f'Hear it: python bot.py compose "PROMPT" --model {found.name} --out clip.wav. '
            f"Breed with it: set generation.generator to {found.name} in config.yaml and start the bot again."
        )
    return 0


def agree(
    store: ModelStore, name: str, licence: str, commercial: bool, args: argparse.Namespace
) -> None:
    """Ask once whether weights that are not for commercial use may be used here."""
    if commercial or store.agreed(name, licence):
        return
    words = f"The licence of {name} ({licence}) does not allow commercial use, or is not known to."
    if not args.accept_noncommercial:
        if not sys.stdin.isatty():
            raise UserError(f"{words} Accept that with --accept-noncommercial.")
        answer = input(f"{words} Is it used non-commercially here? [y/N] ")
        if answer.strip().lower() not in {"y", "yes"}:
            raise UserError(f"{name} was not fetched.")
    store.agree(name, licence)


def _remove(store: ModelStore, name: str, settings: Settings) -> int:
    if name in audiocraft_environment(settings.storage.data_dir).models():
        raise UserError(
            f"{name} lies in audiocraft's environment with the others. Delete {FOLDER} below the data folder to "
            "be rid of all of them."
        )
    freed = store.remove(name)
    print(f"{name} is gone; {freed / 1e6:.0f} MB are free again.")
    if settings.scoring.encoder == name:
        print("scoring.encoder still names it: set it to features, or pull it again.")
    if name in offered_names(settings):
        print(
            "generation.generator or generation.choices still names it: take it out, or pull it again."
        )
    return 0
