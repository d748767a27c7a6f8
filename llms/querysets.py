"""What is read of services and models."""

from collections.abc import Sequence

from django.db.models import Count, Q, QuerySet

from llms.models import Model, Service


def hidden(models: QuerySet[Model]) -> QuerySet[Model]:
    """Return the hidden models: the owner's setting overrides big-AGI's."""
    return models.filter(Q(user_hidden=True) | Q(user_hidden=None, hidden=True))


def visible(models: QuerySet[Model]) -> QuerySet[Model]:
    """Return those of the models that lists show."""
    shown = Q(hidden=None) | Q(hidden=False)
    return models.filter(Q(user_hidden=False) | Q(user_hidden=None) & shown)


def count_models(services: Sequence[Service]) -> dict[str, int]:
    """Return how many models each service offers, by the service's id; a service without any is left out."""
    models = Model.objects.filter(service_uid__in=[service.uid for service in services]).order_by()
    return dict(models.values_list("service_uid").annotate(Count("pk")))
