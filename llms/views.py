"""The REST API of models, services and assignments."""

from rest_framework import mixins

from llms.filters import ModelFilterSet, ServiceFilterSet
from llms.models import Assignment, Model, Service
from llms.serializers import AssignmentSerializer, ModelSerializer, ServiceSerializer
from stores.api.viewsets import RecordViewSet


class ModelViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordViewSet):
    queryset = Model.objects.all()
    serializer_class = ModelSerializer
    filterset_class = ModelFilterSet


class ServiceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordViewSet):
    queryset = Service.objects.all()
    serializer_class = ServiceSerializer
    filterset_class = ServiceFilterSet


class AssignmentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordViewSet):
    """Which model serves a domain. A domain that is not here is served automatically."""

    queryset = Assignment.objects.all()
    serializer_class = AssignmentSerializer
    lookup_url_kwarg = "domain"
    orderings = ("uid",)
