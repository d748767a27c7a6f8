"""Services, models and assignments as the API gives them: big-AGI's JSON and our facts under `_server`."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from llms.bigagi import ASSIGNMENTS, MODELS, SERVICES
from llms.models import Assignment, Model, Service
from llms.querysets import count_models
from stores.api.ids import href
from stores.api.serializers import RecordSerializer, ServerFactsSerializer


class ServiceFactsSerializer(ServerFactsSerializer):
    modelCount = serializers.IntegerField(help_text="Models that it offers.")


class ServiceSerializer(RecordSerializer):
    """A provider's endpoint. Keys are shown as `bigagi-secret:` and their last four characters."""

    collection = SERVICES
    id = serializers.CharField()
    # Any, here as in other serializers: DRF's fields have attributes of this name.
    label: Any = serializers.CharField(required=False)
    vId = serializers.CharField(required=False)
    setup = serializers.JSONField(required=False)
    _server = ServiceFactsSerializer()

    def get_facts(self, records: Sequence[Service]) -> list[dict[str, Any]]:
        counts = count_models(records)
        return [
            {"href": href("services", service.uid), "modelCount": counts.get(service.uid, 0)} for service in records
        ]


class ModelFactsSerializer(ServerFactsSerializer):
    serviceHref = serializers.CharField(allow_null=True, help_text="Its service, which can be missing.")


class ModelSerializer(RecordSerializer):
    """A model that a service offers."""

    collection = MODELS
    id = serializers.CharField()
    label: Any = serializers.CharField(required=False)
    sId = serializers.CharField(required=False)
    vId = serializers.CharField(required=False)
    hidden = serializers.BooleanField(required=False)
    contextTokens = serializers.IntegerField(required=False, allow_null=True)
    maxOutputTokens = serializers.IntegerField(required=False, allow_null=True)
    interfaces = serializers.ListField(child=serializers.CharField(), required=False)
    pricing = serializers.JSONField(required=False)
    _server = ModelFactsSerializer()

    def get_facts(self, records: Sequence[Model]) -> list[dict[str, Any]]:
        return [
            {
                "href": href("llms", model.uid),
                "serviceHref": href("services", model.service_uid) if model.service_uid else None,
            }
            for model in records
        ]


class AssignmentFactsSerializer(ServerFactsSerializer):
    domain = serializers.CharField(help_text="What the model is for, as primaryChat.")


class AssignmentSerializer(RecordSerializer):
    """The model of a domain."""

    collection = ASSIGNMENTS
    mct = serializers.CharField(required=False)
    domainId = serializers.CharField(required=False)
    modelId = serializers.CharField(required=False, allow_null=True)
    _server = AssignmentFactsSerializer()

    def get_facts(self, records: Sequence[Assignment]) -> list[dict[str, Any]]:
        return [{"href": href("assignments", row.uid), "domain": row.uid} for row in records]
