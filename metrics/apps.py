from django.apps import AppConfig


class MetricsConfig(AppConfig):
    name = "metrics"
    verbose_name = "Metrics"

    def ready(self) -> None:
        # Models can be imported only now.
        from metrics.bigagi import APP_METRICS
        from stores.registry import register

        register(APP_METRICS)
