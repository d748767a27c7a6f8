// Selecting several chats: by the button, a key, a long press or Shift and a click; then a bar offers what to do.

import * as acts from "./chat-acts.js";
import { isArchive, list, readAll, shownChats, viewFilters } from "./chat-list.js";
import { byId } from "./dom.js";
import { openExport } from "./export.js";
import { say } from "./live.js";
import { on } from "./state.js";
import { fail } from "./toasts.js";

const PRESS = 500;
const MOVED = 10;
const bar = byId("selection");
const button = byId("select-chats");
const rows = byId("chats");
const picked = new Map();
let isOn = false;
// From where Shift goes on; and, where all of a view is selected, the view's filters.
let anchor = null;
let whole = null;

export const isSelecting = () => isOn;
export const has = (id) => picked.has(id);
export const ids = () => [...picked.keys()];

// Tells whether a click on a chat's link means to select it. Ctrl and a click opens a tab, as everywhere.
export const wants = (event) => isOn || (event.shiftKey && !event.ctrlKey && !event.metaKey);

function set(to) {
  isOn = to;
  picked.clear();
  anchor = null;
  whole = null;
  byId("side").classList.toggle("is-selecting", to);
  button.setAttribute("aria-pressed", String(to));
  bar.hidden = !to;
  show();
}

export function start(chat = null) {
  if (!isOn) set(true);
  if (chat) take(chat, false);
}

export function stop() {
  if (!isOn) return;
  const hadFocus = bar.contains(document.activeElement);
  set(false);
  if (hadFocus) button.focus();
}

// Selects a chat, or no longer; with `isRange` all from the one before to this one.
export function take(chat, isRange) {
  if (!isOn) set(true);
  whole = null;
  const order = shownChats();
  const [from, to] = [order.findIndex(({ id }) => id === anchor), order.findIndex(({ id }) => id === chat.id)].sort((a, b) => a - b);
  if (isRange && from >= 0) for (const each of order.slice(from, to + 1)) picked.set(each.id, each);
  else if (picked.has(chat.id)) picked.delete(chat.id);
  else picked.set(chat.id, chat);
  anchor = chat.id;
  show();
}

async function takeAll() {
  const filters = viewFilters();
  const chats = await readAll((number) => (byId("selection-count").textContent = `${number.toLocaleString()}…`));
  // Another view can have been chosen meanwhile.
  if (!isOn || String(filters) !== String(viewFilters())) return;
  for (const chat of chats) picked.set(chat.id, chat);
  whole = filters;
  show();
}

function show() {
  for (const row of rows.querySelectorAll("[data-chat]")) {
    const isPicked = picked.has(row.dataset.chat);
    row.classList.toggle("is-picked", isPicked);
    row.firstElementChild.checked = isPicked;
  }
  if (!isOn) return;
  byId("selection-count").textContent = picked.size ? `${picked.size.toLocaleString()} selected` : "None selected";
  const chats = [...picked.values()];
  name("pin", chats.length && chats.every(acts.isPinned) ? "Unpin" : "Pin");
  name("archive", isArchive() ? "Unarchive" : "Archive");
  for (const each of bar.querySelectorAll("[data-selected]")) each.setAttribute("aria-disabled", String(!picked.size));
}

function name(act, text) {
  const each = bar.querySelector(`[data-selected="${act}"]`);
  each.title = text;
  each.setAttribute("aria-label", text);
}

const performs = {
  pin: (chats) => acts.pin(chats, !chats.every(acts.isPinned)),
  move: (chats) => acts.move(chats),
  archive: (chats) => acts.archive(chats, !isArchive()),
  export: (chats) => openExport(chats, { filters: whole }),
  delete: (chats) => acts.remove(chats),
};

async function perform(act) {
  if (!picked.size) return say("Select chats first.");
  if (bar.ariaBusy === "true") return;
  if (act === "export") return performs.export([...picked.values()]);
  // A thousand chats take seconds.
  bar.ariaBusy = "true";
  byId("selection-count").textContent = "Working…";
  try {
    if ((await performs[act]([...picked.values()])) !== false) stop();
  } finally {
    bar.ariaBusy = "false";
    show();
  }
}

// A touch that stays where it is. A link's own menu must not open over it.
export function takeLongPress(row, chat) {
  let timer = 0;
  let began = null;
  row.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch" || event.target.closest("button, input")) return;
    began = event;
    timer = setTimeout(() => {
      dropClick();
      navigator.vibrate?.(10);
      if (isOn) take(chat, false);
      else start(chat);
    }, PRESS);
  });
  row.addEventListener("pointermove", (event) => {
    if (began && Math.hypot(event.clientX - began.clientX, event.clientY - began.clientY) > MOVED) clearTimeout(timer);
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) row.addEventListener(end, () => clearTimeout(timer));
  row.addEventListener("contextmenu", (event) => event.pointerType === "touch" && event.preventDefault());
}

// The click that ends a long press would open the chat, or take the selection back. Not all browsers send one.
function dropClick() {
  const drop = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  rows.addEventListener("click", drop, { capture: true, once: true });
  const forget = () => setTimeout(() => rows.removeEventListener("click", drop, true), 50);
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, forget, { once: true });
}

// Keys on a chat of the list. Returns whether the key was one of these.
export function press(event, chat) {
  const isAll = event.key.toLowerCase() === "a" && (event.ctrlKey || event.metaKey);
  if (isOn && isAll) void takeAll().catch(fail);
  else if (event.ctrlKey || event.metaKey || event.altKey) return false;
  else if (event.key === "Escape" && isOn) stop();
  else if (chat && (event.key === "x" || (event.key === " " && event.target.matches("a")))) take(chat, event.shiftKey);
  else return false;
  return true;
}

export function initSelection() {
  button.addEventListener("click", () => {
    if (isOn) stop();
    else start();
  });
  byId("select-all").addEventListener("click", () => void takeAll().catch(fail));
  byId("select-done").addEventListener("click", stop);
  bar.addEventListener("click", ({ target }) => {
    const act = target.closest("[data-selected]")?.dataset.selected;
    if (act) void perform(act).catch(fail);
  });
  bar.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    stop();
  });
  // What is selected is what can be seen: another view has nothing selected.
  on("folder", () => isOn && set(true));
  on("found", () => isOn && set(true));
}

// What was read anew is what is selected: its pins and folders can be others.
export function adopt() {
  for (const chat of [...list.pinned, ...list.chats]) if (picked.has(chat.id)) picked.set(chat.id, chat);
  show();
}
