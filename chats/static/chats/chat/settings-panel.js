// The panel of the chat's settings: beside the chat, on a phone over all of it.

import { getText } from "./api.js";
import { here } from "./chat-on-page.js";
import { showBeside } from "./dialogs.js";
import { byId, focusFirst, fromServer } from "./dom.js";
import { initParameters } from "./parameters.js";
import { initPersonas } from "./personas.js";
import { persona, setPersona } from "./persona.js";
import { whenReleased } from "./press.js";
import { openPreview } from "./preview.js";
import { emit, memory, on, page } from "./state.js";
import { initSystemPrompt, showSystemPrompt } from "./system-prompt.js";
import { fail } from "./toasts.js";

const panel = byId("chat-settings");
const body = byId("settings-body");
const phone = matchMedia("(max-width: 52rem)");
let opener = null;
let reading = new AbortController();

// Of the chat and the model that are on the page when it was read.
export async function readSettings() {
  if (!panel.open) return false;
  reading.abort();
  reading = new AbortController();
  const { signal } = reading;
  const visit = here();
  const query = new URLSearchParams({ model: page.model.id, persona: persona().id });
  if (page.chat) query.set("chat", page.chat.id);
  body.setAttribute("aria-busy", "true");
  let html;
  try {
    html = await getText(`/chat-parts/settings?${query}`, { visit, signal });
  } catch (error) {
    if (signal.aborted || !visit.isHere) return false;
    body.setAttribute("aria-busy", "false");
    byId("settings-loading")?.replaceChildren("The settings could not be loaded. Close this panel, and open it again.");
    throw error;
  }
  await new Promise(whenReleased);
  if (!visit.isHere || signal.aborted) return false;
  show(html);
  return true;
}

function show(html) {
  const at = document.activeElement?.closest?.("#settings-body") ? document.activeElement.id : "";
  const { selectionStart, selectionEnd, value, defaultValue } = document.activeElement ?? {};
  body.replaceChildren(fromServer(html));
  body.setAttribute("aria-busy", "false");
  showSystemPrompt();
  // A persona that was renamed or deleted is called otherwise now.
  const { value: id, selectedOptions } = byId("persona");
  if (id === persona().id) setPersona({ id, name: selectedOptions[0].textContent });
  if (!at) return;
  // What was worked with can be gone, as the button that resets: its neighbour takes over.
  const near = at.replace(/^(?:reset|again)-/, "parameter-").replace(/^system-.*/, "system-prompt");
  const next = [at, near, "persona"].map(byId).find((element) => element && !element.disabled);
  next.focus({ preventScroll: true });
  if (next.id !== at) return;
  // Who is in the middle of a number goes on.
  if (next.matches("input") && value !== defaultValue) next.value = value;
  if (typeof selectionStart === "number") next.setSelectionRange?.(selectionStart, selectionEnd);
}

const follow = () => panel.open && void readSettings().catch(fail);

export function openSettings() {
  opener = document.activeElement;
  showBeside(panel);
  cover(phone.matches);
  byId("open-settings").setAttribute("aria-expanded", "true");
  emit("settings");
  return readSettings().catch(fail);
}

export async function openSystemPrompt() {
  if (!panel.open) await openSettings();
  // Where the panel could not be read, there is no field.
  byId("system-prompt")?.focus();
}

// What fills the context stands below the settings.
export async function openGauge() {
  const place = byId("gauge-title");
  if (!panel.open) await openSettings();
  place.scrollIntoView({ block: "nearest" });
  byId("preview").focus({ preventScroll: true });
  byId("preview").scrollIntoView({ block: "nearest" });
}

export function toggleSettings() {
  if (panel.open) panel.close();
  else void openSettings();
}

// What lies under the panel is out of reach. It is no modal dialog, for that would cover the notes, and what they undo.
function cover(isOn) {
  for (const part of document.querySelectorAll(".site-header, .thread-head, .scroll, .thread-foot > :not(.toasts)")) part.inert = isOn;
  panel.setAttribute("aria-modal", String(isOn));
}

function closed() {
  cover(false);
  byId("open-settings").setAttribute("aria-expanded", "false");
  const isFree = !document.activeElement || document.activeElement === document.body || panel.contains(document.activeElement);
  if (isFree) focusFirst(opener, byId("open-settings"));
}

function setShare(isOn) {
  page.share = isOn;
  byId("share").checked = isOn;
  memory.set("share", isOn ? "1" : "");
  emit("prompt");
}

function init() {
  byId("preview").addEventListener("click", () => void openPreview());
  byId("share").addEventListener("change", ({ target }) => setShare(target.checked));
  panel.addEventListener("close", closed);
  phone.addEventListener("change", () => panel.close());
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && panel.ariaModal === "true" && !document.querySelector("dialog:modal")) panel.close();
  });
  initPersonas(body, readSettings);
  initSystemPrompt(body, readSettings);
  initParameters(body, readSettings);
  byId("share").checked = page.share;
  for (const name of ["chat", "made", "model", "persona"]) on(name, follow);
}

init();
