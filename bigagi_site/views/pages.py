"""Home and import help."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bigagi_site.overview import describe_data


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show what is stored, where, and what to do next."""
    return render(request, "home.html", {"overview": describe_data(), "section": "home"})


@require_safe
def import_help(request: HttpRequest) -> HttpResponse:
    """Show how to get a complete backup out of big-AGI and into bigagi."""
    return render(request, "import.html", {"section": "import"})
