from django.apps import AppConfig


class BigagiSiteConfig(AppConfig):
    name = "bigagi_site"
    verbose_name = "bigagi"

    def ready(self) -> None:
        from bigagi_site import checks  # noqa: F401  (registers the system checks)
