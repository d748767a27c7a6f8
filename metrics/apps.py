from django.apps import AppConfig
from django.db.backends.signals import connection_created


class MetricsConfig(AppConfig):
    name = "metrics"
    verbose_name = "Metrics"

    def ready(self) -> None:
        # Models can be imported only now.
        from metrics.bigagi import APP_METRICS
        from metrics.query_tally import watch_connection
        from stores.registry import register

        register(APP_METRICS)
        connection_created.connect(watch_connection, dispatch_uid="query_tally")
