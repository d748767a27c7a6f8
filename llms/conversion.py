"""The versions 0 to 4 of `app-models`, brought to version 5 (`bigagi-format.md` § 9). Pure."""

from collections.abc import Callable
from typing import Any

from stores.records.codecs import JSONObject


def _each_model(change: Callable[[JSONObject], JSONObject]) -> Callable[[JSONObject], JSONObject]:
    def step(state: JSONObject) -> JSONObject:
        llms = state.get("llms")
        if not isinstance(llms, list):
            return state
        return state | {"llms": [change(model) if isinstance(model, dict) else model for model in llms]}

    return step


def _add_max_output_tokens(model: JSONObject) -> JSONObject:
    context = model.get("contextTokens")
    is_number = isinstance(context, int) and not isinstance(context, bool)
    # Half up, as JavaScript rounds, and without a float, which a number of 400 digits does not fit.
    return {"maxOutputTokens": (context + 1) // 2 if is_number and context else None} | model


def _set_interfaces(model: JSONObject) -> JSONObject:
    return {key: value for key, value in model.items() if key != "tags"} | {"interfaces": ["oai-chat"]}


def _nest_pricing(model: JSONObject) -> JSONObject:
    pricing = model.get("pricing")
    if not isinstance(pricing, dict) or not pricing.keys() & {"chatIn", "chatOut"}:
        return model
    rest = {key: value for key, value in pricing.items() if key not in ("chatIn", "chatOut")}
    chat: dict[str, Any] = {}
    if "chatIn" in pricing:
        chat["input"] = pricing["chatIn"]
    if "chatOut" in pricing:
        chat["output"] = pricing["chatOut"]
    return model | {"pricing": rest | {"chat": chat}}


def _split_options(model: JSONObject) -> JSONObject:
    if "options" not in model:
        return model
    rest = {key: value for key, value in model.items() if key != "options"}
    return {"initialParameters": model["options"], "userParameters": {}} | rest


STEPS = {
    1: _each_model(_add_max_output_tokens),
    2: _each_model(_set_interfaces),
    3: _each_model(_nest_pricing),
    4: _each_model(_split_options),
    5: lambda state: state | {"modelAssignments": {}},
}
