// The list of chats: by day, by folder, found by title and text.

import { adminPath, call, chatPath, getText, pagePath } from "./api.js";
import { askChoice, askText } from "./dialogs.js";
import { byId, debounce, el, icon } from "./dom.js";
import * as folders from "./folders.js";
import { openMenu } from "./menu.js";
import { openMade, showTitle } from "./navigation.js";
import { whenReleased } from "./press.js";
import { emit, on, page } from "./state.js";
import { fail, undoable } from "./toasts.js";

const PAGE_SIZE = 60;
const DAY = 86_400_000;
const MONTH = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric" });
const box = byId("chats");
const find = byId("find");
let shown = [];
let next = null;
let finds = [];
let asked = 0;

const titleOf = (chat) => chat.userTitle || chat.autoTitle || "Untitled chat";

export async function load() {
  const mine = ++asked;
  const words = find.value.trim();
  const query = new URLSearchParams({ ordering: "-updated", page_size: PAGE_SIZE });
  query.set("archived", folders.current() === folders.ARCHIVE ? "true" : "false");
  if (words) query.set("title", words);
  if (folders.current() && folders.current() !== folders.ARCHIVE) query.set("folder", folders.current());
  try {
    const { data } = await call("GET", `/api/chats?${query}`);
    if (mine !== asked) return;
    [shown, next, finds] = [data.results, data.next, []];
    show();
    if (words.length > 2) {
      const texts = JSON.parse(await getText(`/chat-parts/search?${new URLSearchParams({ q: words })}`));
      if (mine !== asked) return;
      finds = texts.results;
      show();
    }
  } catch (error) {
    fail(error);
  }
}

async function loadMore(button) {
  button.disabled = true;
  try {
    const address = new URL(next, location.href);
    const { data } = await call("GET", address.pathname + address.search);
    shown = [...shown, ...data.results];
    next = data.next;
    show();
  } catch (error) {
    fail(error);
  }
}

function dayOf(chat) {
  const time = chat.updated ?? chat.created;
  if (typeof time !== "number") return "No date";
  const midnight = new Date().setHours(0, 0, 0, 0);
  if (time >= midnight) return "Today";
  if (time >= midnight - DAY) return "Yesterday";
  if (time >= midnight - 7 * DAY) return "Last 7 days";
  if (time >= midnight - 30 * DAY) return "Last 30 days";
  return MONTH.format(new Date(time));
}

const show = () => whenReleased(render);

function render() {
  const focused = document.activeElement?.closest?.("[data-chat]")?.dataset.chat;
  const parts = [];
  let list = null;
  let day = "";
  for (const chat of shown) {
    if (dayOf(chat) !== day) {
      day = dayOf(chat);
      list = el("ul", {});
      parts.push(el("section", { "aria-label": day }, el("h3", {}, day), list));
    }
    list.append(row(chat));
  }
  if (!shown.length && !finds.length) parts.push(el("p", { class: "chats-none" }, none()));
  if (next) {
    const more = el("button", { type: "button", class: "chats-more" }, "Show more");
    more.addEventListener("click", () => void loadMore(more));
    parts.push(more);
  }
  if (finds.length) {
    const found = el("ul", {}, ...finds.map(foundRow));
    parts.push(el("section", { "aria-label": "In messages" }, el("h3", {}, "In messages"), found));
  }
  box.replaceChildren(...parts);
  mark();
  if (focused) box.querySelector(`[data-chat="${CSS.escape(focused)}"] a`)?.focus({ preventScroll: true });
}

function none() {
  if (find.value.trim()) return "No matching chats.";
  if (folders.current() === folders.ARCHIVE) return "No archived chats.";
  if (folders.current()) return "This folder is empty. Drag chats here, or use a chat's menu.";
  return "Your chats will appear here.";
}

function row(chat) {
  const title = titleOf(chat);
  const link = el("a", { href: pagePath(chat.id), class: "chat-link", title }, chat.userSymbol ? `${chat.userSymbol} ` : "", title);
  const button = el("button", { type: "button", class: "act act-small", "aria-label": `Actions for ${title}`, "aria-haspopup": "menu" }, icon("more"));
  button.addEventListener("click", () => openChatMenu(button, chat));
  const made = el("li", { class: "chat-row", draggable: true, "data-chat": chat.id }, link, button);
  for (const uid of chat._server.folderIds) {
    const color = folders.colorOf(uid);
    if (!color) continue;
    const dot = el("i", { class: "dot", title: folders.titleOf(uid) });
    dot.style.setProperty("--dot", color);
    link.prepend(dot);
  }
  link.addEventListener("click", (event) => go(event, chat.id));
  made.addEventListener("dragstart", (event) => {
    event.dataTransfer.setData(folders.DRAGGED, chat.id);
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

function mark() {
  for (const each of box.querySelectorAll("[data-chat]")) {
    const isHere = each.dataset.chat === page.chat?.id;
    each.classList.toggle("is-here", isHere);
    each.querySelector("a").toggleAttribute("aria-current", isHere);
  }
}

// --- what can be done with a chat ------------------------------------------------------------------------------------

export function openChatMenu(button, chat) {
  const isHere = () => page.chat?.id === chat.id;
  const after = async () => {
    await Promise.all([load(), folders.load()]);
    emit("changed");
  };
  const perform = (act) => () => void act().catch(fail);
  const isArchived = Boolean(chat.isArchived ?? chat.archived);
  const rename = async () => {
    const title = await askText("Rename chat", "Title", chat.userTitle || chat.autoTitle || chat.title || "");
    if (title === null) return;
    const { change } = await call("PATCH", chatPath(chat.id), { userTitle: title || null });
    if (isHere()) {
      page.chat.title = title;
      showTitle();
    }
    await after();
    undoable("Chat renamed.", change, after);
  };
  const archive = async () => {
    const { change } = await call("PATCH", chatPath(chat.id), { isArchived: !isArchived });
    if (isHere()) page.chat.archived = !isArchived;
    await after();
    undoable(isArchived ? "Chat unarchived." : "Chat archived.", change, after);
  };
  const move = async () => {
    const rows = folders.all().map(({ id, title, color }) => ({ value: id, label: title || "Untitled", color }));
    const held = folders.all().find(({ conversationIds }) => conversationIds?.includes(chat.id))?.id ?? "";
    const to = await askChoice("Move to folder", [{ value: "", label: "No folder" }, ...rows], held);
    if (to !== null) await folders.move(chat.id, to || null);
  };
  const remove = async () => {
    const deleted = call("DELETE", chatPath(chat.id));
    const told = isHere() ? await openMade(deleted, () => null) : await deleted;
    if (!told) return;
    const { change } = told;
    await after();
    undoable("Chat deleted.", change, async () => {
      await after();
      emit("open", { id: chat.id });
    });
  };
  const items = [
    { label: "Rename", icon: "edit", act: perform(rename) },
    { label: "Move to folder", icon: "folder", act: perform(move) },
    { label: isArchived ? "Unarchive" : "Archive", icon: "archive", act: perform(archive) },
    { label: "Open in the admin", icon: "link", act: () => location.assign(adminPath(chat.id)) },
    null,
    { label: "Delete", icon: "trash", act: perform(remove), isBad: true },
  ];
  openMenu(button, items, "This chat");
}

export function initSidebar() {
  find.addEventListener("input", debounce(180, () => void load()));
  find.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && find.value) {
      event.stopPropagation();
      find.value = "";
      void load();
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      box.querySelector("a")?.focus();
    }
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const links = [...box.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (at < 0) return;
    event.preventDefault();
    const to = at + (event.key === "ArrowDown" ? 1 : -1);
    (links[to] ?? (to < 0 ? find : links[at])).focus();
  });
  byId("chat-menu").addEventListener("click", () => openChatMenu(byId("chat-menu"), page.chat));
  const later = debounce(150, () => void load());
  on("list", later);
  on("folder", () => void load());
  on("chat", mark);
  for (const name of ["made", "begun", "finished"]) on(name, later);
  void folders.load().then(load);
}
