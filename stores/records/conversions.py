"""Old versions of the stores that are kept whole, brought to the newest (`bigagi-format.md` § 9). Pure."""

from stores.records.codecs import JSONObject
from stores.records.registry import StoreSpec


def _rename_enter_to_send(state: JSONObject) -> JSONObject:
    rest = {key: value for key, value in state.items() if key != "enterToSend"}
    # The meaning is turned, and what was never set stays as it works by default.
    return rest | {"enterIsNewline": state.get("enterToSend") is False}


APP_UI = StoreSpec(
    "app-ui",
    newest_version=3,
    steps={
        1: _rename_enter_to_send,
        2: lambda state: state | {"contentScaling": "sm", "doubleClickToEdit": False},
        3: lambda state: state | {"centerMode": "full"},
    },
)
APP_UX_LABS = StoreSpec("app-ux-labs", newest_version=1)
