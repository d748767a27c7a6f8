"""The page on which services are added, edited and tried. Its script works through the API."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from llms.vendors import VENDORS


@require_safe
@ensure_csrf_cookie
def services_page(request: HttpRequest) -> HttpResponse:
    """Show the services; what a vendor's setup is called goes along, for the form."""
    vendors = [
        {
            "id": vendor.id,
            "label": vendor.label,
            "key": vendor.key,
            "hostKey": vendor.host_key or vendor.region_key,
            "hostLabel": "Region" if vendor.region_key else "Host",
            "host": vendor.default_region if vendor.region_key else vendor.host or "",
            "needsKey": vendor.needs_key,
        }
        for vendor in sorted(VENDORS.values(), key=lambda vendor: vendor.label.lower())
    ]
    return render(request, "llms/services.html", {"section": "services", "vendors": vendors})
