"""How each operation is described (OpenAPI 3.1): the headers that follow from its method and its view.

Apart from `stores.api.schema`, since drf-spectacular's views need this class while they are being imported.
"""

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

ENTITY_TAG = '(W/)?"[!#-~]*"'
IF_MATCH = OpenApiParameter(
    "If-Match",
    {"type": "string", "pattern": rf"^(\*|{ENTITY_TAG}(, *{ENTITY_TAG})*)$"},
    OpenApiParameter.HEADER,
    description="The ETag of the version you read. If the record has changed since, the response is 412.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag of the version you have. If it is current, the response is 304.",
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[!-~]([ -~]{0,253}[!-~])?$"},
    OpenApiParameter.HEADER,
    description="A unique value of your choice. A repeated request within 24 hours gets the first response; 409 while "
    "the first is still running, 422 if the request differs.",
)
PURGE = OpenApiParameter(
    "purge", OpenApiTypes.BOOL, description="Delete permanently: the journal keeps no copy, so this cannot be undone."
)
CHANGE_HEADER = OpenApiParameter(
    "Bigagi-Change",
    OpenApiTypes.INT64,
    OpenApiParameter.HEADER,
    response=True,
    description="The journal entry of this change, which can be undone. Absent if nothing changed.",
)
ETAG_HEADER = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description="The current version, for If-Match and If-None-Match.",
)
LOCATION_HEADER = OpenApiParameter(
    "Location", OpenApiTypes.STR, OpenApiParameter.HEADER, response=[201], description="The path of the new record."
)


class ApiSchema(AutoSchema):
    """Describes one operation, with the headers that follow from its method and its view."""

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if operation is not None:
            operation["x-app"] = type(self.view).__module__.partition(".")[0]
        return operation

    def get_override_parameters(self) -> list[Any]:
        # Not above: the viewsets' own module asks for this class.
        from stores.api.viewsets import RevisionViewSet, StoreRecordViewSet, WritingViewSet

        parameters = list(super().get_override_parameters())
        has_etag = isinstance(self.view, RevisionViewSet | StoreRecordViewSet)
        if self.method == "GET" and has_etag and getattr(self.view, "action", "") == "retrieve":
            parameters += [IF_NONE_MATCH, ETAG_HEADER]
        if isinstance(self.view, WritingViewSet) and self.view.keeps_answers:
            if self.method == "POST":
                parameters += [IDEMPOTENCY_KEY, LOCATION_HEADER]
            if self.method in ("POST", "PUT", "PATCH", "DELETE"):
                parameters.append(CHANGE_HEADER)
        return parameters

    def get_summary(self) -> str | None:
        if summary := super().get_summary():
            return str(summary)
        action = getattr(self.view, "action", None)
        function = getattr(type(self.view), action or str(self.method).lower(), None)
        if not getattr(function, "__doc__", None) or str(function.__module__).startswith("rest_framework."):
            words = {"list": "List {}s", "retrieve": "Read one {}"}
            return words[action].format(getattr(self.view, "basename", "record")) if action in words else None
        first = str(function.__doc__).strip().partition("\n\n")[0]
        return re.split(r"(?<=[\w)])[.:;](?:\s|$)", " ".join(first.split()), maxsplit=1)[0] or None
