"""Services, models and assignments as the API gives them: big-AGI's JSON and our facts under `_server`."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from llms.bigagi import ASSIGNMENTS, MODELS, SERVICES
from llms.effective import effective_values
from llms.models import Assignment, Model, Service
from llms.querysets import count_models
from llms.refused import tell_refusals
from llms.vendors.endpoint import path_of
from stores.api.members import ID, AnyMember, FlagMember, IdMember, ListMember, NumberMember, ObjectMember, TextMember
from stores.api.serializers import FormSerializer, RecordSerializer, ServerFactsSerializer
from stores.records.ids import href


class VirtualFactsSerializer(ServerFactsSerializer):
    virtual = serializers.BooleanField(
        required=False, help_text="true if it comes with the program or from the environment; it cannot be changed."
    )


class RefusedParameterSerializer(serializers.Serializer[Any]):
    """An optional parameter that the service refused, and that calls leave out."""

    parameter = serializers.CharField(help_text="Such as stream_options.")
    model = serializers.CharField(
        allow_blank=True, help_text="The provider's name of the model that refused it; empty: any model."
    )
    refusedAt = serializers.IntegerField(help_text="In ms since the epoch.")
    triedAgainAt = serializers.IntegerField(help_text="From when on it will be sent again, in ms since the epoch.")


class ServiceFactsSerializer(VirtualFactsSerializer):
    modelCount = serializers.IntegerField(help_text="The number of its models.")
    hiddenCount = serializers.IntegerField(help_text="The number of them that are hidden.")
    refused = RefusedParameterSerializer(
        many=True,
        required=False,
        help_text="What calls leave out, because the service refused it; missing if nothing. Not part of its setup.",
    )


class ServiceSerializer(RecordSerializer):
    """A provider's endpoint. Keys are shown as `bigagi-secret:` and their last four characters."""

    collection = SERVICES
    id = IdMember(help_text="1 to 200 characters; if missing, one is created from vId.")
    # Any, here as in other serializers: DRF's fields have attributes of this name.
    label: Any = TextMember(help_text="big-AGI itself accepts up to 32 characters.")
    vId = TextMember(help_text="The vendor, such as openai.")
    setup = AnyMember(help_text="Host and keys. Sending a marker back keeps the stored key.")
    _server = ServiceFactsSerializer(read_only=True)

    def get_facts(self, records: Sequence[Service]) -> list[dict[str, Any]]:
        counts = count_models(records)
        paths = {service.uid: path_of(record) for service, record in zip(records, self.load(records), strict=True)}
        refused = tell_refusals(paths)
        counted = [counts.get(service.uid, (0, 0)) for service in records]
        return [
            {"href": href("services", service.uid), "modelCount": count, "hiddenCount": unseen}
            | refused.get(service.uid, {})
            for service, (count, unseen) in zip(records, counted, strict=True)
        ]


class LeftOutSerializer(serializers.Serializer[Any]):
    """A listed model that is not offered."""

    ref = serializers.CharField(help_text="The provider's name of the model.")
    reason = serializers.CharField(help_text="Why it is left out.")
    id = serializers.CharField(
        allow_null=True,
        help_text="The hidden model: PATCH its `userHidden` to false to offer it. null where none could be kept.",
    )


class RefreshedSerializer(serializers.Serializer[Any]):
    """The result of a refresh, as ids of models."""

    added = serializers.ListField(child=serializers.CharField(), help_text="Models that were added.")
    kept = serializers.ListField(
        child=serializers.CharField(), help_text="Models that were kept: still offered, or clones."
    )
    vanished = serializers.ListField(
        child=serializers.CharField(), help_text="Models that are no longer offered; they are kept and hidden."
    )
    leftOut = LeftOutSerializer(
        many=True, help_text="Listed models that are not offered, with the reason: they cannot chat, or cannot be kept."
    )


class EffectiveSerializer(serializers.Serializer[Any]):
    """The effective values of a model: your settings, otherwise the vendor's values."""

    # DRF's fields have attributes of these names.
    label: Any = serializers.CharField(allow_null=True, help_text="userLabel, otherwise label.")
    hidden = serializers.BooleanField(help_text="userHidden, otherwise hidden.")
    starred = serializers.BooleanField(help_text="userStarred.")
    contextTokens = serializers.IntegerField(allow_null=True, help_text="userContextTokens, otherwise contextTokens.")
    maxOutputTokens = serializers.IntegerField(
        allow_null=True, help_text="userMaxOutputTokens, otherwise maxOutputTokens."
    )
    pricing = serializers.DictField(
        allow_null=True, help_text="userPricing, otherwise pricing, in USD per million tokens; null if unpriced."
    )


class ModelFactsSerializer(VirtualFactsSerializer):
    effective = EffectiveSerializer()
    serviceHref = serializers.CharField(allow_null=True, help_text="Its service, which may not exist.")


class ModelSerializer(RecordSerializer):
    """A model that a service offers."""

    collection = MODELS
    id = IdMember(help_text="1 to 200 characters.")
    label: Any = TextMember()
    sId = TextMember()
    vId = TextMember()
    hidden = FlagMember()
    hiddenReason = TextMember(help_text="Why a refresh has hidden it.")
    contextTokens = NumberMember(allow_null=True)
    maxOutputTokens = NumberMember(allow_null=True)
    interfaces = ListMember()
    pricing = AnyMember()
    userLabel = TextMember(help_text="Your own name for it; overrides label.")
    userHidden = FlagMember()
    userStarred = FlagMember()
    userContextTokens = NumberMember(allow_null=True)
    userMaxOutputTokens = NumberMember(allow_null=True)
    userPricing = AnyMember()
    _server = ModelFactsSerializer(read_only=True)

    def get_facts(self, records: Sequence[Model]) -> list[dict[str, Any]]:
        return [
            {
                "href": href("llms", model.uid),
                "serviceHref": href("services", model.service_uid) if model.service_uid else None,
                "effective": effective_values(record),
            }
            for model, record in zip(records, self.load(records), strict=True)
        ]


class ParameterSerializer(serializers.Serializer[Any]):
    """A parameter of a model that you can set."""

    id = serializers.CharField(help_text="big-AGI's name for it.")
    # DRF's fields have attributes of these names.
    label: Any = serializers.CharField()
    about = serializers.CharField(help_text="What it does.")
    range = serializers.CharField(help_text="The values that it takes, as text.")
    choices = serializers.ListField(child=serializers.CharField(), help_text="Empty for a number.")
    value: Any = serializers.JSONField(help_text="null if none is sent.")
    default: Any = serializers.JSONField(help_text="The model's default; null for the provider's own.")
    isSet = serializers.BooleanField(help_text="Whether you set it.")
    refusedAt = serializers.IntegerField(
        allow_null=True, help_text="When the provider refused it, in ms since the epoch: calls leave it out."
    )
    triedAgainAt = serializers.IntegerField(
        allow_null=True, help_text="From when on it is sent again, in ms since the epoch."
    )


class ModelParametersSerializer(serializers.Serializer[Any]):
    """The parameters of a model. They hold for all chats with it."""

    parameters = ParameterSerializer(many=True)
    kept = serializers.ListField(
        child=serializers.CharField(), help_text="Parameters of big-AGI's that are kept and not sent."
    )


class SetParametersSerializer(FormSerializer):
    """Values by parameter; null for the model's default."""

    noun = "parameter"
    llmTemperature = AnyMember(schema={"type": "number"}, allow_null=True)
    llmTopP = AnyMember(schema={"type": "number"}, allow_null=True)
    llmResponseTokens = AnyMember(schema={"type": "integer"}, allow_null=True)
    llmVndOaiEffort = AnyMember(schema={"type": "string"}, allow_null=True)
    llmVndOaiVerbosity = AnyMember(schema={"type": "string"}, allow_null=True)


class AssignmentFactsSerializer(ServerFactsSerializer):
    domain = serializers.CharField(help_text="What the model is used for, such as primaryChat.")


class AssignmentSerializer(RecordSerializer):
    """The model of a domain."""

    collection = ASSIGNMENTS
    mct = TextMember(help_text="Default: model-parametric.")
    domainId = TextMember(help_text="Default: the domain in the address.")
    modelId = TextMember(allow_null=True, help_text="The model's id, which need not exist here; null for none.")
    modelParameters = ObjectMember()
    _server = AssignmentFactsSerializer(read_only=True)

    def get_facts(self, records: Sequence[Assignment]) -> list[dict[str, Any]]:
        return [{"href": href("assignments", row.uid), "domain": row.uid} for row in records]


class LlmsSerializer(serializers.Serializer[Any]):
    """All models and services in order, and all assignments keyed by domain."""

    llms = ModelSerializer(many=True)
    services = ServiceSerializer(many=True)
    assignments = serializers.DictField(child=AssignmentSerializer())


class LlmsWriteSerializer(serializers.Serializer[Any]):
    """Models, services and assignments to write together."""

    rules = {
        "properties": {
            "llms": {"items": {"required": ["id"]}},
            "services": {"items": {"required": ["id"]}},
            "assignments": {"propertyNames": ID},
        },
        "anyOf": [
            {"properties": {"mode": {"const": "merge"}}},
            {"properties": {"mode": {"const": "replace"}}, "required": ["mode", "llms", "services", "assignments"]},
        ],
        "additionalProperties": False,
    }
    mode = serializers.ChoiceField(
        ["merge", "replace"],
        default="merge",
        help_text="merge: adds records, or updates the fields that are sent, and changes nothing else. replace: "
        "replaces everything, in this order; all three must be sent.",
    )
    llms = ModelSerializer(many=True, required=False)
    services = ServiceSerializer(many=True, required=False)
    assignments = serializers.DictField(child=AssignmentSerializer(), required=False, help_text="Keyed by domain.")
