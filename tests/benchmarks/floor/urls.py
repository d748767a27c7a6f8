from django.urls import path

from bigagi_site.urls import handler400, handler403, handler404, handler500
from bigagi_site.urls import urlpatterns as api
from tests.benchmarks.floor import views

__all__ = ["handler400", "handler403", "handler404", "handler500"]

urlpatterns = [
    path("floor/chats", views.list_chats),
    path("floor/chats/<uid>", views.chat),
    path("floor/chats/<uid>/messages", views.append),
    path("floor/stores/<name>", views.store),
    *api,
]
