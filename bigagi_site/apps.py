from django.apps import AppConfig


class BigagiSiteConfig(AppConfig):
    name = "bigagi_site"
    verbose_name = "bigagi"
