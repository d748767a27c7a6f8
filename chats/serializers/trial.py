"""The test of a model in six steps."""

from typing import Any

from rest_framework import serializers


class TrialSerializer(serializers.Serializer[Any]):
    """The model to test."""

    rules = {"additionalProperties": False}
    modelId = serializers.CharField(required=False, help_text="Default: the model of `primaryChat`.")


class TrialServiceSerializer(serializers.Serializer[Any]):
    """Whether a service can be used."""

    id = serializers.CharField()
    label: Any = serializers.CharField(allow_null=True)
    vendor = serializers.CharField(allow_null=True)
    virtual = serializers.BooleanField(help_text="Whether it comes with the program or from the environment.")
    configured = serializers.BooleanField(help_text="Whether it has all that a call needs.")
    reachable = serializers.BooleanField(allow_null=True, help_text="null if its host was not checked.")
    detail = serializers.CharField(help_text="What is missing.")


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
    ms = serializers.IntegerField()
    steps = TrialStepSerializer(many=True)
