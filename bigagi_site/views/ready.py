"""Whether the server can do its work."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bigagi_site.readiness import CHECKS, find_faults
from stores.api.filters import check_parameters
from stores.api.problems import Problem


class ReadySerializer(serializers.Serializer):
    """All is well."""

    status = serializers.ChoiceField(["ready"])
    checks = serializers.ListField(child=serializers.CharField(), help_text="What was looked at.")


class ReadyView(APIView):
    @extend_schema(responses=ReadySerializer)
    def get(self, request: Request) -> Response:
        """Tell whether database, data folder and keys can be used; 503 names each that cannot."""
        check_parameters(request, ())
        if faults := find_faults():
            errors = [{"pointer": f"/{name}", "detail": fault, "code": "fault"} for name, fault in faults.items()]
            raise Problem(503, errors[0]["detail"], kind="not-ready", errors=errors)
        return Response({"status": "ready", "checks": list(CHECKS)})
