"""Where a service's setup leads to: hosts in all the ways that people write them."""

import pytest

from llms.vendors.endpoint import NotCallable, endpoint_of

OPENAI = ("openai", "oaiKey", "oaiHost")
OLLAMA = ("ollama", "ollamaKey", "ollamaHost")
AZURE = ("azure", "azureKey", "azureEndpoint")
PERPLEXITY = ("perplexity", "perplexityKey", "perplexityHost")
DEPLOYMENT = "https://me.openai.azure.com/openai/deployments/mine"


def endpoint_at(vendor: tuple[str, str, str], host: str):
    name, key, host_key = vendor
    return endpoint_of({"vId": name, "setup": {key: "a key", host_key: host}})


@pytest.mark.parametrize(
    ("vendor", "host", "base", "query"),
    [
        (OPENAI, "", "https://api.openai.com/v1", ""),
        (OPENAI, "one.example", "https://one.example/v1", ""),
        (OPENAI, "one.example:8443/v1/", "https://one.example:8443/v1", ""),
        (OLLAMA, "localhost", "http://localhost/v1", ""),
        (OLLAMA, "localhost/v1", "http://localhost/v1", ""),
        (OLLAMA, "127.0.0.1:11434?a=1", "http://127.0.0.1:11434/v1", "?a=1"),
        (OLLAMA, "[::1]:11434", "http://[::1]:11434/v1", ""),
        (OPENAI, "https://one.example/gate/way", "https://one.example/gate/way", ""),
        (OPENAI, "https://one.example/v2/chat/completions", "https://one.example/v2", ""),
        (OPENAI, "https://one.example/chat/completions/?a=1#b", "https://one.example", "?a=1"),
        (PERPLEXITY, "https://api.perplexity.ai/chat/completions", "https://api.perplexity.ai", ""),
        (AZURE, "https://me.openai.azure.com/", "https://me.openai.azure.com/openai/v1", ""),
        (OPENAI, "https://me.openai.azure.com", "https://me.openai.azure.com/openai/v1", ""),
        *(
            (vendor, f"{DEPLOYMENT}{ending}?api-version=2025-01-01", DEPLOYMENT, "?api-version=2025-01-01")
            for vendor in (AZURE, OPENAI)
            for ending in ("", "/chat/completions")
        ),
    ],
)
def test_hosts_are_taken_in_all_the_ways_that_people_write_them(vendor, host: str, base: str, query: str):
    endpoint = endpoint_at(vendor, host)
    assert endpoint.url("chat/completions") == f"{base}/chat/completions{query}"
    assert endpoint.url("models") == f"{base}/models{query}"


def test_a_list_at_an_address_of_its_own_keeps_both_queries():
    endpoint = endpoint_of({"vId": "cohere", "setup": {"cohereKey": "a key", "cohereHost": "https://one.example?a=1"}})
    assert endpoint.url(endpoint.vendor.models) == "https://one.example/v1/models?a=1&endpoint=chat&page_size=1000"


@pytest.mark.parametrize(
    ("vendor", "host", "header"),
    [
        (AZURE, "https://gateway.example", "api-key"),
        (OPENAI, DEPLOYMENT, "api-key"),
        (OPENAI, "https://gateway.example/x?api-version=1", "api-key"),
        (OPENAI, "https://openai.azure.com.example", ""),
        (OPENAI, "", ""),
    ],
)
def test_azure_takes_the_key_in_a_header_of_its_own(vendor, host: str, header: str):
    assert endpoint_at(vendor, host).key_header == header


@pytest.mark.parametrize(
    "host", ["https://", "ftp://one.example", "one.example:99999", "https://[::1", "one.example:x"]
)
def test_what_is_no_address_is_refused(host: str):
    with pytest.raises(NotCallable, match="The host of OpenAI must be an address, such as"):
        endpoint_at(OPENAI, host)
