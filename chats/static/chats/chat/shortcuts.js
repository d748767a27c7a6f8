// Keys for the whole page; the help sheet lists them.

import { byId, isTyping } from "./dom.js";
import * as generation from "./generation.js";
import { openPicker } from "./model-picker.js";
import { openPalette } from "./palette-open.js";
import { toggleSettings } from "./settings.js";
import { emit } from "./state.js";
import { turnsOf } from "./thread.js";
import { perform } from "./turn-acts.js";

const ON_TURN = { c: "copy", e: "edit", r: "regenerate", s: "star" };

export function openHelp() {
  byId("help").showModal();
}

function withControl(event) {
  const key = event.key.toLowerCase();
  if (key === "k") openPalette();
  else if (key === "m") void openPicker();
  else if (key === "b") emit("side", "toggle");
  else if (key === ",") toggleSettings();
  else if (key === "z" && !event.shiftKey && !isTyping(event.target)) return undo();
  else if (key === "n" && event.altKey) byId("new-chat").click();
  else return false;
  return true;
}

// What the note that is shown offers to take back.
function undo() {
  const button = document.querySelector(".toast-act");
  const isUndo = /^(?:Undo|Restore)/.test(button?.textContent);
  if (isUndo) button.click();
  return isUndo;
}

function plain(event) {
  const turn = document.activeElement?.closest?.("[data-message]");
  if (event.key === "?") openHelp();
  else if (event.key === "/") byId("message").focus();
  else if (event.key === "f") findChats();
  else if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
  else if (turn && !turn.classList.contains("is-live") && event.key in ON_TURN) void perform(ON_TURN[event.key], turn);
  else return false;
  return true;
}

export function findChats() {
  emit("side", true);
  byId("find").focus();
  byId("find").select();
}

function step(by) {
  const turns = turnsOf();
  const at = turns.indexOf(document.activeElement?.closest?.(".msg"));
  const to = at < 0 ? turns.length - 1 : Math.min(turns.length - 1, Math.max(0, at + by));
  turns[to]?.focus({ preventScroll: true });
  turns[to]?.scrollIntoView({ block: "nearest" });
}

export function initShortcuts() {
  byId("open-help").addEventListener("click", openHelp);
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented || document.querySelector("dialog:modal")) return;
    if (event.key === "Escape" && generation.isRunning()) {
      event.preventDefault();
      void generation.stop();
      return;
    }
    const isControl = event.ctrlKey || event.metaKey;
    const isDone = isControl ? withControl(event) : !event.altKey && !isTyping(event.target) && plain(event);
    if (isDone) event.preventDefault();
  });
}
