"""The sign of life."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe


@require_safe
@login_not_required
async def health(request: HttpRequest) -> JsonResponse:
    """Tell that the process answers; it asks neither database nor disk."""
    return JsonResponse({"status": "ok"})
