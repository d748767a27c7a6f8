"""Rows of any model, filled by the types of its fields, for tests that walk all models."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import models

from bigagi_site.models import Statistic, Token
from stores.records.fields import CompressedTextField, VerbatimJSONField

APPS = ("stores", "llms", "metrics", "workspace", "chats")


def all_models() -> list[type[models.Model]]:
    """Return the models that the admin shows: those of all apps that keep big-AGI's data, and tokens."""
    return [model for app in APPS for model in apps.get_app_config(app).get_models()] + [Token, Statistic]


def make_row(model: type[models.Model], number: int) -> models.Model:
    """Store a row of the model; rows with different numbers can stand side by side."""
    values = {field.name: _value(field, number) for field in model._meta.concrete_fields if not _is_filled(field)}
    row = model(**values)
    row.save(force_insert=True)
    return row


def _is_filled(field: models.Field) -> bool:
    """Tell whether a field fills itself."""
    is_time = getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    return is_time or isinstance(field, models.AutoField)


def _value(field: models.Field, number: int) -> Any:
    if isinstance(field, models.ForeignKey):
        return None if field.related_model is field.model else _related(field.related_model, number)
    if isinstance(field, VerbatimJSONField):
        return {"number": number, "list": [None, True]}
    if isinstance(field, CompressedTextField):
        return f'{{"number":{number}}}'
    if isinstance(field, models.BinaryField):
        return b"bytes"
    if field.choices:
        return field.choices[0][0]
    if isinstance(field, models.CharField):
        return f"{number}-{field.name}"[: field.max_length]
    if isinstance(field, models.TextField):
        return f"{field.name} {number}"
    if isinstance(field, models.BooleanField):
        return bool(number % 2)
    if isinstance(field, models.DateTimeField):
        return None if field.null else datetime(2026, 1, 1, tzinfo=UTC)
    if isinstance(field, models.DateField):
        return date(2026, 1, 1) + timedelta(days=number)
    # A time that is a key is known for 0 already: time zones begin with it.
    return number + 1 if field.primary_key else number


def _related(model: type[models.Model], number: int) -> models.Model:
    name = next((name for name in ("uid", "username") if hasattr(model, name)), None)
    known = model.objects.filter(**{name: f"{number}-{name}"}).first() if name else None
    return known or make_row(model, number)
