"""What a conversation can use: the use cases that commands and buttons call."""

from __future__ import annotations

from dataclasses import dataclass

from service.about import AboutService
from service.clips import ClipService
from service.conductor import Conductor
from service.duels import DuelService
from service.exports import ExportService
from service.feedback import FeedbackService
from service.like_this import LikeThisService
from service.listeners import ListenerService
from service.mood import MoodService
from service.runs import RunService


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """What commands and buttons call."""

    runs: RunService
    conductor: Conductor
    feedback: FeedbackService
    listeners: ListenerService
    library: ClipService
    exports: ExportService
    moods: MoodService
    like_this: LikeThisService
    about: AboutService
    duels: DuelService
