"""The documentation's pages, under /api/docs. Errors there are problems, as everywhere under /api/."""

import shlex
from typing import Any

from django.conf import settings
from django.db import connection
from drf_spectacular.generators import SchemaGenerator
from rest_framework.exceptions import NotFound
from rest_framework.renderers import BaseRenderer, JSONRenderer, TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bigagi_site.docs.database import QUERIES, foreign_tables, own_tables
from bigagi_site.docs.diagram import COLORS, build_dot, draw_svg, has_graphviz
from bigagi_site.docs.insomnia import build_collection
from bigagi_site.docs.troubleshooting import read_entries
from bigagi_site.docs.views import VIEW_QUERIES, view_tables
from bigagi_site.startup import describe_database
from stores.api.filters import check_parameters
from stores.api.problems import bad_parameter
from stores.api.schema import DocsView


class ReferencePage(DocsView):
    """Swagger UI as one of the site's pages."""

    schema = None

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().get(request, *args, **kwargs)
        response.data |= {"section": "docs", "page": "reference"}
        return response


class DocsPage(APIView):
    """A page of text."""

    schema = None
    renderer_classes = [TemplateHTMLRenderer]
    page = ""

    def get(self, request: Request) -> Response:
        context = {"section": "docs", "page": self.page, "base_url": base_url(request)}
        return Response(context | self.get_context(), template_name=f"api/{self.page}.html")

    def get_context(self) -> dict[str, Any]:
        """Return what the page shows besides its text."""
        return {}


class FiveMinutesPage(DocsPage):
    """The API by examples."""

    page = "five-minutes"


class TroubleshootingPage(DocsPage):
    """What each error means, and what to do."""

    page = "troubleshooting"

    def get_context(self) -> dict[str, Any]:
        return {
            "groups": read_entries(),
            "data_dir": settings.DATA_DIR,
            "database": describe_database(),
            "key_file": settings.KEY_FILE,
            "backups_dir": settings.BACKUPS_DIR,
        }


class DatabasePage(DocsPage):
    """Every table and column, with example queries."""

    page = "database"

    def get_context(self) -> dict[str, Any]:
        is_sqlite = connection.vendor == "sqlite"
        place = shlex.quote(describe_database())
        shell = f"sqlite3 -readonly -box {place}" if is_sqlite else f"psql {place}"
        return {
            "apps": own_tables(),
            "foreign": foreign_tables(),
            "views": view_tables(),
            "view_queries": VIEW_QUERIES,
            "queries": QUERIES if is_sqlite else [],
            "shell": shell,
            "is_sqlite": is_sqlite,
            "has_graphviz": has_graphviz(),
        }


class SVGRenderer(BaseRenderer):
    """A picture, or the text that describes it."""

    media_type = "image/svg+xml"
    format = "svg"
    charset = None
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> Any:
        return data


class DiagramView(APIView):
    """The diagram of an app's tables: a picture, or its Graphviz text on a machine without Graphviz."""

    schema = None
    renderer_classes = [SVGRenderer]

    def get(self, request: Request, label: str) -> Response:
        check_parameters(request, ("theme",))
        if label not in settings.GRAPH_MODELS["app_labels"]:
            raise NotFound(f"There is no app {label}.")
        theme = request.query_params.get("theme", "light")
        if theme not in COLORS:
            raise bad_parameter("theme", f"theme must be one of: {', '.join(COLORS)}.")
        drawn = draw_svg(label, theme)
        if drawn is None:
            return Response(build_dot(label, theme).encode(), content_type="text/vnd.graphviz; charset=utf-8")
        return Response(drawn, content_type="image/svg+xml")


class InsomniaView(APIView):
    """The whole API as a collection for Insomnia (export format 4), generated from the OpenAPI description."""

    schema = None
    renderer_classes = [JSONRenderer]

    def get(self, request: Request) -> Response:
        check_parameters(request, ())
        schema = SchemaGenerator().get_schema(request=None, public=True)
        headers = {"Content-Disposition": 'attachment; filename="bigagi-insomnia.json"'}
        return Response(build_collection(schema, base_url(request)), headers=headers)


def base_url(request: Request) -> str:
    """Return the server's address as the client reached it."""
    return request.build_absolute_uri("/").rstrip("/")
