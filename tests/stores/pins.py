"""A third long list, from outside: a table of another of the browser's databases, with bytes of its own kind."""

from django.db import models

from stores.models import Record
from stores.records.registry import StoreSpec
from stores.records.table_collections import TableCollection


class Pin(Record):
    title = models.TextField(null=True)
    position = models.BigIntegerField()

    class Meta:
        app_label = "workspace"


class Pins(TableCollection):
    store, key, kind, model = "Pin-Board", "pins", "pin", Pin
    paths = {"title": "title"}
    is_long = True
    if_absent = "The file has no pins."


PINS = Pins()
PIN_BOARD = StoreSpec("Pin-Board", collections=(PINS,), phase="workspace", is_database=True)
