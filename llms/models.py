"""Services, the models they offer, which model serves which domain, and what services refused."""

from django.db import models

from stores.models import Record
from stores.records.fields import VerbatimJSONField


class Service(Record):
    """A configured provider endpoint."""

    label = models.TextField(null=True, blank=True, help_text="The name that the person gave, or big-AGI.")
    vendor_id = models.CharField(max_length=100, null=True, blank=True, help_text="The vendor (vId), as openai.")
    setup = VerbatimJSONField(null=True, blank=True, help_text="Host and keys; keys are references to secrets.")
    position = models.BigIntegerField(help_text="Place among the services.")

    class Meta:
        ordering = ["position", "pk"]
        indexes = [models.Index(fields=["position"], name="llms_service_position")]

    def __str__(self) -> str:
        return self.label or self.uid


class Model(Record):
    """A model that a service offers. The owner's settings override the vendor's values."""

    label = models.TextField(null=True, blank=True, help_text="The vendor's name of the model.")
    service_uid = models.CharField(
        max_length=200, null=True, blank=True, help_text="The id of its service (sId); the service can be missing."
    )
    vendor_id = models.CharField(max_length=100, null=True, blank=True, help_text="The vendor (vId).")
    llm_ref = models.CharField(
        max_length=500, null=True, blank=True, help_text="The vendor's own id of the model (initialParameters.llmRef)."
    )
    description = models.TextField(null=True, blank=True, help_text="What the vendor says of it.")
    hidden = models.BooleanField(null=True, blank=True, help_text="Whether big-AGI hides it.")
    context_tokens = models.BigIntegerField(null=True, blank=True, help_text="Size of the context window.")
    max_output_tokens = models.BigIntegerField(null=True, blank=True, help_text="The longest answer, in tokens.")
    interfaces = VerbatimJSONField(null=True, blank=True, help_text="What it can do, as oai-chat-vision.")
    pricing = VerbatimJSONField(null=True, blank=True, help_text="USD a million tokens, in big-AGI's shape.")
    created = models.BigIntegerField(null=True, blank=True, help_text="Creation, seconds since the epoch.")
    updated = models.BigIntegerField(null=True, blank=True, help_text="Last change, seconds since the epoch.")
    pub_date = models.CharField(max_length=20, null=True, blank=True, help_text="Publication, YYYYMMDD.")

    user_label = models.TextField(null=True, blank=True, help_text="The person's name for it.")
    user_hidden = models.BooleanField(null=True, blank=True, help_text="Whether the person hid it.")
    user_starred = models.BooleanField(null=True, blank=True, help_text="Whether the person starred it.")

    position = models.BigIntegerField(help_text="Place among the models.")

    class Meta:
        ordering = ["position", "pk"]
        indexes = [
            models.Index(fields=["position"], name="llms_model_position"),
            models.Index(fields=["service_uid"], name="llms_model_service"),
            models.Index(fields=["vendor_id"], name="llms_model_vendor"),
        ]

    def __str__(self) -> str:
        return self.user_label or self.label or self.uid


class Assignment(Record):
    """The model of a domain (primaryChat, codeApply, …); its id is the domain. Absent: automatic."""

    model_uid = models.CharField(
        max_length=200, null=True, blank=True, help_text="The model's id (modelId); the model can be missing."
    )

    class Meta:
        ordering = ["uid"]

    def __str__(self) -> str:
        return self.uid


class RefusedParameter(models.Model):
    """An optional parameter that a service refused when bigagi called it: it is left out for 30 days, at this address.
    Not part of big-AGI's setup."""

    service_uid = models.CharField(max_length=200, help_text="The id of the service.")
    model_ref = models.CharField(
        max_length=200, blank=True, help_text="The provider's name of the model that refused it; empty: any model."
    )
    parameter = models.CharField(max_length=50, help_text="The parameter, as stream_options.")
    address = models.TextField(help_text="Scheme, host, port and path that refused it.")
    refused_at = models.DateTimeField(help_text="When it was refused.")

    class Meta:
        ordering = ["service_uid", "model_ref", "parameter"]
        constraints = [
            models.UniqueConstraint(
                fields=["service_uid", "model_ref", "parameter"], name="llms_refused_parameter_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.parameter} at {self.service_uid}"
