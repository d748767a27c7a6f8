from collections.abc import Sequence
from dataclasses import replace

from django.apps import AppConfig


class ChatsConfig(AppConfig):
    name = "chats"
    verbose_name = "Chats"

    def ready(self) -> None:
        # Models can be imported only now.
        from chats.bigagi.stores import APP_CHATS, APP_FOLDERS, BIG_AGI, PINS
        from metrics.series import register_personas
        from stores.records.registry import register

        register(replace(APP_CHATS, close_abandoned=_close_abandoned))
        register(APP_FOLDERS)
        register(BIG_AGI)
        register(PINS)
        register_personas("SELECT uid AS conversation, system_purpose_id AS persona FROM {chats.Conversation}")


def _close_abandoned(uids: Sequence[str] | None) -> None:
    # Commands, which begin no answers, need not wait until all of this is loaded.
    from chats.generations.abandoned import close_abandoned_in, close_all_abandoned

    if uids is None:
        close_all_abandoned()
    else:
        close_abandoned_in(uids)
