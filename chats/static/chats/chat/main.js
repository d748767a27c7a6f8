// The chat page: everything begins here.

import { initAttachments } from "./attachments.js";
import { initComposer } from "./composer.js";
import { initCrash } from "./crash.js";
import { initDialogs } from "./dialogs.js";
import { byId } from "./dom.js";
import { initFolders } from "./folders.js";
import { initFollow, look } from "./follow.js";
import { initGauge } from "./gauge.js";
import { initModelPicker } from "./model-picker.js";
import { initNavigation, showTitle } from "./navigation.js";
import { initPersona } from "./persona.js";
import { initPreview } from "./preview.js";
import { initSettingsPanel } from "./settings-panel.js";
import { initShortcuts } from "./shortcuts.js";
import { initSide } from "./side.js";
import { initSidebar } from "./sidebar.js";
import { on } from "./state.js";
import { initStatus } from "./status.js";
import { initThread, openHash } from "./thread.js";
import { initTurnActs } from "./turn-acts.js";
import { initUsage } from "./usage.js";

initSide();
initDialogs();
initThread();
initTurnActs();
initAttachments();
initPersona();
initPreview();
initComposer();
initGauge();
initSettingsPanel();
initNavigation();
initFollow();
initFolders();
initSidebar();
initUsage();
initCrash();
initStatus();
initShortcuts();
showTitle();
// A first exchange gives the chat its title.
on("finished", () => void look());
void openHash();
void initModelPicker().then(() => (document.documentElement.dataset.ready = "1"));
if (matchMedia("(hover: hover)").matches) byId("message").focus({ preventScroll: true });
