from dataclasses import replace

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate

from bigagi_site.optional import import_without

# They look for fields of PostgreSQL that no model here has, for clients of HTTP and for formats that are not served.
import_without("rest_framework.compat", "psycopg", "psycopg2", "requests")
import_without("unfold.overrides", "psycopg", "psycopg2")

TEST_PREFIX = "sqlite-test-"
"""With which the ids and names of all records begin that the inspection panel makes."""


class BigagiSiteConfig(AppConfig):
    name = "bigagi_site"
    verbose_name = "bigagi"

    def ready(self) -> None:
        from bigagi_site import checks  # noqa: F401  (registers the system checks)
        from bigagi_site.logs import keep_warnings
        from bigagi_site.sql_views.keeping import keep_after_migration, make_way
        from stores.records.conversions import APP_UI, APP_UX_LABS
        from stores.records.registry import register

        # The inspection panel tries conversions by the API, and may not touch the person's own stores.
        for spec in (APP_UI, APP_UX_LABS):
            register(replace(spec, name=f"{TEST_PREFIX}{spec.name}"))
        pre_migrate.connect(make_way, sender=self, dispatch_uid="sql_views")
        post_migrate.connect(keep_after_migration, sender=self, dispatch_uid="sql_views")
        keep_warnings()
