"""The admin site keeps to bigagi's own records: accounts and tokens are managed at `/account`."""

from django.apps import apps
from django.contrib import admin

# Their own admins write past the journal; they were registered when their apps were loaded, which is before this one.
for model in [model for model in admin.site._registry if model._meta.app_label in ("auth", "knox")]:
    admin.site.unregister(apps.get_model(model._meta.label))
