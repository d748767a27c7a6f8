from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from bigagi_site.views import inspection
from bigagi_site.views.account import account, revoke_token, tokens
from bigagi_site.views.dashboard import change_budget, count_anew, dashboard
from bigagi_site.views.docs import (
    DatabasePage,
    DiagramView,
    FiveMinutesPage,
    InsomniaView,
    ReferencePage,
    TroubleshootingPage,
)
from bigagi_site.views.health import health
from bigagi_site.views.imports import import_page, record_page, run_page
from bigagi_site.views.pages import home
from bigagi_site.views.ready import ReadyView
from bigagi_site.views.settings_page import (
    save_budget,
    save_chat,
    save_display,
    save_models,
    settings_page,
    undo_setting,
)
from bigagi_site.views.sign_in import SignInView
from bigagi_site.views.sqlite_test import sqlite_test_page
from llms.views.page import services_page
from stores.api.schema import SchemaView
from stores.api.viewsets import UnknownRouteView

# Their addresses are listed below (see `bigagi_site.admin_app`).
admin.autodiscover()

api_patterns: list[URLPattern | URLResolver] = [
    path("", include("stores.urls")),
    path("", include("llms.urls")),
    path("", include("metrics.urls")),
    path("", include("workspace.urls")),
    path("", include("chats.urls")),
    re_path(r"^ready/?$", ReadyView.as_view(), name="ready"),
    re_path(r"^schema/?$", SchemaView.as_view(), name="schema"),
    re_path(r"^docs/?$", ReferencePage.as_view(), name="api-docs"),
    re_path(r"^docs/five-minutes/?$", FiveMinutesPage.as_view(), name="five-minutes"),
    re_path(r"^docs/troubleshooting/?$", TroubleshootingPage.as_view(), name="troubleshooting"),
    re_path(r"^docs/database/?$", DatabasePage.as_view(), name="database-docs"),
    re_path(r"^docs/database/(?P<label>[a-z_]+)\.svg/?$", DiagramView.as_view(), name="database-diagram"),
    re_path(r"^insomnia\.json/?$", InsomniaView.as_view(), name="insomnia"),
    # Last: an error here is a problem in JSON, never a page.
    re_path("", UnknownRouteView.as_view()),
]

urlpatterns = [
    path("", home, name="home"),
    path("import", import_page, name="import"),
    path("import/<int:run_id>", run_page, name="import-run"),
    path("import/<int:run_id>/records/<int:record_id>", record_page, name="import-record"),
    path("settings", settings_page, name="settings"),
    path("settings/display", save_display, name="settings-display"),
    path("settings/chat", save_chat, name="settings-chat"),
    path("settings/models", save_models, name="settings-models"),
    path("settings/budgets", save_budget, name="settings-budgets"),
    re_path(r"^settings/(?P<section>display|chat|models|budgets)/undo$", undo_setting, name="undo-setting"),
    path("services", services_page, name="services"),
    path("", include("chats.pages.urls")),
    path("sqlite-test", sqlite_test_page, name="sqlite-test"),
    path("account", account, name="account"),
    path("account/tokens", tokens, name="tokens"),
    path("account/tokens/<int:token_id>/revoke", revoke_token, name="revoke-token"),
    path("sqlite-test/sql", inspection.run_sql, name="sqlite-test-sql"),
    path("sqlite-test/tables", inspection.tables, name="sqlite-test-tables"),
    path("sqlite-test/tables/<str:name>", inspection.table, name="sqlite-test-table"),
    path("sqlite-test/tables/<str:name>/rows", inspection.table_rows, name="sqlite-test-table-rows"),
    path("sign-in", SignInView.as_view(), name="sign-in"),
    path("sign-out", LogoutView.as_view(), name="sign-out"),
    re_path(r"^api/health/?$", health, name="health"),
    path("api", UnknownRouteView.as_view()),
    path("api/", include(api_patterns)),
    # Browsers ask for it beside pages that name no icon, as the API's.
    path("favicon.ico", login_not_required(RedirectView.as_view(url=f"{settings.STATIC_URL}bigagi/icon.svg"))),
    # One way to sign in: the admin's own page knows no links.
    path("admin/login/", login_not_required(RedirectView.as_view(pattern_name="sign-in", query_string=True))),
    path("admin/dashboard", dashboard, name="dashboard"),
    path("admin/dashboard/counting", count_anew, name="dashboard-counting"),
    path("admin/dashboard/budget", change_budget, name="dashboard-budget"),
    path("admin/", admin.site.urls),
]

handler400 = "bigagi_site.views.errors.bad_request"
handler403 = "bigagi_site.views.errors.permission_denied"
handler404 = "bigagi_site.views.errors.page_not_found"
handler500 = "bigagi_site.views.errors.server_error"
