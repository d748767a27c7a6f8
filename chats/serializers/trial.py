"""The test of a model in six steps."""

from typing import Any

from rest_framework import serializers

from stores.api.members import FlagMember, NameMember
from stores.api.serializers import FormSerializer
from stores.records.errors import at


class TrialSerializer(FormSerializer):
    """The model to test, and what to ask it."""

    rules = FormSerializer.rules | {"not": {"required": ["modelId", "serviceId"]}}
    modelId = NameMember(help_text="Default: the model of `primaryChat`.")
    serviceId = NameMember(help_text="In place of a model: the service whose cheapest visible model is tested.")
    prompt = NameMember(help_text="What to ask. Default: a question whose answer shows what reached the model.")
    shareContext = FlagMember(help_text="Also send the preferences. Default: true.")

    def validate(self, attrs: Any) -> Any:
        if "modelId" in attrs and "serviceId" in attrs:
            raise at("/serviceId", "Must not be sent together with modelId.", "exclusive")
        if attrs.get("prompt") == "":
            raise at("/prompt", "Must not be empty.", "blank")
        return attrs


class TrialServiceSerializer(serializers.Serializer[Any]):
    """Whether a service can be used."""

    id = serializers.CharField()
    label: Any = serializers.CharField(allow_null=True)
    vendor = serializers.CharField(allow_null=True)
    virtual = serializers.BooleanField(help_text="Whether it comes with the program or from the environment.")
    configured = serializers.BooleanField(help_text="Whether it has all that a call needs.")
    check = serializers.ChoiceField(
        ["models", "connection", "none"],
        help_text="What was done: one real call, for the list of models; only a connection, where the provider has no "
        "such list; nothing.",
    )
    reachable = serializers.BooleanField(allow_null=True, help_text="Whether its host responded; null: not asked.")
    working = serializers.BooleanField(
        allow_null=True, help_text="Whether it listed its models, so the key is accepted; null: not asked."
    )
    models = serializers.IntegerField(allow_null=True, help_text="How many models it listed.")
    ms = serializers.IntegerField(allow_null=True, help_text="How long that took.")
    detail = serializers.CharField(help_text="The result, or what is missing or wrong.")


class TrialServicesSerializer(serializers.Serializer[Any]):
    services = TrialServiceSerializer(many=True)


class TrialStepSerializer(serializers.Serializer[Any]):
    """One step of the test."""

    number = serializers.IntegerField(min_value=1, max_value=6)
    name = serializers.CharField()
    title = serializers.CharField()
    status = serializers.ChoiceField(["ok", "failed", "skipped"])
    detail = serializers.CharField(help_text="The result, or what went wrong and how to fix it.")
    ms = serializers.IntegerField()


class TrialModelSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    service = serializers.CharField()


class TrialStepsSerializer(serializers.Serializer[Any]):
    """The whole test."""

    ok = serializers.BooleanField(help_text="Whether all steps succeeded.")
    model = TrialModelSerializer(allow_null=True)
    answer = serializers.CharField(help_text="The text of the answer.")
    ms = serializers.IntegerField()
    steps = TrialStepSerializer(many=True)
