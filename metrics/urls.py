from django.urls import re_path

from metrics.views import MetricsView

app_name = "metrics"

urlpatterns = [re_path(r"^metrics/?$", MetricsView.as_view(), name="totals")]
