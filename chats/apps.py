from django.apps import AppConfig


class ChatsConfig(AppConfig):
    name = "chats"
    verbose_name = "Chats"

    def ready(self) -> None:
        # Models can be imported only now.
        from chats.bigagi.stores import APP_CHATS, APP_FOLDERS, BIG_AGI
        from stores.registry import register

        register(APP_CHATS)
        register(APP_FOLDERS)
        register(BIG_AGI)
