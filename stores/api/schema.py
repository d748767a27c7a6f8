"""The API's description (OpenAPI), and the page that shows it."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from stores.api.problems import CONTENT_TYPE, KINDS

PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance", "request_id", "errors"],
    "properties": {
        "type": {"type": "string", "description": "Address of the entry in Troubleshooting."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The path that was asked for."},
        "request_id": {"type": "string", "description": "As in the header X-Request-ID and in the log."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail", "code"],
                "properties": {
                    "pointer": {"type": "string", "description": "`?name` of a parameter, or a JSON Pointer."},
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                },
            },
        },
    },
}
ALWAYS = (401, 403, 406, 500)
WITH_ID = (404,)
WITH_PARAMETERS = (400,)


class SchemaView(SpectacularAPIView):
    """The description, as JSON or YAML by what is asked for."""

    renderer_classes = [OpenApiJsonRenderer, OpenApiJsonRenderer2, OpenApiYamlRenderer, OpenApiYamlRenderer2]


class DocsView(SpectacularSwaggerSplitView):
    """The page on which the API can be read and tried; its script comes apart, as the site's policy wants it."""

    template_name = "api/docs.html"


class BearerScheme(OpenApiAuthenticationExtension):
    """Tells the schema how tokens are shown."""

    target_class = "stores.api.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer"}


class SessionScheme(OpenApiAuthenticationExtension):
    """Tells the schema of the pages' session."""

    target_class = "stores.api.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": "bigagi_session"}


def drop_slashes(endpoints: list[Any], **kwargs: Any) -> list[Any]:
    """Describe each route without the slash at its end, which is neither needed nor refused."""
    return [(path.rstrip("/"), regex, method, view) for path, regex, method, view in endpoints]


def add_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Describe the errors that every operation can answer with."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    body = {"content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for path, operations in result.get("paths", {}).items():
        for operation in operations.values():
            statuses = (
                ALWAYS + (WITH_ID if "{" in path else ()) + (WITH_PARAMETERS if operation.get("parameters") else ())
            )
            for status in sorted(statuses):
                problem = {"description": KINDS[status].replace("-", " ").capitalize()} | body
                operation["responses"].setdefault(str(status), problem)
    return result
