"""The parts of a playground, wired together once and handed to each group of routes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playground.answers import Answers
from playground.commands import Commands
from playground.gateway import Gateway, GatewayFaults
from playground.interactions import Interactions
from playground.media import MediaStore
from playground.messages import Messages
from playground.options import PlaygroundOptions
from playground.reactions import Reactions
from playground.sessions import Sessions
from playground.start import new_world
from playground.threads import Threads
from playground.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything that routes work with."""

    world: World
    messages: Messages
    reactions: Reactions
    threads: Threads
    commands: Commands
    interactions: Interactions
    answers: Answers
    gateway_faults: GatewayFaults
    sessions: Sessions
    gateway: Gateway


def assemble(options: PlaygroundOptions, *, clock: Callable[[], float], media: MediaStore) -> Parts:
    """Build the world and everything that acts on it.

    Args:
        options: Names, limits and timings.
        clock: Unix time in seconds.
        media: Where uploads go.
    """
    world = new_world(options, clock=clock, media=media)
    messages = Messages(world)
    interactions = Interactions(world)
    gateway_faults = GatewayFaults()
    sessions = Sessions(world, duplicate=gateway_faults.take_duplicate)
    return Parts(
        world=world,
        messages=messages,
        reactions=Reactions(world),
        threads=Threads(world, messages),
        commands=Commands(world),
        interactions=interactions,
        answers=Answers(world, messages, interactions),
        gateway_faults=gateway_faults,
        sessions=sessions,
        gateway=Gateway(world, sessions, gateway_faults),
    )
