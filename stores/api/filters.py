"""Filters of lists. Unknown parameters are errors: a misspelt filter must not match everything."""

from collections.abc import Collection
from typing import Any

import django_filters
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from stores.api.problems import Problem, bad_parameter, errors_in
from stores.api.serializers import FormSerializer
from stores.records.codecs import INT64


def check_parameters(request: Request, allowed: Collection[str]) -> None:
    """Raise a `Problem` for query parameters that are not allowed, which names those that are."""
    unknown = sorted(set(request.query_params) - set(allowed))
    if not unknown:
        return
    hint = f"Allowed: {', '.join(allowed)}." if allowed else "This route takes none."
    errors = [{"pointer": f"?{name}", "detail": f"Unknown parameter. {hint}", "code": "unknown"} for name in unknown]
    raise Problem(400, f"Unknown parameters: {', '.join(unknown)}. {hint}", errors=errors)


def read_query(request: Request, shape: type[FormSerializer]) -> dict[str, Any]:
    """Return the values of the query's parameters, of which an empty one counts as missing. Raises `Problem`."""
    check_parameters(request, shape._declared_fields)
    try:
        return shape(data={name: word for name, word in request.query_params.items() if word}).take()
    except ValidationError as error:
        [found] = errors_in(error.detail)
        raise bad_parameter(found["pointer"][1:], found["detail"], found["code"]) from error


class StrictFilterBackend(DjangoFilterBackend):
    """django-filter, where an unknown parameter or a bad value is an error."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        filterset_class = self.get_filterset_class(view, queryset)
        filters = () if filterset_class is None else tuple(filterset_class.base_filters)
        own = getattr(view, "own_parameters", ())
        check_parameters(request, (*filters, *getattr(view.paginator, "names", ()), *own))
        # Building the filters' form takes longer than a page's queries.
        if request.query_params.keys().isdisjoint(filters):
            return queryset
        filterset = self.get_filterset(request, queryset, view)
        if not filterset.is_valid():
            errors = [
                {"pointer": f"?{name}", "detail": error.messages[0], "code": error.code or "invalid"}
                for name, found in filterset.errors.as_data().items()
                for error in found
            ]
            raise Problem(400, f"{errors[0]['pointer'][1:]}: {errors[0]['detail']}", errors=errors)
        rows: QuerySet[Any] = filterset.qs
        return rows


@extend_schema_field(OpenApiTypes.BOOL)
class FlagFilter(django_filters.TypedChoiceFilter):
    """`1`, `0`, `true` or `false`. django-filter's own takes any other word for "not given"."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        choices = [(word, word) for word in ("1", "0", "true", "false")]
        kwargs |= {"choices": choices, "coerce": lambda word: word in ("1", "true"), "empty_value": None}
        super().__init__(*args, **kwargs)


@extend_schema_field(OpenApiTypes.INT64)
class IntegerFilter(django_filters.NumberFilter):
    """A whole number of 64 bits. django-filter's own takes parts of one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"min_value": -INT64, "max_value": INT64 - 1, "decimal_places": 0})

    def get_max_validator(self) -> None:
        return None


class MillisecondsFilter(IntegerFilter):
    """A time in milliseconds since the epoch, as big-AGI has them."""
