"""Filters of the API's lists."""

import django_filters

from stores.models import MigrationRun


class RunFilterSet(django_filters.FilterSet):
    class Meta:
        model = MigrationRun
        fields = ["status", "source_sha256"]
