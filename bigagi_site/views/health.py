"""The health check."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe


@require_safe
@login_not_required
async def health(request: HttpRequest) -> JsonResponse:
    """Report that the process is running, without using database or disk."""
    return JsonResponse({"status": "ok"})
