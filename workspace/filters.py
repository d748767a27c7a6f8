"""Filters of the API's lists."""

import django_filters

from workspace.models import LiveFile


class LiveFileFilterSet(django_filters.FilterSet):
    name = django_filters.CharFilter("name", "icontains", label="Part of the name.")
    type = django_filters.CharFilter("type", label="The MIME type.")

    class Meta:
        model = LiveFile
        fields: list[str] = []
