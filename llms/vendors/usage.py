"""How each vendor counts the tokens of a call: one adapter a vendor, after the vendor's own documentation. Pure.

All read all known names, since gateways pass on what others told; an adapter says only in what its vendor differs.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from llms.pricing.tokens import Tokens
from stores.records.json_values import count_or_none, is_number

Told = list[tuple[str, int]]
"""Names in a vendor's usage, with dots, and their counts."""

_PROMPT = ("prompt_tokens", "input_tokens", "prompt_eval_count", "prompt_n")
_COMPLETION = ("completion_tokens", "output_tokens", "eval_count", "predicted_n")
_CACHE_READ = (
    *("prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens", "prompt_cache_hit_tokens"),
    *("cached_tokens", "cache_read_input_tokens", "cache_n"),
)
_CACHE_WRITE = (
    *("prompt_tokens_details.cache_creation_tokens", "prompt_tokens_details.cache_write_tokens"),
    *("prompt_tokens_details.cache_creation_input_tokens", "cache_creation_input_tokens"),
)
_REASONING = (
    *("completion_tokens_details.reasoning_tokens", "output_tokens_details.reasoning_tokens", "reasoning_tokens"),
)
_OUTSIDE = ("cache_read_input_tokens", "cache_creation_input_tokens", "cache_n")
"""Counts that stand beside Anthropic's `input_tokens` and llama.cpp's `prompt_n`."""


@dataclass(frozen=True)
class UsageReading:
    """What a usage tells: the tokens, the cost in nano-dollars, and out of which counts each kind of tokens comes."""

    tokens: Tokens
    reported_nano_usd: int | None = None
    told: dict[str, Told] = field(default_factory=dict)
    """By the name of the field in `Tokens`."""


class UsageAdapter:
    """OpenAI, "The chat completion object": `prompt_tokens` include cached ones, `completion_tokens` reasoning."""

    is_reasoning_beside: bool | None = None
    """Whether reasoning is beside the completion tokens; None: as the total has it."""
    has_reasoning_in_total = True
    """Whether what the total has beyond prompt and completion is reasoning, where none is told."""

    def read(self, usage: dict[str, Any]) -> UsageReading:
        """Return the tokens, in parts that do not overlap: what cannot be a count is unknown."""
        prompt, completion = _first(usage, _PROMPT), _first(usage, _COMPLETION)
        read, write, reasoning = _first(usage, _CACHE_READ), _first(usage, _CACHE_WRITE), _first(usage, _REASONING)
        new = _count(prompt)
        cached, written = _count(read), _count(write)
        is_outside = prompt[:1] != [] and prompt[0][0] in ("input_tokens", "prompt_n") and _first(usage, _OUTSIDE) != []
        if new is not None and not is_outside:
            cached = None if cached is None else min(cached, new)
            written = None if written is None else min(written, new - (cached or 0))
            new -= (cached or 0) + (written or 0)
        output, thought, is_total = self._output(usage, _count(prompt), _count(completion), _count(reasoning))
        total = _first(usage, ("total_tokens",))
        return UsageReading(
            Tokens(new, cached, written, output, thought),
            _cost(usage),
            {
                "input": [*prompt, *([] if is_outside else [*read, *write])],
                "cache_read": read,
                "cache_write": write,
                "output": [*completion, *reasoning],
                "reasoning": [*total, *prompt, *completion] if is_total else reasoning,
            },
        )

    def _output(
        self, usage: dict[str, Any], prompt: int | None, completion: int | None, reasoning: int | None
    ) -> tuple[int | None, int | None, bool]:
        """Return output and reasoning, and whether the reasoning comes out of the total."""
        total = _count(_first(usage, ("total_tokens",)))
        if completion is None:
            return None, reasoning, False
        if reasoning is not None:
            is_beside = self.is_reasoning_beside
            if is_beside is None:
                is_beside = prompt is not None and reasoning > 0 and total == prompt + completion + reasoning
            return completion if is_beside or reasoning > completion else completion - reasoning, reasoning, False
        if self.has_reasoning_in_total and prompt is not None and total is not None and total > prompt + completion:
            return completion, total - prompt - completion, True
        return completion, None, False


def _first(usage: dict[str, Any], names: tuple[str, ...]) -> Told:
    """Return the first name with a count, one above 0 before others; or none."""
    found: Told = []
    for name in names:
        holder: Any = usage
        *path, last = name.split(".")
        for step in path:
            holder = holder.get(step) if isinstance(holder, dict) else None
        count = count_or_none(holder.get(last)) if isinstance(holder, dict) else None
        if count:
            return [(name, count)]
        if count is not None and not found:
            found = [(name, count)]
    return found


def _count(told: Told) -> int | None:
    return told[0][1] if told else None


def _cost(usage: dict[str, Any]) -> int | None:
    """Return the cost that the provider reports, in nano-dollars.

    OpenRouter's `cost` is what it charges; the upstream's cost of one's own key comes beside it. Perplexity's is an
    object. xAI counts in ticks, 10,000,000,000 a dollar."""
    cost, details = usage.get("cost"), usage.get("cost_details")
    if isinstance(cost, dict):
        parts = [value for name, value in cost.items() if name.endswith("_cost") and name != "total_cost"]
        amounts = [cost["total_cost"]] if is_number(cost.get("total_cost")) else parts
    elif is_number(ticks := usage.get("cost_in_usd_ticks")):
        amounts = [Decimal(str(ticks)) / 10**10]
    else:
        amounts = [cost]
        if usage.get("is_byok") is True and isinstance(details, dict):
            amounts.append(details.get("upstream_inference_cost") or 0)
    if not amounts or not all(_is_amount(amount) for amount in amounts):
        return None
    return int((sum((Decimal(str(amount)) for amount in amounts), Decimal()) * 10**9).to_integral_value())


def _is_amount(amount: Any) -> bool:
    return (is_number(amount) or isinstance(amount, Decimal)) and 0 <= amount < 10**6


class Alibaba(UsageAdapter):
    """Alibaba Cloud Model Studio, "OpenAI compatible - Chat": as OpenAI; what a cache took in is
    `prompt_tokens_details.cache_creation_input_tokens`."""


class Anthropic(UsageAdapter):
    """Anthropic, "OpenAI SDK compatibility": `prompt_tokens` and `completion_tokens`; details stay empty."""


class Azure(UsageAdapter):
    """Microsoft, "Azure OpenAI REST API reference, v1": as OpenAI."""


class Bedrock(UsageAdapter):
    """AWS, "Amazon Bedrock: OpenAI Chat Completions API": as OpenAI."""


class Cerebras(UsageAdapter):
    """Cerebras, "Chat Completions": as OpenAI, beside `time_info`."""


class Cohere(UsageAdapter):
    """Cohere, "Using Cohere models via the OpenAI SDK": prompt and completion, without details."""


class DeepSeek(UsageAdapter):
    """DeepSeek, "Create Chat Completion": `prompt_cache_hit_tokens` and `prompt_cache_miss_tokens` are the prompt."""


class Gemini(UsageAdapter):
    """Google, "Gemini API: OpenAI compatibility": thoughts stand in `total_tokens` alone."""


class Groq(UsageAdapter):
    """Groq, "API Reference: Chat": as OpenAI, in a stream under `x_groq`."""


class LMStudio(UsageAdapter):
    """LM Studio, "OpenAI Compatibility Endpoints": as OpenAI."""


class LocalAI(UsageAdapter):
    """LocalAI, "Text Generation (GPT)": prompt and completion, without details; beside it llama.cpp's `timings`."""


class Mistral(UsageAdapter):
    """Mistral, "Chat Completion API": prompt and completion, unasked, in the last chunk."""


class Modular(UsageAdapter):
    """Modular, "MAX Serve: chat completions": as OpenAI."""


class Moonshot(UsageAdapter):
    """Moonshot AI, "Chat API": `cached_tokens` beside `prompt_tokens`, in a stream in the last choice."""


class NvidiaNIM(UsageAdapter):
    """NVIDIA, "NIM for LLMs: API Reference": prompt and completion, without details."""


class Ollama(UsageAdapter):
    """Ollama, "OpenAI compatibility": prompt and completion, without details."""


class OpenRouter(UsageAdapter):
    """OpenRouter, "Usage Accounting": as OpenAI, with `cost`, and `cost_details` where one's own key is used."""


class Perplexity(UsageAdapter):
    """Perplexity, "Chat Completions": `reasoning_tokens` beside the completion, `cost` as an object with fees; the
    total also has `citation_tokens`."""

    is_reasoning_beside = True
    has_reasoning_in_total = False


class Sakana(UsageAdapter):
    """Sakana AI, "API reference": as OpenAI."""


class Together(UsageAdapter):
    """Together AI, "Create chat completion": prompt and completion, with `cached_tokens`."""


class XAI(UsageAdapter):
    """xAI, "REST API Reference: Chat completions": `reasoning_tokens` beside `completion_tokens`; the cost in ticks."""

    is_reasoning_beside = True


class ZAI(UsageAdapter):
    """Z.ai, "Chat Completion": as OpenAI."""


ADAPTERS: dict[str, UsageAdapter] = {
    "alibaba": Alibaba(),
    "anthropic": Anthropic(),
    "azure": Azure(),
    "bedrock": Bedrock(),
    "cerebras": Cerebras(),
    "cohere": Cohere(),
    "deepseek": DeepSeek(),
    "googleai": Gemini(),
    "groq": Groq(),
    "lmstudio": LMStudio(),
    "localai": LocalAI(),
    "mistral": Mistral(),
    "modular": Modular(),
    "moonshot": Moonshot(),
    "nvidianim": NvidiaNIM(),
    "ollama": Ollama(),
    "openai": UsageAdapter(),
    "openrouter": OpenRouter(),
    "perplexity": Perplexity(),
    "sakanaai": Sakana(),
    "togetherai": Together(),
    "xai": XAI(),
    "zai": ZAI(),
}


def adapter_of(vendor_id: str) -> UsageAdapter:
    """Return the adapter of a vendor; OpenAI's for one that is not known."""
    return ADAPTERS.get(vendor_id) or UsageAdapter()
