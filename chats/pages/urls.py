from django.urls import path, re_path

from chats.pages.budgets import budget
from chats.pages.chat import chat_page, new_chat_page, state, turns
from chats.pages.find import find
from chats.pages.parts import crash, models, personas, preview, search, usage
from chats.pages.settings_panel import settings_panel
from chats.pages.status import status
from stores.records.ids import LOOKUP

urlpatterns = [
    path("chat-test", new_chat_page, name="chat-page"),
    re_path(rf"^chat-test/(?P<chat>{LOOKUP})$", chat_page, name="chat-page-of"),
    re_path(rf"^chat-test/(?P<chat>{LOOKUP})/turns$", turns, name="chat-turns"),
    re_path(rf"^chat-test/(?P<chat>{LOOKUP})/state$", state, name="chat-state"),
    path("chat-parts/budget", budget, name="chat-budget"),
    path("chat-parts/crash", crash, name="chat-crash"),
    path("chat-parts/find", find, name="chat-find"),
    path("chat-parts/models", models, name="chat-models"),
    path("chat-parts/personas", personas, name="chat-personas"),
    path("chat-parts/preview", preview, name="chat-preview"),
    path("chat-parts/search", search, name="chat-search"),
    path("chat-parts/settings", settings_panel, name="chat-settings"),
    path("chat-parts/status", status, name="chat-status"),
    path("chat-parts/usage", usage, name="chat-usage"),
]
