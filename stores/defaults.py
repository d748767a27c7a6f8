"""The stores that big-AGI makes by itself, as it makes them (`bigagi-format.md` § 12)."""

from typing import Any

DEFAULTS: dict[str, dict[str, Any]] = {
    "app-ui": {
        "state": {
            "preferredLanguage": "en-US",
            "centerMode": "full",
            "complexityMode": "pro",
            "contentScaling": "sm",
            "doubleClickToEdit": False,
            "disableMarkdown": False,
            "enterIsNewline": False,
            "messageFullWidth": False,
            "renderCodeLineNumbers": False,
            "renderCodeSoftWrap": False,
            "showPersonaFinder": False,
            "showModelsFn": False,
            "showModelsHidden": True,
            "showModelsStarredOnly": False,
            "modelsStarredOnTop": True,
            "composerQuickButton": "beam",
            "aixInspector": False,
            "dismissals": {},
            "actionCounters": {},
            "panelGroupCollapseStates": {},
        },
        "version": 3,
    },
    "app-ux-labs": {
        "state": {
            "labsHighPerformance": False,
            "labsAutoHideComposer": False,
            "labsScreenWakeLock": True,
            "labsShowShortcutBar": True,
            "labsComposerAttachmentsInline": False,
            "labsLosslessImages": False,
            "labsSingleDollarLatex": False,
        },
        "version": 1,
    },
    # Its id is made for each database anew (`stores.services.stores.init_stores`).
    "app-device": {"state": {"localDeviceId": ""}, "version": 1},
    "app-folders": {"state": {"folders": [], "enableFolders": False}, "version": 0},
    "app-metrics": {"state": {"serviceMetrics": {}}, "version": 0},
    "agi-client-workspace": {"state": {"liveFilesByWorkspace": {}}, "version": 0},
}
