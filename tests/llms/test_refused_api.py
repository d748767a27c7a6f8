"""What a service refuses is left out once, and remembered: through a started server, and in the admin."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils.timezone import now

from llms.models import RefusedParameter
from llms.refused import find_refused_by
from stores.records.preconditions import counter_of
from tests.api import make_service, read, sign_in
from tests.providers import FakeProvider, Handler, run_provider
from tests.servers import execute

ADDRESS = "https://one.example/v1"


class Refusing(FakeProvider):
    """Refuses a parameter in OpenAI's words, one after the other."""

    refuses = ("stream_options", "temperature", "max_completion_tokens")

    def answer(self, handler: Handler) -> None:
        body = self.asked[-1].body or {}
        for name in self.refuses:
            if name in body:
                error = {"message": f"Unsupported parameter: '{name}' is not supported.", "param": name}
                return handler.send_json({"error": error}, 400)
        return super().answer(handler)


@pytest.fixture
def provider():
    with run_provider(Refusing()) as running:
        yield running


def test_the_answer_comes_without_what_was_refused_and_the_next_call_leaves_it_out_at_once(server, provider):
    client = server.sign_in()

    def send(method, path, body=None):
        headers = {"Content-Type": "application/json"}
        answer = client.request(method, path, json.dumps(body or {}).encode(), headers=headers)
        assert answer.status in (200, 201), answer.text
        return answer

    def refused():
        return {each["parameter"]: each["model"] for each in facts().get("refused", [])}

    def facts():
        return client.get("/api/services/picky").json()["_server"]

    def test():
        provider.asked.clear()
        assert send("POST", "/api/services/picky/test").json()["text"] == "All is well."
        return [sorted(asked.body.keys() - {"messages", "model", "stream"}) for asked in provider.asked]

    model = {"id": "picky-good", "sId": "picky", "vId": "openai", "initialParameters": {"llmRef": "good-model"}}
    model["userParameters"] = {"llmTemperature": 0.5, "llmResponseTokens": 9}
    service = {"id": "picky", "vId": "openai", "label": "Picky", "setup": provider.setup()}
    send("POST", "/api/llms", {"services": [service], "llms": [model]})
    etag = client.get("/api/services/picky").headers["ETag"]
    assert test() == [["max_completion_tokens", "stream_options"], ["max_completion_tokens"], ["max_tokens"]]
    # A server that tells no usage does so for all models; others differ by model.
    assert refused() == {"stream_options": "", "max_completion_tokens": "good-model"}
    assert client.get("/api/services/picky").headers["ETag"] != etag
    assert test() == [["max_tokens"]]
    # The whole way of a chat; the temperature is refused for the first time.
    provider.asked.clear()
    chat = send("POST", "/api/chats", {"id": "chat", "messages": [], "systemPurposeId": "Generic"}).json()["id"]
    told = send("POST", f"/api/chats/{chat}/generate", {"message": {"text": "Hi"}, "modelId": "picky-good"})
    assert "event: done" in told.text and "well." in told.text
    assert ["temperature" in asked.body for asked in provider.asked[:2]] == [True, False]
    assert provider.asked[1].body["max_tokens"] == 9
    assert refused()["temperature"] == "good-model"
    # One call is one event, however often it was sent.
    assert execute(server.environment, "SELECT count(*) FROM metrics_usageevent WHERE service = 'picky'")[0][0] == 3
    # It is a fact on the address, and no part of the setup.
    send("PATCH", "/api/services/picky", {"setup": provider.setup(oaiHost=f"{provider.url}/other/v1")})
    assert refused() == {}
    assert len(test()) == 3
    provider.refuses = ()
    send("PATCH", "/api/services/picky", {"setup": provider.setup()})
    assert test() == [["max_completion_tokens", "stream_options"]]


@pytest.fixture
def refused():
    make_service(setup={"oaiHost": "one.example", "oaiKey": "sk-Provider0123456789"})
    for name, address in (("stream_options", ADDRESS), ("temperature", ADDRESS), ("max_tokens", "https://old.example")):
        facts = {"model_ref": "m" if name == "temperature" else "", "address": address, "refused_at": now()}
        RefusedParameter.objects.create(service_uid="openai", parameter=name, **facts)


@pytest.mark.django_db
@pytest.mark.usefixtures("refused")
def test_it_holds_for_the_model_and_the_address_and_for_30_days():
    assert find_refused_by("openai", "m", ADDRESS).current() == {"stream_options", "temperature"}
    other = find_refused_by("openai", "other", ADDRESS)
    assert other.current() == {"stream_options"}
    with time_machine.travel(now() + timedelta(days=31)):
        assert other.current() == set()
        assert "refused" not in read(sign_in().get("/api/services/openai"))["_server"]


@pytest.mark.django_db
@pytest.mark.usefixtures("refused")
def test_the_api_lists_it_and_forgets_it():
    client = sign_in()
    listed = read(client.get("/api/services/openai"))["_server"]["refused"]
    assert [(row["parameter"], row["model"]) for row in listed] == [("stream_options", ""), ("temperature", "m")]
    assert {row["triedAgainAt"] - row["refusedAt"] for row in listed} == {30 * 86_400_000}
    assert client.delete("/api/services/openai/refused").status_code == 204
    assert "refused" not in read(client.get("/api/services/openai"))["_server"]
    assert client.delete("/api/services/nobody/refused").status_code == 404


@pytest.mark.django_db
@pytest.mark.usefixtures("refused")
def test_the_services_page_in_the_admin_shows_it_and_forgets_it(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    service = make_service("other", 1)
    assert "Send them again" not in client.get(f"/admin/llms/service/{service.pk}/change/").text
    [pk] = RefusedParameter.objects.filter(parameter="temperature").values_list("pk", flat=True)
    before = counter_of("app-models").revision
    [page] = [row for row in client.get("/admin/llms/service/").context["cl"].result_list if row.uid == "openai"]
    html = client.get(f"/admin/llms/service/{page.pk}/change/").text
    assert "stream_options" in html and "temperature" in html and "max_tokens" not in html
    client.post(reverse("admin:llms_refusedparameter_act", args=(pk, "forget")))
    assert find_refused_by("openai", "m", ADDRESS).current() == {"stream_options"}
    answer = client.post(reverse("admin:llms_service_act", args=(page.pk, "forget")), follow=True)
    assert "2 parameters will be sent again with the next call." in answer.text
    assert not RefusedParameter.objects.exists() and counter_of("app-models").revision > before
