from django.apps import AppConfig


class LlmsConfig(AppConfig):
    name = "llms"
    verbose_name = "Models"

    def ready(self) -> None:
        # Models can be imported only now.
        from llms.bigagi import APP_MODELS
        from stores.records.registry import register

        register(APP_MODELS)
