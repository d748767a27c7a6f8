"""One row per vendor: its address, the fields of a service's setup for host and key, and its peculiarities.

Hosts and ways are those that each vendor documents for OpenAI's protocol; the members of a setup are big-AGI's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Vendor:
    """A vendor. `host` is the base of its URLs, empty where the setup has to name it; None: it cannot be called."""

    id: str
    label: str
    host: str | None
    key: str = ""
    """The member of a setup that holds the key."""
    host_key: str = ""
    """The member of a setup that holds another host."""
    key_header: str = ""
    """The header that takes the key, where it is not `Authorization`."""
    needs_key: bool = True
    path: str = "/v1"
    """What is behind the name of a host that the setup names, where `host` does not tell it."""
    token_limit: str = "max_tokens"
    """The name of the parameter that limits an answer."""
    has_usage_option: bool = True
    """Whether it takes `stream_options: {include_usage: true}`; those that do not tell usage unasked."""
    joins_turns: bool = False
    """Whether it refuses two messages of one role in a row. They are joined; for other vendors only once it did."""
    models: str = "models"
    """Where its models are listed, relative to the base."""
    known_models: tuple[str, ...] = ()
    """The models of a vendor that lists none, as its documentation has them."""
    models_headers: Mapping[str, str] = field(default_factory=dict)
    """What the list of models needs beside a bearer's key; `{key}` stands for the key."""
    region_key: str = ""
    """The member of a setup that fills `{region}` in `host`."""
    default_region: str = ""
    why_not: str = ""
    """Why it cannot be called."""


_ROWS = (
    Vendor(
        "alibaba",
        "Alibaba",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "alibabaOaiKey",
        "alibabaOaiHost",
    ),
    Vendor(
        "anthropic",
        "Anthropic",
        "https://api.anthropic.com/v1",
        "anthropicKey",
        "anthropicHost",
        # Its chat takes a bearer's key, its list only its own headers.
        models="models?limit=1000",
        models_headers={"x-api-key": "{key}", "anthropic-version": "2023-06-01"},
    ),
    Vendor(
        "azure",
        "Azure OpenAI",
        "",
        "azureKey",
        "azureEndpoint",
        key_header="api-key",
        path="/openai/v1",
        token_limit="max_completion_tokens",
    ),
    # Its own protocol is signed; a Bedrock API key opens the endpoint for OpenAI's.
    Vendor(
        "bedrock",
        "AWS Bedrock",
        "https://bedrock-mantle.{region}.api.aws/v1",
        "bedrockBearerToken",
        region_key="bedrockRegion",
        default_region="us-west-2",
    ),
    Vendor("cerebras", "Cerebras", "https://api.cerebras.ai/v1", "cerebrasKey", token_limit="max_completion_tokens"),
    Vendor(
        "cohere",
        "Cohere",
        "https://api.cohere.ai/compatibility/v1",
        "cohereKey",
        "cohereHost",
        models="/v1/models?endpoint=chat&page_size=1000",
    ),
    Vendor("deepseek", "DeepSeek", "https://api.deepseek.com", "deepseekKey", "deepseekHost"),
    Vendor(
        "googleai",
        "Google Gemini",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "geminiKey",
        "geminiHost",
        joins_turns=True,
    ),
    Vendor(
        "groq", "Groq", "https://api.groq.com/openai/v1", "groqKey", "groqHost", token_limit="max_completion_tokens"
    ),
    Vendor("lmstudio", "LM Studio", "http://localhost:1234/v1", "lmstudioKey", "oaiHost", needs_key=False),
    Vendor("localai", "LocalAI", "http://127.0.0.1:8080/v1", "localAIKey", "localAIHost", needs_key=False),
    Vendor(
        "mistral",
        "Mistral",
        "https://api.mistral.ai/v1",
        "mistralKey",
        "mistralHost",
        has_usage_option=False,
        joins_turns=True,
    ),
    Vendor("modular", "Modular", "https://api.modular.com/v1", "modularKey", "modularHost"),
    Vendor("moonshot", "Moonshot", "https://api.moonshot.ai/v1", "moonshotKey", "moonshotHost"),
    Vendor("nvidianim", "NVIDIA NIM", "https://integrate.api.nvidia.com/v1", "nvidiaKey", "nvidiaHost"),
    Vendor("ollama", "Ollama", "http://127.0.0.1:11434/v1", "ollamaKey", "ollamaHost", needs_key=False),
    Vendor("openai", "OpenAI", "https://api.openai.com/v1", "oaiKey", "oaiHost", token_limit="max_completion_tokens"),
    Vendor("openrouter", "OpenRouter", "https://openrouter.ai/api/v1", "oaiKey", "oaiHost"),
    Vendor(
        "perplexity",
        "Perplexity",
        "https://api.perplexity.ai",
        "perplexityKey",
        "perplexityHost",
        has_usage_option=False,
        joins_turns=True,
        known_models=("sonar", "sonar-pro", "sonar-reasoning-pro", "sonar-deep-research"),
    ),
    Vendor("sakanaai", "Sakana AI", "https://api.sakana.ai/v1", "sakanaKey", "sakanaHost"),
    Vendor("togetherai", "Together AI", "https://api.together.xyz/v1", "togetherKey", "togetherHost"),
    Vendor("xai", "xAI", "https://api.x.ai/v1", "xaiKey", "xaiHost"),
    Vendor("zai", "Z.ai", "https://api.z.ai/api/paas/v4", "zaiKey", "zaiHost"),
)

VENDORS = {row.id: row for row in _ROWS}


def vendor_of(vendor_id: Any) -> Vendor:
    """Return the vendor; one that is not known cannot be called."""
    if isinstance(vendor_id, str) and vendor_id in VENDORS:
        return VENDORS[vendor_id]
    return Vendor(str(vendor_id or ""), str(vendor_id or "unknown"), None, why_not="This vendor is unknown.")
