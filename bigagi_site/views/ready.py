"""Whether the server is ready."""

import structlog
from django.db import DatabaseError
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bigagi_site.readiness import Finding, State, fault, look
from stores.api.filters import check_parameters
from stores.api.problems import Problem

logger = structlog.get_logger("api")

NO_DATABASE = fault("The database does not respond. The server log has the reason.")
"""What users who are not signed in may know."""


class CheckSerializer(serializers.Serializer):
    """The result of one check."""

    name = serializers.CharField(help_text="The checks that were run.")
    state = serializers.ChoiceField(
        [state.value for state in State], help_text="A fault means that the server cannot work fully."
    )
    detail = serializers.CharField(help_text="What was found, and how to fix it.")


class ReadySerializer(serializers.Serializer):
    """The server is ready."""

    status = serializers.ChoiceField(["ready"])
    checks = CheckSerializer(many=True)
    warnings = serializers.ListField(
        child=serializers.CharField(), help_text="Problems that do not stop the server but should be fixed."
    )


class ReadyView(APIView):
    @extend_schema(responses=ReadySerializer)
    def get(self, request: Request) -> Response:
        """Check whether the server is ready: database, migrations, triggers, data folder, disk space, key file,
        last backup and the last check of the stored data. 503 lists each fault; less serious findings are warnings."""
        check_parameters(request, ())
        found = look()
        if faults := {name: one for name, one in found.items() if one.state is State.FAULT}:
            raise _not_ready(faults)
        checks = [{"name": name, "state": one.state.value, "detail": one.detail} for name, one in found.items()]
        warnings = [one.detail for one in found.values() if one.state is State.WARNING]
        return Response({"status": "ready", "checks": checks, "warnings": warnings})

    def perform_authentication(self, request: Request) -> None:
        """Identify the user. Without a database nobody can be identified, and only that is reported."""
        try:
            super().perform_authentication(request)
        except DatabaseError as error:
            logger.exception("the user cannot be looked up")
            raise _not_ready({"database": NO_DATABASE}) from error


def _not_ready(faults: dict[str, Finding]) -> Problem:
    errors = [{"pointer": f"/{name}", "detail": one.detail, "code": "fault"} for name, one in faults.items()]
    return Problem(503, errors[0]["detail"], kind="not-ready", errors=errors)
