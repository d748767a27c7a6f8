"""What is read of services and models."""

from collections.abc import Sequence

from django.db.models import Count, Q, QuerySet

from llms.models import Model, Service

_HIDDEN = Q(user_hidden=True) | Q(user_hidden=None, hidden=True)


def hidden(models: QuerySet[Model]) -> QuerySet[Model]:
    """Return the hidden models: the owner's setting overrides big-AGI's."""
    return models.filter(_HIDDEN)


def visible(models: QuerySet[Model]) -> QuerySet[Model]:
    """Return those of the models that lists show."""
    shown = Q(hidden=None) | Q(hidden=False)
    return models.filter(Q(user_hidden=False) | Q(user_hidden=None) & shown)


def count_models(services: Sequence[Service]) -> dict[str, tuple[int, int]]:
    """Return how many models each service offers, and how many of them are hidden, by the service's id; a service
    without any is left out."""
    models = Model.objects.filter(service_uid__in=[service.uid for service in services]).order_by()
    counts = models.values_list("service_uid").annotate(count=Count("pk"), unseen=Count("pk", filter=_HIDDEN))
    return {uid: (count, unseen) for uid, count, unseen in counts}
