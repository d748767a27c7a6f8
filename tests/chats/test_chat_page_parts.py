"""What the server gives the chat page, without a browser."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from bigagi_site.tokens import create_token
from chats.generations.markdown import BlockRenderer
from chats.links import chat_page_path
from chats.models import Generation
from chats.pages.turns import figures_of
from llms.models import RefusedParameter
from llms.vendors.endpoint import path_of
from metrics.ledger.corrections import correct
from metrics.models import UsageEvent
from stores.models import Change, ImportedRecord, Revision
from stores.records.ids import encode_id
from tests.api import make_model, make_service
from tests.bigagi_site.factories import make_conversation, make_message, make_owner
from tests.metrics.events import make_event as write_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner_client(client):
    client.force_login(make_owner())
    return client


@pytest.fixture
def chat():
    chat = make_conversation("a chat")
    for position in range(100):
        make_message(chat, f"message-{position}", position=position)
    return chat


def positions(answer) -> list[int]:
    return [int(piece.split('"', 1)[0]) for piece in answer.text.split('data-position="')[1:]]


@pytest.mark.parametrize(
    "path",
    [
        "/chat-test",
        "/chat-test/x",
        "/chat-parts/budget",
        "/chat-parts/crash",
        "/chat-parts/models",
        "/chat-parts/personas",
        "/chat-parts/settings",
        "/chat-parts/status",
        "/chat-parts/usage",
    ],
)
def test_it_needs_a_sign_in(client, path):
    assert client.get(path).url == f"/sign-in?next={path}"


def test_a_chat_opens_with_its_end(owner_client, chat):
    shown = positions(owner_client.get("/chat-test/a%20chat"))
    assert shown == list(range(76, 100))


def test_stretches_join_without_gaps(owner_client, chat):
    def read(query):
        return positions(owner_client.get(f"/chat-test/a%20chat/turns?{query}"))

    assert read("before=76") == list(range(52, 76))
    assert read("after=9") == list(range(10, 34))
    assert read("before=0") == []
    assert 50 in read("at=message-50")
    assert read("only=message-7") == [7]
    assert read("only=nowhere") == []


def test_its_queries_do_not_grow_with_the_messages(owner_client, chat, django_assert_max_num_queries):
    owner_client.get("/chat-test/a%20chat")
    with django_assert_max_num_queries(40):
        owner_client.get("/chat-test/a%20chat")


def test_a_long_chat_opens_with_as_much_work_as_a_short_one(owner_client, chat):
    long = make_conversation("a long chat")
    for position in range(400):
        make_message(long, f"long-{position}", position=position)
    owner_client.get("/chat-test/a%20chat")
    seen, sizes = [], []
    for path in ("/chat-test/a%20chat", "/chat-test/a%20long%20chat"):
        with CaptureQueriesContext(connection) as queries:
            answer = owner_client.get(path)
        seen.append((len(queries), len(positions(answer))))
        sizes.append(len(answer.content))
    assert seen[0] == seen[1]
    assert sizes[0] == pytest.approx(sizes[1], abs=1_000)


def test_a_chat_and_its_branch_lead_to_each_other_from_where_they_part(owner_client, chat):
    branch = make_conversation("a/branch", auto_title="(1) Soup & Co")
    for position, uid in enumerate(("message-0", "message-90", "own")):
        make_message(branch, uid, position=position)
    ImportedRecord.objects.create(kind="conversation", uid=branch.uid, branch_of=chat.uid)
    for uid, other, shared in ((chat.uid, branch, "message-90"), (branch.uid, chat, "message-90")):
        page = owner_client.get(f"/chat-test/{encode_id(uid)}").text
        (link,) = re.findall(r'msg-forks">\s*Also continued in\s*<a href="([^"]*)">', page)
        assert link == f"/chat-test/{encode_id(other.uid)}"
        assert page.index(f'id="{shared}"') < page.index("msg-forks") < page.index('id="', page.index("msg-forks"))
        assert page.count('<article id="', page.index(f'id="{shared}"') - 20, page.index("msg-forks")) == 1
    assert "(1) Soup &amp; Co" in owner_client.get("/chat-test/a%20chat").text


@pytest.mark.parametrize("uid", ["a chat", "a/b", "süß", "100%", "-x", "~"])
def test_the_path_of_a_chat_opens_it_whatever_its_id(owner_client, uid):
    make_conversation(uid)
    assert owner_client.get(chat_page_path(uid)).status_code == 200


def test_a_message_leads_to_its_versions_that_are_not_shown(owner_client, chat):
    for reason, uid in (
        ("version", "a chat/message-95"),
        ("original", "a chat/message-96"),
        ("version", "b/message-97"),
    ):
        Revision.objects.create(kind="message", uid=uid, reason=reason, body="{}", content_hash=uid, size=2)
    page = owner_client.get("/chat-test/a%20chat").text
    (link,) = re.findall(r'href="([^"]*)">another version</a>', page)
    assert link == "/admin/stores/revision/?kind=message&amp;uid=a+chat%2Fmessage-95"
    assert owner_client.get(link.replace("&amp;", "&")).status_code == 200


def test_an_unknown_chat_is_404(owner_client):
    for path in ("/chat-test/nowhere", "/chat-test/nowhere/turns", "/chat-test/nowhere/state", "/chat-parts/status"):
        assert owner_client.get(path).status_code == 404


def test_the_state_names_the_run(owner_client, chat):
    assert owner_client.get("/chat-test/a%20chat/state").json()["running"] is None
    Generation.objects.create(
        uid="a" * 32,
        conversation=chat,
        message_uid="message-99",
        model_uid="m",
        service_uid="s",
        vendor="v",
        start_message={},
        owner="x",
        lease_until=0,
        started=0,
    )
    assert owner_client.get("/chat-test/a%20chat/state").json()["running"] == {
        "generation": "a" * 32,
        "message": "message-99",
    }


def test_models_have_demo_without_a_key(owner_client):
    services = owner_client.get("/chat-parts/models").json()["services"]
    assert services[-1]["label"] == "Demo (not an AI)"
    assert {model["input"] for model in services[-1]["models"]} == {"free"}


def make_event(**members):
    tokens = {"input_tokens": 1000, "output_tokens": 5}
    UsageEvent.objects.create(
        **({"at": 5, "source": "chat", "service": "bigagi-demo", "conversation": "x"} | tokens | members)
    )


def test_the_panel_marks_what_is_estimated_free_and_unpriced(owner_client):
    make_event(cost_code="free")
    make_event(service="near", cost_nano_usd=1_230, estimated=True)
    make_event(service="near", cost_code="no-pricing")
    make_event(service="far", cost_nano_usd=2_000_000_000)
    make_event(service="old", cost_nano_usd=10**12, source="import")
    told = owner_client.get("/chat-parts/usage?chat=x").text
    rows = [re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", row)).strip() for row in told.split("</tr>")[1:5]]
    assert rows == [
        "Demo (not an AI) 1 1,000 5 free",
        "far 1 1,000 5 $2.00",
        "near 2 ≈ 2,000 ≈ 10 ≈ $0.000001 1 unpriced",
        "All 4 ≈ 4,000 ≈ 20 ≈ $2.00 1 unpriced",
    ]


def test_the_panel_counts_no_tests_and_no_calls_that_were_taken_back(owner_client):
    make_event(service="near", cost_nano_usd=2_000_000_000)
    for taken_back in ({"cost_nano_usd": 10**9}, {"cost_code": "no-pricing", "estimated": True}, {"cost_code": "free"}):
        correct(write_event(service="near", conversation="x", **{"cost_nano_usd": None} | taken_back))
    correct(write_event(service="gone", conversation="x"))
    make_event(service="tried", source="test", cost_nano_usd=10**9)
    told = owner_client.get("/chat-parts/usage?chat=x").text
    rows = [re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", row)).strip() for row in told.split("</tr>")[1:-1]]
    assert rows[0] == "near 1 1,000 5 $2.00"
    assert "gone" not in told and "tried" not in told and "All" not in told


def test_a_preview_of_a_new_chat_shows_the_system_message(owner_client):
    told = owner_client.get("/chat-parts/preview?model=bigagi-demo-echo").json()
    assert [message["role"] for message in told["messages"]] == ["system"]
    counted = owner_client.get("/chat-parts/preview?model=bigagi-demo-echo&count=1").json()
    assert counted == told | {"messages": []} and counted["tokens"] == counted["systemTokens"] > 0
    assert owner_client.get("/chat-parts/preview?model=bigagi-demo-nope").status_code == 409


def test_pages_say_what_they_are(owner_client):
    body = {"messages": [], "systemPurposeId": "Generic"}
    for page in ("chat", "test", "import"):
        owner_client.post("/api/chats", body, "application/json", headers={"X-Bigagi-Source": page})
    owner_client.post("/api/chats", body, "application/json")
    assert list(Change.objects.order_by("pk").values_list("source", flat=True)) == ["chat", "test", "api", "api"]


def test_a_client_with_a_token_is_no_page(client):
    _, token = create_token(make_owner(), "program")
    headers = {"X-Bigagi-Source": "test", "Authorization": f"Bearer {token}"}
    body = {"messages": [], "systemPurposeId": "Generic"}
    assert client.post("/api/chats", body, "application/json", headers=headers).status_code == 201
    assert Change.objects.get().source == "api"


def test_blocks_end_where_a_browser_counts():
    text = "# 🎉 A\n\nB\n\nC"
    renderer = BlockRenderer()
    found = renderer.render_new(text)
    assert [(number, end) for number, _, end in found] == [(0, 8), (1, 11)]
    assert text.encode("utf-16-le")[11 * 2 :].decode("utf-16-le") == "C"
    assert renderer.render_new(text) == []


def test_the_panel_says_what_of_a_model_can_be_set_and_why_not(owner_client):
    setup = {"oaiKey": "sk-x", "oaiHost": "https://one.example/v1"}
    make_service("one", setup=setup)
    specs = [
        {"paramId": "llmVndAntWebSearchMaxUses"},
        {"paramId": "llmVndAnt1MContext"},
        {"paramId": "x", "hidden": True},
    ]
    initial = {"llmRef": "gpt", "llmResponseTokens": 16_384, "llmTemperature": 0.5}
    make_model("one-gpt", sId="one", parameterSpecs=specs, initialParameters=initial, maxOutputTokens=20_000)
    address = path_of({"vId": "openai", "setup": setup})
    RefusedParameter.objects.create(
        service_uid="one", model_ref="gpt", parameter="temperature", address=address, refused_at=now()
    )

    def told(model):
        answer = owner_client.get(f"/chat-parts/settings?model={model}")
        return " ".join(re.sub("<[^>]+>", " ", answer.text).split())

    text = told("one-gpt")
    assert "A number from 0 to 2. Default: 0.5. The provider refused this on" in text
    assert "A whole number from 1 to 20,000. Default: 16,384." in text
    assert "2 more settings of big-AGI's that bigagi keeps and does not send web search max uses, 1M context." in text
    assert "The Demo models have no settings." in told("bigagi-demo-echo")
    assert "This model comes from the environment" in told("bigagi-env-openai-gpt-9")
    assert "This model is not stored here" in told("nobody")


@pytest.mark.parametrize(("speed", "told"), [(0, []), (0.04, []), (2.46, ["2.5 tokens/s"]), (9.96, ["10 tokens/s"])])
def test_a_speed_that_rounds_to_nothing_is_not_told(chat, speed, told):
    message = make_message(chat, "short", position=200, metrics={"vTOutInner": speed})
    summary, figures, _ = figures_of(message, None)
    assert (summary, len(figures)) == (told, len(told))
