"""The phases of a generation, from its start to its end, and which of them follow which. Pure.

What the database knows of it is `Generation.Status`, in which all phases before the last are "running".
"""

from enum import Enum


class Phase(Enum):
    STARTING = "starting"
    """Question and empty answer are stored; the model is not called yet."""
    CALLING = "calling"
    """The model answers."""
    STOPPING = "stopping"
    """Somebody asked to stop it."""
    SHUTTING_DOWN = "shutting down"
    """The server ends."""
    ENDING = "ending"
    """The call is over; what came of it has to be stored."""
    UNSTORED = "unstored"
    """Readers have been sent the end, which could not be stored yet: this is tried again."""
    ABANDONED = "abandoned"
    """Its process is gone: another one closes it with what is stored."""
    ENDED = "ended"

    @property
    def is_released(self) -> bool:
        """Whether readers have been sent the last event."""
        return self in (Phase.UNSTORED, Phase.ENDED)


TRANSITIONS: dict[Phase, frozenset[Phase]] = {
    Phase.STARTING: frozenset({Phase.CALLING, Phase.STOPPING, Phase.SHUTTING_DOWN, Phase.ABANDONED}),
    Phase.CALLING: frozenset({Phase.STOPPING, Phase.SHUTTING_DOWN, Phase.ENDING, Phase.ABANDONED}),
    Phase.STOPPING: frozenset({Phase.SHUTTING_DOWN, Phase.ENDING, Phase.ABANDONED}),
    Phase.SHUTTING_DOWN: frozenset({Phase.ENDING, Phase.ABANDONED}),
    Phase.ENDING: frozenset({Phase.UNSTORED, Phase.ENDED, Phase.ABANDONED}),
    Phase.UNSTORED: frozenset({Phase.ENDED, Phase.ABANDONED}),
    Phase.ABANDONED: frozenset({Phase.ENDED}),
    Phase.ENDED: frozenset(),
}
"""The phases that may follow each phase."""
