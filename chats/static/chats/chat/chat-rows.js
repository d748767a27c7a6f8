// How chats look in the list beside them: in sections by day, each with its menu.

import { pagePath } from "./api.js";
import { openChatMenu } from "./chat-acts.js";
import { titleOf } from "./chat-list.js";
import { el, icon } from "./dom.js";
import * as folders from "./folders.js";
import * as selection from "./selection.js";
import { emit } from "./state.js";

const DAY = 86_400_000;
const MONTH = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric" });
const canHover = matchMedia("(hover: hover)");

function dayOf(chat, midnight) {
  const time = chat.updated ?? chat.created;
  if (typeof time !== "number") return "No date";
  if (time >= midnight) return "Today";
  if (time >= midnight - DAY) return "Yesterday";
  if (time >= midnight - 7 * DAY) return "Last 7 days";
  if (time >= midnight - 30 * DAY) return "Last 30 days";
  return MONTH.format(new Date(time));
}

function section(title, rows, more = {}) {
  return el("section", { "aria-label": title, ...more }, el("h3", {}, title), el("ul", {}, ...rows));
}

export function sections({ pinned, chats, finds }) {
  const parts = pinned.length ? [section("Pinned", pinned.map(row), { class: "is-pinned" })] : [];
  const midnight = new Date().setHours(0, 0, 0, 0);
  const days = new Map();
  for (const chat of chats) {
    const day = dayOf(chat, midnight);
    if (!days.has(day)) days.set(day, []);
    days.get(day).push(row(chat));
  }
  for (const [day, rows] of days) parts.push(section(day, rows));
  if (finds.length) parts.push(section("In messages", finds.map(foundRow)));
  return parts;
}

function row(chat) {
  const title = titleOf(chat);
  const box = el("input", { type: "checkbox", class: "chat-box", "aria-label": `Select ${title}`, checked: selection.has(chat.id) });
  const link = el("a", { href: pagePath(chat.id), class: "chat-link", title }, chat.userSymbol ? `${chat.userSymbol} ` : "", title);
  const button = el("button", { type: "button", class: "act act-small", "aria-label": `Actions for ${title}`, "aria-haspopup": "menu" }, icon("more"));
  button.addEventListener("click", () => openChatMenu(button, chat));
  // A long press on a touch screen selects.
  const made = el("li", { class: "chat-row", draggable: canHover.matches, "data-chat": chat.id }, box, link, button);
  for (const uid of chat._server.folderIds) {
    const color = folders.colorOf(uid);
    if (!color) continue;
    const dot = el("i", { class: "dot", title: folders.titleOf(uid) });
    dot.style.setProperty("--dot", color);
    link.prepend(dot);
  }
  box.addEventListener("click", (event) => selection.take(chat, event.shiftKey));
  link.addEventListener("click", (event) => {
    if (!selection.wants(event)) return go(event, chat.id);
    event.preventDefault();
    selection.take(chat, event.shiftKey);
  });
  selection.takeLongPress(made, chat);
  made.addEventListener("dragstart", (event) => {
    event.dataTransfer.setData(folders.DRAGGED, JSON.stringify(selection.has(chat.id) ? selection.ids() : [chat.id]));
    event.dataTransfer.effectAllowed = "move";
    document.body.classList.add("is-dragging-chat");
  });
  made.addEventListener("dragend", () => document.body.classList.remove("is-dragging-chat"));
  return made;
}

function foundRow({ id, title, excerpt, message }) {
  const link = el(
    "a",
    { href: `${pagePath(id)}#${encodeURIComponent(message)}`, class: "chat-link chat-found" },
    el("b", {}, title),
    el("small", {}, excerpt),
  );
  link.addEventListener("click", (event) => go(event, id, message));
  return el("li", { class: "chat-row" }, link);
}

function go(event, id, hash = "") {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  emit("side", false);
  emit("open", { id, hash });
}
