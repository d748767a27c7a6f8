from django.urls import path

from tests.benchmarks.floor import proxy, views

urlpatterns = [
    path("api/chats", views.list_chats),
    path("api/chats/<uid>", views.chat),
    path("api/chats/<uid>/messages", views.append),
    path("api/stores/<name>", views.store),
    path("proxy", proxy.proxy),
]
