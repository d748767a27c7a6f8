from django.apps import AppConfig


class ChatsConfig(AppConfig):
    name = "chats"
    verbose_name = "Chats"

    def ready(self) -> None:
        # Models can be imported only now.
        from chats.bigagi.stores import APP_CHATS, APP_FOLDERS, BIG_AGI
        from metrics.series import register_personas
        from stores.registry import register

        register(APP_CHATS)
        register(APP_FOLDERS)
        register(BIG_AGI)
        register_personas("SELECT uid AS conversation, system_purpose_id AS persona FROM {chats.Conversation}")
