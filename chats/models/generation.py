"""Generations of answers, and what they sent."""

from django.db import models

from chats.models.conversation import Conversation
from stores.records.fields import VerbatimJSONField


class Generation(models.Model):
    """One answer of a model, which is written into one assistant message.

    Its `owner` renews `lease_until` while it runs; one whose lease has expired can be closed by any process.
    """

    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"
        ERROR = "error", "Error"

    uid = models.CharField("id", max_length=32, unique=True, help_text="The generation's id.")
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="generations", help_text="The chat that it writes in."
    )
    message_uid = models.CharField(max_length=200, help_text="The id of the message that it writes.")
    user_message_uid = models.CharField(max_length=200, blank=True, help_text="The id of the message it answers.")
    status = models.CharField(
        max_length=8, choices=Status.choices, default=Status.RUNNING, help_text="Where it stands."
    )
    model_uid = models.CharField(max_length=200, help_text="The model's id.")
    service_uid = models.CharField(max_length=200, help_text="The service's id.")
    vendor = models.CharField(max_length=100, help_text="The vendor's id.")
    source = models.CharField(max_length=8, default="api", help_text="What started it: api, chat or test.")
    actor = models.CharField(max_length=200, blank=True, help_text="Who started it.")
    request_id = models.CharField(max_length=64, blank=True, help_text="The id of the request that started it.")
    start_message = VerbatimJSONField(help_text="The message as it was when the run began.")
    detail = models.TextField(blank=True, help_text="What went wrong, in words.")
    sequence = models.BigIntegerField(default=0, help_text="Number of the last event that was kept.")
    owner = models.CharField(max_length=64, help_text="The process that runs it.")
    lease_until = models.BigIntegerField(help_text="Until when its owner answers for it, in ms since the epoch.")
    stop_requested = models.BooleanField(default=False, help_text="Whether somebody asked to stop it.")
    started = models.BigIntegerField(help_text="When it began, in ms since the epoch.")
    ended = models.BigIntegerField(null=True, blank=True, help_text="When it ended, in ms since the epoch.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            # Two generations would write one chat at once.
            models.UniqueConstraint(
                fields=["conversation"], condition=models.Q(status="running"), name="chats_generation_one_running"
            )
        ]
        indexes = [models.Index(fields=["status", "lease_until"], name="chats_generation_status")]

    def __str__(self) -> str:
        return f"{self.model_uid}, {self.status}"


class GenerationEvents(models.Model):
    """A stretch of what a generation sent, for readers who join later; deleted ten minutes after the end."""

    generation = models.ForeignKey(
        Generation, on_delete=models.CASCADE, related_name="events", help_text="The run that sent it."
    )
    first = models.BigIntegerField(help_text="Number of the first event.")
    last = models.BigIntegerField(help_text="Number of the last event.")
    frames = models.TextField(help_text="The events as they were sent (text/event-stream).")

    class Meta:
        ordering = ["generation", "first"]
        verbose_name = "streamed piece"
        indexes = [models.Index(fields=["generation", "last"], name="chats_generationevents_last")]

    def __str__(self) -> str:
        return f"{self.first}–{self.last}"
