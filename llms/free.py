"""Which models cost nothing, so that none that may cost takes their place unasked."""

from llms.callable_model import CallableModel
from llms.pricing.formula import FREE, NO_PRICING
from llms.pricing.price import price_model_call
from llms.pricing.tokens import Tokens
from llms.vendors import vendor_of


def is_free(model: CallableModel, at: int) -> bool:
    """Tell whether calls of the model are known to cost nothing at this time (ms since the epoch)."""
    code = price_model_call(model, Tokens(input=1, output=1), at).cost.code
    return code == FREE or (code == NO_PRICING and is_own_server(model.vendor_id))


def is_own_server(vendor_id: str | None) -> bool:
    """Tell whether the vendor is a server on the person's own machine, which takes no key."""
    return not vendor_of(vendor_id).needs_key
