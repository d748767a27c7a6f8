"""The REST API of what was used."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metrics.bigagi import BASELINES
from metrics.querysets import sum_baselines
from metrics.serializers import MetricsSerializer
from stores.api.filters import check_parameters


class MetricsView(APIView):
    @extend_schema(responses=MetricsSerializer)
    def get(self, request: Request) -> Response:
        """Totals of all services, and of each."""
        check_parameters(request, ())
        services = {row.uid: baseline for row, baseline in BASELINES.records()}
        return Response({"totals": sum_baselines(services.values()), "services": services})
