"""Secrets out of JSON and back: nothing else changes, nothing leaks, and the wrong key is an error."""

import json
import os
import re
import stat

import pytest
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stores.models import Secret
from stores.records import sealing
from stores.records.jsontext import decode, encode
from stores.records.marked import keep, keep_marked
from stores.records.sealing import Sealer
from stores.records.secrets import MARKER, UnreadableSecret, mask, reveal, show_text
from tests.strategies import anything, equal_json, first_difference, to_text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data_dir")]
in_one_database = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

LITERAL = f"{MARKER}ref:{'0a' * 16}"
OPENAI, GOOGLE, AWS = (
    "sk-proj-aB3dE5fG7hI9jK1lM3nO5pQ7",
    "AIzaSyD-1234567890abcdefghijklmnopqrstu",
    "AKIAIOSFODNN7EXAMPLE",
)

SECRET_KEYS = [
    *(
        "oaiKey",
        "anthropicKey",
        "bedrockBearerToken",
        "bedrockAccessKeyId",
        "bedrockSecretAccessKey",
        "apiKey",
        "APIKEY",
    ),
    *("wssEndpoint", "deletionKey", "googleCSEId", "googleCloudApiKey", "token", "secret", "azureKey", "keyid"),
]
"""Names by which secrets stand in big-AGI's stores (`bigagi-format.md` § 5)."""

keys = st.one_of(st.sampled_from([*SECRET_KEYS, "oaiHost", "azureEndpoint", "label", "text"]), st.text(max_size=4))
values = st.one_of(
    st.sampled_from(
        [OPENAI, GOOGLE, AWS, LITERAL, f"a {LITERAL} b", MARKER, f"{MARKER}abcd", f"{MARKER}abcde", "plain"]
    ),
    st.sampled_from(
        ["https://me:pass@host/v1?key=abc#part", f"https://{LITERAL}@host?{LITERAL}", 'quote" \\ back\n', "\ud800"]
    ),
    st.sampled_from(
        ["user:pass@host", "//u@h", "?a=1#?b=2", "host?", "https://host/path", f"use {OPENAI}, then {GOOGLE}."]
    ),
    st.text(max_size=6),
)
odd_keys = st.one_of(keys, keys, st.sampled_from([LITERAL, f"x{LITERAL}", OPENAI]))
with_secrets = st.recursive(
    st.one_of(values, anything),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_keys, inner, max_size=4),
    max_leaves=8,
)


def seal(value, key=""):
    sealer = Sealer()
    sealed = sealer.seal(value, key)
    sealer.save()
    return sealed


def seal_text(text):
    sealer = Sealer()
    sealed = sealer.seal_text(text)
    sealer.save()
    return sealed


@in_one_database
@given(with_secrets, keys)
@example(LITERAL, "apiKey")
@example(f"https://{LITERAL}@host/?{LITERAL}", "oaiHost")
@example({LITERAL: LITERAL}, "")
@example(f"sk-{LITERAL}", "")
def test_what_is_sealed_is_revealed(value, key):
    plain = decode(to_text(value))

    sealed = seal(plain, key)

    assert equal_json(reveal(sealed), plain), first_difference(plain, reveal(sealed))


@in_one_database
@given(with_secrets)
@example({"apiKey": 'a"b\\c\n\ud800'})
@example(['apiKey":"a\\nb","x": ', LITERAL])
@example({f"{LITERAL}": {"oaiHost": f"{LITERAL}@x"}})
def test_what_is_sealed_as_text_is_revealed(value):
    text = to_text(value)

    sealed = seal_text(text)

    out = json.loads(show_text(sealed, reveal))
    assert equal_json(out, json.loads(text)), first_difference(json.loads(text), out)


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_text_under_a_secrets_key_is_sealed(key):
    source = {"engines": {"one": {"credentials": {key: "hunter2-hunter2"}}}, "list": [{key: "hunter2-hunter2"}]}

    sealed = seal(source)

    assert "hunter2" not in encode(sealed)
    assert "hunter2" not in seal_text(json.dumps(source))
    assert sealing.may_hold_secrets(json.dumps(source))
    assert reveal(sealed) == source


@pytest.mark.parametrize("key", ["label", "keyboard", "tokens", "maxTokens", "secretary", "hostname", "text"])
def test_other_text_is_left(key):
    assert seal({key: "hunter2-hunter2"}) == {key: "hunter2-hunter2"}


@pytest.mark.parametrize("value", [None, 5, True, "", {}, []])
def test_what_is_no_text_is_left(value):
    assert seal({"apiKey": value}) == {"apiKey": value}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:pa55@host.example/v1", "https://REF@host.example/v1"),
        ("https://me:p@ss@host.example", "https://REF@host.example"),
        ("me:pa55@host.example:8080", "REF@host.example:8080"),
        ("https://host.example/v1?key=abc&b=c#part", "https://host.example/v1?REF#part"),
        ("wss://me@host.example?token=abc", "wss://REF@host.example?REF"),
        ("https://host.example/v1", "https://host.example/v1"),
        ("https://host.example/a@b", "https://host.example/a@b"),
    ],
)
@pytest.mark.parametrize("key", ["oaiHost", "azureEndpoint", "localAIHost"])
def test_user_password_and_query_of_a_host_are_sealed(key, url, shown):
    sealed = seal({key: url})

    assert re.sub(r"bigagi-secret:ref:[0-9a-f]{32}", "REF", sealed[key]) == shown
    assert reveal(sealed) == {key: url}


@pytest.mark.parametrize("secret", [OPENAI, GOOGLE, AWS])
@pytest.mark.parametrize("text", ["{}", "My key is {}, keep it.", "curl -H 'Bearer {}'", "({})"])
def test_keys_are_known_by_their_shape_in_any_text(secret, text):
    source = {"messages": [{"text": text.format(secret)}]}

    sealed = seal(source)

    assert secret not in encode(sealed)
    assert secret not in seal_text(json.dumps(source))
    assert reveal(sealed) == source


@pytest.mark.parametrize(
    "text", ["a task-force", "ask-me-anything-about-it", "sk-", "sk-learn", "risk-averse-decisions"]
)
def test_words_are_no_keys(text):
    assert seal([text]) == [text]


def test_one_secret_has_one_reference():
    one, other = seal({"oaiKey": "hunter2-hunter2"}), seal({"groqKey": "hunter2-hunter2", "label": "other"})

    assert one["oaiKey"] == other["groqKey"]
    assert Secret.objects.count() == 1
    assert seal({"oaiKey": "hunter3-hunter3"})["oaiKey"] != one["oaiKey"]


def test_only_references_are_in_the_database():
    sealed = seal({"oaiKey": "hunter2-hunter2"})

    (secret,) = Secret.objects.all()
    assert sealed["oaiKey"] == f"{MARKER}ref:{secret.reference}"
    assert b"hunter2" not in bytes(secret.ciphertext)
    assert secret.last4 == ""


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("0123456789abcde", MARKER),
        ("0123456789abcdef", f"{MARKER}cdef"),
        ("0123456789abc\nef", MARKER),
        ("0123456789abcéfg", MARKER),
        ("x", MARKER),
    ],
)
def test_a_mask_shows_the_last_four_from_16_characters_up(value, shown):
    assert mask(seal({"apiKey": value})) == {"apiKey": shown}


def test_a_mask_needs_no_key(settings):
    sealed = seal({"apiKey": "0123456789abcdef", "oaiHost": "https://0123456789abcdef:x@host"})
    os.unlink(settings.KEY_FILE)

    assert mask(sealed) == {"apiKey": f"{MARKER}cdef", "oaiHost": f"https://{MARKER}ef:x@host"}


def test_the_key_file_is_the_owners_alone(settings):
    seal({"apiKey": "hunter2"})

    assert stat.S_IMODE(os.stat(settings.KEY_FILE).st_mode) == 0o600


def test_a_wrong_key_is_an_error(settings):
    sealed = seal({"apiKey": "hunter2-hunter2", "label": "mine"})
    with open(settings.KEY_FILE, "wb") as file:
        file.write(Fernet.generate_key())
    os.utime(settings.KEY_FILE, ns=(1, 1))

    with pytest.raises(UnreadableSecret, match="does not match"):
        reveal(sealed)


@pytest.mark.parametrize("content", [None, b"", b"\n", b"no key at all"])
def test_a_missing_or_damaged_key_file_is_an_error(settings, content):
    sealed = seal({"apiKey": "hunter2-hunter2"})
    os.unlink(settings.KEY_FILE)
    if content is not None:
        with open(settings.KEY_FILE, "wb") as file:
            file.write(content)

    with pytest.raises(UnreadableSecret, match="key file"):
        reveal(sealed)
    assert reveal({"label": "without secrets"}) == {"label": "without secrets"}


def test_a_renewed_key_reads_what_the_old_one_sealed(settings):
    sealed = seal({"apiKey": "hunter2-hunter2"})
    with open(settings.KEY_FILE, "rb") as file:
        old = file.read()
    new = Fernet.generate_key()
    with open(settings.KEY_FILE, "wb") as file:
        file.write(new + b"\n" + old)
    os.utime(settings.KEY_FILE, ns=(1, 1))

    again = seal({"apiKey": "hunter2-hunter2", "oaiKey": "hunter3-hunter3"})

    assert again["apiKey"] == sealed["apiKey"]
    assert reveal(again) == {"apiKey": "hunter2-hunter2", "oaiKey": "hunter3-hunter3"}
    added = Secret.objects.get(reference=again["oaiKey"].rpartition(":")[2])
    assert Fernet(new).decrypt(bytes(added.ciphertext)) == b"hunter3-hunter3"


# --- keeping ---


def test_a_marker_keeps_what_is_here():
    ours = seal({"setup": {"oaiKey": "0123456789abcdef", "oaiHost": "https://me:pass@host"}, "label": "mine"})
    lost = []

    kept = keep(mask(ours) | {"label": "new"}, ours, lost=lost)

    assert kept == ours | {"label": "new"}
    assert lost == []


@pytest.mark.parametrize("marker", [MARKER, f"{MARKER}zzzz"])
def test_a_marker_keeps_a_key_whatever_it_shows_of_it(marker):
    ours = seal({"oaiKey": "0123456789abcdef"})

    assert keep({"oaiKey": marker}, ours) == ours


@pytest.mark.parametrize("ours", [None, {}, {"oaiKey": ""}, {"oaiKey": 5}, [], "text"])
def test_a_marker_with_nothing_to_keep_is_empty_and_told(ours):
    lost = []

    assert keep({"setup": {"oaiKey": f"{MARKER}cdef"}}, {"setup": ours}, lost=lost) == {"setup": {"oaiKey": ""}}
    assert lost == ["oaiKey"]


def test_a_key_that_the_source_lacks_stays():
    ours = seal({"oaiKey": "0123456789abcdef", "label": "mine"})

    assert keep({"label": "new"}, ours) == {"label": "new", "oaiKey": ours["oaiKey"]}
    assert keep({"label": "new", "oaiKey": ""}, ours) == {"label": "new", "oaiKey": ours["oaiKey"]}


def test_a_new_key_replaces_the_old_one():
    ours, new = seal({"oaiKey": "0123456789abcdef"}), seal({"oaiKey": "fedcba9876543210"})

    assert keep(new, ours) == new


@in_one_database
@given(with_secrets)
def test_keeping_changes_nothing_in_what_has_no_markers(value):
    if MARKER in encode(decode(to_text(value))):
        return
    sealed = seal(decode(to_text(value)))

    assert equal_json(keep(sealed, None), sealed)
    assert equal_json(keep(sealed, sealed), sealed)


# --- damaged text ---

DAMAGED = json.dumps(
    {"sources": [{"id": "openai", "setup": {"oaiKey": "hunter2-hunter2", "oaiHost": "https://me:pa55word@host/"}}]}
)


@pytest.mark.parametrize("cut", range(DAMAGED.index("hunter2") + 5, len(DAMAGED)))
def test_text_that_is_cut_anywhere_tells_no_secret(cut):
    text = DAMAGED[:cut]

    sealed = seal_text(text)

    assert "hunter" not in sealed
    assert "pa55" not in sealed or cut < DAMAGED.index("@") + 1
    assert show_text(sealed, reveal) == text


def test_text_that_is_cut_inside_an_escape_tells_no_secret():
    sealed = seal_text('{"apiKey": "hunter2\\')

    assert "hunter2" not in sealed
    assert show_text(sealed, reveal) == '{"apiKey": "hunter2\\'


@pytest.mark.parametrize("lost", [at for at, character in enumerate(DAMAGED) if character == '"'])
def test_text_that_lost_a_quote_tells_no_secret(lost):
    text = DAMAGED[:lost] + DAMAGED[lost + 1 :]
    # Without the quotes of its own key or text, a secret cannot be told from other text.
    own = [DAMAGED.index('"oaiKey"'), DAMAGED.index('": "hunter2'), DAMAGED.index('"hunter2')]

    sealed = seal_text(text)

    assert "hunter2" not in sealed or lost in own
    assert show_text(sealed, reveal) == text


@pytest.mark.parametrize("text", [f"first\\n{OPENAI}", f"\\t{GOOGLE}\\n", f'\\"{AWS}\\"'])
def test_a_key_behind_an_escape_is_sealed_in_raw_text(text):
    raw = f'["{text}", 1'

    sealed = seal_text(raw)

    assert not any(secret in sealed for secret in (OPENAI, GOOGLE, AWS))
    assert show_text(sealed, reveal) == raw


def test_json_inside_a_cut_string_tells_no_secret():
    text = '[{"key":"app-chats","value":"{\\"state\\":{\\"apiKey\\":\\"hunter2-hunter2\\",\\"b'

    assert "hunter2" not in seal_text(text)


@pytest.mark.parametrize(
    "text",
    [
        '"' + '\\"' * 200_000 + '"key',
        '"' + '\\"key' * 100_000,
        "A" * 1_000_000 + "key",
        "Akey" * 250_000,
        '""' * 200_000 + "key",
        '"a": ' * 100_000 + "key",
        'key" : ' * 100_000,
        '"key":"",' * 20_000,
    ],
    ids=lambda text: text[:8],
)
def test_long_texts_are_sealed_in_time_that_grows_with_their_length(text):
    # As an image in base64, or JSON in JSON: tried anew at each character, one of these took hours.
    assert Sealer().seal_text(text) == text


def test_an_edited_text_keeps_what_its_markers_show(data_dir):
    one, two, new = (
        "sk-proj-aB3dE5fG7hI9jK1lM3nO5pQ7",
        "sk-proj-zB3dE5fG7hI9jK1lM3nO5XYZ",
        "sk-proj-nB3dE5fG7hI9jK1lM3nO5NEW",
    )
    sealer = Sealer()
    ours = sealer.seal(f"First {one}, then {two}.")
    typed = sealer.seal(
        f"New: {new}; then bigagi-secret:5XYZ, twice bigagi-secret:5pQ7 bigagi-secret:5pQ7, bigagi-secret:?"
    )
    sealer.save()
    assert reveal(keep_marked(typed, ours, lost=[])) == f"New: {new}; then {two}, twice {one} {one}, bigagi-secret:?"
    host = sealer.seal({"host": "https://me:pass@one.example"})
    sealer.save()
    other = {"host": "https://bigagi-secret:@two.example/"}
    assert keep_marked(other, host, lost=[]) == other
