from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate


class MetricsConfig(AppConfig):
    name = "metrics"
    verbose_name = "Usage"

    def ready(self) -> None:
        # Models can be imported only now.
        from metrics.bigagi import APP_METRICS
        from metrics.ledger.corrections import take_back
        from metrics.ledger.keeping import keep_after_migration
        from metrics.ledger.triggers import make_way
        from metrics.query_tally import watch_connection
        from stores.records.registry import register
        from stores.records.undoing import register_consequence

        register(APP_METRICS)
        register_consequence(take_back)
        pre_migrate.connect(make_way, sender=self, dispatch_uid="ledger")
        post_migrate.connect(keep_after_migration, sender=self, dispatch_uid="ledger")
        connection_created.connect(watch_connection, dispatch_uid="query_tally")
