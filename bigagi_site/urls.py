from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from bigagi_site.views.health import health
from bigagi_site.views.pages import account, home, import_help
from bigagi_site.views.sign_in import SignInView
from stores.api.schema import DocsView, SchemaView
from stores.api.viewsets import UnknownRouteView

api_patterns: list[URLPattern | URLResolver] = [
    path("", include("stores.urls")),
    path("", include("llms.urls")),
    path("", include("metrics.urls")),
    path("", include("workspace.urls")),
    path("", include("chats.urls")),
    re_path(r"^schema/?$", SchemaView.as_view(), name="schema"),
    re_path(r"^docs/?$", DocsView.as_view(), name="api-docs"),
    # Last: an error here is a problem in JSON, never a page.
    re_path("", UnknownRouteView.as_view()),
]

urlpatterns = [
    path("", home, name="home"),
    path("import", import_help, name="import"),
    path("account", account, name="account"),
    path("sign-in", SignInView.as_view(), name="sign-in"),
    path("sign-out", LogoutView.as_view(), name="sign-out"),
    re_path(r"^api/health/?$", health, name="health"),
    path("api", UnknownRouteView.as_view()),
    path("api/", include(api_patterns)),
    # Browsers ask for it beside pages that name no icon, as the API's.
    path("favicon.ico", login_not_required(RedirectView.as_view(url=f"{settings.STATIC_URL}bigagi/icon.svg"))),
    # One way to sign in: the admin's own page knows no links.
    path("admin/login/", login_not_required(RedirectView.as_view(pattern_name="sign-in", query_string=True))),
    path("admin/", admin.site.urls),
]

handler400 = "bigagi_site.views.errors.bad_request"
handler403 = "bigagi_site.views.errors.permission_denied"
handler404 = "bigagi_site.views.errors.page_not_found"
handler500 = "bigagi_site.views.errors.server_error"
