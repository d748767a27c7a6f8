"""The OpenAPI 3.1 description: decorators for operations, and the views that serve it."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from stores.api.auto_schema import ETAG_HEADER, IF_MATCH, IF_NONE_MATCH, PURGE

__all__ = ["PURGE", "DocsView", "SchemaView", "reads", "writes"]


def writes(*, if_match: bool = True, **kwargs: Any) -> Callable[[Any], Any]:
    """Describe an operation that writes; `if_match` says whether it can be made conditional."""
    conditions = [IF_MATCH] if if_match else []
    return extend_schema(parameters=[*conditions, ETAG_HEADER, *kwargs.pop("parameters", [])], **kwargs)


def reads(**kwargs: Any) -> Callable[[Any], Any]:
    """Describe a read operation with an ETag. For `RevisionViewSet` and similar this is automatic."""
    return extend_schema(parameters=[IF_NONE_MATCH, ETAG_HEADER, *kwargs.pop("parameters", [])], **kwargs)


EVENT = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9]+$"},
        "event": {"type": "string"},
        "data": {"type": "string", "description": "JSON."},
    },
    "required": ["data"],
}
"""One server-sent event."""


class SchemaView(SpectacularAPIView):
    """The description, as JSON or YAML by what is asked for."""

    renderer_classes = [OpenApiJsonRenderer, OpenApiJsonRenderer2, OpenApiYamlRenderer, OpenApiYamlRenderer2]


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI; its script is a separate file because of the site's content security policy."""

    template_name = "api/docs.html"


class BearerScheme(OpenApiAuthenticationExtension):
    """Describes token authentication in the schema."""

    target_class = "stores.api.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        description = "A token from the account page or `manage.py create_token`: `Authorization: Bearer <token>`."
        return {"type": "http", "scheme": "bearer", "description": description}


class SessionScheme(OpenApiAuthenticationExtension):
    """Describes session authentication in the schema."""

    target_class = "stores.api.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        description = "The session of the pages. Writes also need the header X-CSRFToken."
        return {"type": "apiKey", "in": "cookie", "name": "bigagi_session", "description": description}
