"""The parameters of a model that a person can set, and what they are called in OpenAI's protocol. Pure.

big-AGI keeps them by model: `initialParameters` are the defaults, `userParameters` what the person set, and
`parameterSpecs` say which of the special ones a model has (`bigagi-format.md` § 5)."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from stores.records.codecs import JSONObject
from stores.records.json_values import is_number, object_in, objects_of

TEMPERATURE, TOP_P, TOKENS = "llmTemperature", "llmTopP", "llmResponseTokens"
EFFORT, VERBOSITY = "llmVndOaiEffort", "llmVndOaiVerbosity"
NO_TEMPERATURE, REASONING = "hotfix-no-temperature", "oai-chat-reasoning"
MOST_TOKENS = 10_000_000

OPENAI_LIKE = ("openai", "azure")
OPENROUTER = "openrouter"
EFFORT_VENDORS = (*OPENAI_LIKE, "cerebras", "googleai", "groq", OPENROUTER, "perplexity", "xai")
"""Vendors that take an effort in OpenAI's protocol, as they document it: `reasoning_effort`, OpenRouter `reasoning`."""

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""big-AGI's words, from the least effort to the most."""


@dataclass(frozen=True)
class Parameter:
    """A parameter that can be set. `sent_as` is its name in OpenAI's protocol; one that limits an answer has two."""

    id: str
    label: str
    about: str
    sent_as: tuple[str, ...]
    least: float = 0
    most: float = 0
    is_whole: bool = False
    choices: tuple[str, ...] = ()

    @property
    def range(self) -> str:
        """The values that it takes, in words."""
        if self.choices:
            return f"one of: {', '.join(self.choices)}"
        kind = "a whole number" if self.is_whole else "a number"
        return f"{kind} from {self.least:,g} to {int(self.most):,}"

    def fits(self, value: Any) -> bool:
        """Tell whether it takes the value."""
        if self.choices:
            return value in self.choices
        is_of_type = type(value) is int if self.is_whole else is_number(value)
        return is_of_type and self.least <= value <= self.most


@dataclass(frozen=True)
class ParameterValue:
    """A parameter of one model: its value, None where none is sent, and the model's default."""

    parameter: Parameter
    value: Any
    default: Any
    is_set: bool
    """Whether the person set it."""


@dataclass(frozen=True)
class ModelParameters:
    """What can be set of a model, and what it has that is kept and not sent."""

    values: list[ParameterValue] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """big-AGI's ids of parameters that bigagi does not send."""
    takes_temperature: bool = True


def describe_parameters(model: JSONObject, most_tokens: int | None) -> ModelParameters:
    """Return the parameters of a model's JSON, whose answers have at most so many tokens."""
    defaults, chosen = object_in(model, "initialParameters"), object_in(model, "userParameters")
    settable = find_parameters(model, most_tokens)
    known = {parameter.id for parameter in settable}
    specs = objects_of(model.get("parameterSpecs"))
    return ModelParameters(
        values=[
            ParameterValue(
                parameter,
                chosen.get(parameter.id, defaults.get(parameter.id)),
                defaults.get(parameter.id),
                parameter.id in chosen,
            )
            for parameter in settable
        ],
        kept=[
            spec["paramId"]
            for spec in specs
            if isinstance(spec.get("paramId"), str) and spec["paramId"] not in known and not spec.get("hidden")
        ],
        takes_temperature=TEMPERATURE in known,
    )


def find_parameters(model: JSONObject, most_tokens: int | None) -> list[Parameter]:
    """Return what can be set of a model."""
    interfaces, vendor = _texts(model.get("interfaces")), model.get("vId")
    listed = objects_of(model.get("parameterSpecs"))
    specs = {spec["paramId"]: spec for spec in listed if isinstance(spec.get("paramId"), str)}
    found = []
    if NO_TEMPERATURE not in interfaces:
        about = "Low values give focused, predictable answers; high values varied ones."
        found.append(Parameter(TEMPERATURE, "Temperature", about, ("temperature",), 0, 2))
    if TOP_P in specs:
        about = "The share of likely words that is chosen from. Change this or the temperature, not both."
        found.append(Parameter(TOP_P, "Top P", about, ("top_p",), 0, 1))
    about = "The longest answer. So many tokens of the context are kept free for it."
    names = ("max_completion_tokens", "max_tokens")
    found.append(Parameter(TOKENS, "Answer tokens", about, names, 1, most_tokens or MOST_TOKENS, is_whole=True))
    if takes_effort(vendor, interfaces, specs) and not specs.get(EFFORT, {}).get("hidden"):
        about = "How long the model thinks before it answers. More effort takes longer and costs more."
        choices = tuple(_texts(specs.get(EFFORT, {}).get("enumValues"))) or EFFORTS
        name = "reasoning" if vendor == OPENROUTER else "reasoning_effort"
        found.append(Parameter(EFFORT, "Reasoning effort", about, (name,), choices=choices))
    if VERBOSITY in specs and vendor in OPENAI_LIKE:
        about = "How long and detailed answers are."
        found.append(Parameter(VERBOSITY, "Verbosity", about, ("verbosity",), choices=("low", "medium", "high")))
    return found


def takes_effort(vendor: Any, interfaces: Collection[str], specs: Collection[str]) -> bool:
    """Tell whether a model is sent how much it is to reason."""
    return vendor in EFFORT_VENDORS and (EFFORT in specs or (vendor in OPENAI_LIKE and REASONING in interfaces))


def name_parameters(vendor: str, interfaces: tuple[str, ...], specs: frozenset[str], values: JSONObject) -> JSONObject:
    """Return parameters of a call, but for the limit of the answer, under the names that the vendor takes."""
    named: JSONObject = {}
    temperature, top_p = values.get(TEMPERATURE), values.get(TOP_P)
    if is_number(temperature) and NO_TEMPERATURE not in interfaces:
        named["temperature"] = temperature
    if is_number(top_p) and TOP_P in specs:
        named["top_p"] = top_p
    effort, verbosity = values.get(EFFORT), values.get(VERBOSITY)
    if isinstance(effort, str) and takes_effort(vendor, interfaces, specs):
        named |= {"reasoning": {"effort": effort}} if vendor == OPENROUTER else {"reasoning_effort": effort}
    if isinstance(verbosity, str) and VERBOSITY in specs and vendor in OPENAI_LIKE:
        named["verbosity"] = verbosity
    return named


def names_of_specs(model: JSONObject) -> frozenset[str]:
    """Return the ids of the special parameters that a model's JSON has."""
    names = (spec.get("paramId") for spec in objects_of(model.get("parameterSpecs")))
    return frozenset(name for name in names if isinstance(name, str))


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
