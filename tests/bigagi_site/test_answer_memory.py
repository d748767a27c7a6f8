"""What the server still holds of a request once it has answered."""

import asyncio
import gc
import weakref

import pytest
from rest_framework.response import Response
from rest_framework.views import APIView

from bigagi_site.asgi_handler import ThreadHandler

SCOPE = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "client": None, "server": None}
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"2")]


@pytest.fixture
def no_collector():
    gc.disable()
    yield
    gc.enable()


def test_an_answer_is_gone_once_it_is_sent_without_the_garbage_collector(no_collector):
    left = []

    class LongView(APIView):
        authentication_classes = permission_classes = ()

        def post(self, request):
            answer = Response(request.data)
            left.extend(weakref.ref(each) for each in (self, request, answer))
            return answer

    class Loaded:
        def get_response(self, request):
            return LongView.as_view()(request).render()

    handler = ThreadHandler(Loaded(), "test", threads=1)
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"{}"}

    async def send(message):
        sent.append(message.get("body", b""))

    asyncio.run(handler(SCOPE | {"headers": HEADERS}, receive, send))
    handler._threads.shutdown()
    assert b"".join(sent) == b"{}"
    assert [each() for each in left] == [None, None, None]
