from django.apps import AppConfig


class StoresConfig(AppConfig):
    name = "stores"
    verbose_name = "Stores"

    def ready(self) -> None:
        # Models can be imported only now.
        from stores.records.conversions import APP_UI, APP_UX_LABS
        from stores.records.registry import register

        register(APP_UI)
        register(APP_UX_LABS)
