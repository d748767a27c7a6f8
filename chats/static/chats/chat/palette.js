// The command palette (Ctrl+K): chats by title, texts of messages, models, personas, actions and pages, found as one
// types.

import { call } from "./api.js";
import { list, titleOf } from "./chat-list.js";
import { everywhere } from "./chat-on-page.js";
import { byId, debounce, el, icon } from "./dom.js";
import { choose, models } from "./model-picker.js";
import { actions, pages } from "./palette-actions.js";
import { personas, readPersonas } from "./palette-personas.js";
import { best, merge, orderGroups, score } from "./palette-search.js";
import { whenReleased } from "./press.js";
import { emit, page } from "./state.js";

const WAIT = 120;
const MOST = 6;
const dialog = byId("palette");
const find = byId("palette-find");
const box = byId("palette-list");
// What the server found for these words, and what is on screen.
let found = { chats: [], texts: [], failed: "" };
let options = [];
let active = "";
let asking = null;
// Why there are no personas, if they could not be read.
let noPersonas = "";
let isReady = false;

const open = (id, hash = "") => {
  emit("side", false);
  emit("open", { id, hash });
};

function ofChat({ id, symbol, userSymbol, archived, isArchived, ...chat }) {
  const label = titleOf(chat);
  const sign = symbol || userSymbol;
  return { key: `chat ${id}`, label: sign ? `${sign} ${label}` : label, icon: "chat", note: archived || isArchived ? "archived" : "", run: () => open(id) };
}

function ofText({ id, title, excerpt, message }) {
  return { key: `text ${id}`, label: title || "Untitled chat", about: excerpt, icon: "search", run: () => open(id, message) };
}

function ofModel({ id, label, service, starred }) {
  const isHere = id === page.model.id;
  return {
    key: `model ${id}`,
    label,
    words: `${id} ${service.label}`,
    note: service.whyNot ? "no key" : isHere ? "in use" : service.label,
    icon: starred ? "star-full" : "model",
    run: () => {
      if (service.whyNot) return byId("model").click();
      choose(id);
      byId("message").focus();
    },
  };
}

function groups(query) {
  const chats = [...list.pinned, ...list.chats].filter(({ id }) => id !== page.chat?.id).map(ofChat);
  if (!query) {
    return [
      { name: "Recent chats", items: chats.slice(0, MOST) },
      { name: "Actions", items: actions().filter(({ isTyped }) => !isTyped) },
      { name: "Personas", items: personas().slice(0, MOST) },
      { name: "Pages", items: pages() },
    ].filter(({ items }) => items.length);
  }
  // What stands in the list beside the chat is found at once; the server knows the others, and finds words in any order.
  const more = found.chats.map(ofChat).map((item) => ({ ...item, score: Math.max(1, score(query, item.label)) }));
  return [
    ...orderGroups([
      { name: "Chats", items: merge(best(query, chats, MOST), more).slice(0, MOST + 2) },
      { name: "Actions", items: best(query, actions(), MOST) },
      { name: "Models", items: best(query, [...models.values()].map(ofModel), MOST) },
      { name: "Personas", items: best(query, personas(), MOST) },
      { name: "Pages", items: best(query, pages(), MOST) },
    ]),
    { name: "In messages", items: found.texts.map(ofText) },
  ].filter(({ items }) => items.length);
}

function render() {
  const query = find.value.trim();
  const shown = groups(query);
  options = shown.flatMap(({ items }) => items);
  // What came later must not take the place of what somebody is about to choose.
  if (!options.some(({ key }) => key === active)) active = options[0]?.key ?? "";
  const failed = [query ? found.failed : "", noPersonas].filter(Boolean).join(" ");
  const none = asking ? "Searching…" : failed || (query ? "Nothing found." : "");
  const parts = shown.map(({ name, items }, at) =>
    el("div", { role: "group", "aria-labelledby": `palette-group-${at}` }, el("div", { class: "palette-heading", id: `palette-group-${at}`, role: "presentation" }, name), ...items.map(option)),
  );
  box.replaceChildren(...(parts.length ? parts : [el("div", { class: "chats-none" }, none)]));
  if (parts.length && failed) box.append(el("div", { class: "chats-none" }, failed));
  mark();
}

function option(item) {
  const at = options.indexOf(item);
  return el(
    "div",
    { role: "option", id: `palette-${at}`, class: "palette-row", "data-at": at },
    icon(item.icon || "check"),
    el("span", { class: "palette-name" }, item.label, item.about ? el("small", {}, item.about) : null),
    item.note ? el("small", { class: "palette-note" }, item.note) : null,
    item.keys ? el("span", { class: "palette-shortcut" }, ...item.keys.split(" ").map((key) => el("kbd", {}, key))) : null,
  );
}

function mark() {
  const at = options.findIndex(({ key }) => key === active);
  for (const row of box.querySelectorAll("[role=option]")) {
    const isActive = Number(row.dataset.at) === at;
    row.classList.toggle("is-active", isActive);
    row.setAttribute("aria-selected", String(isActive));
    if (isActive) row.scrollIntoView({ block: "nearest" });
  }
  if (at < 0) find.removeAttribute("aria-activedescendant");
  else find.setAttribute("aria-activedescendant", `palette-${at}`);
}

function move(steps) {
  if (!options.length) return;
  const at = options.findIndex(({ key }) => key === active);
  active = options[(at + steps + options.length) % options.length].key;
  mark();
}

function run(item) {
  if (!item) return;
  dialog.close();
  item.run();
}

// --- what the server finds -------------------------------------------------------------------------------------------

const ask = debounce(WAIT, async () => {
  const query = find.value.trim();
  const mine = (asking = new AbortController());
  const words = new URLSearchParams({ q: query });
  const read = async (path, name) => {
    const { data } = await call("GET", `/chat-parts/${path}?${words}`, undefined, { visit: everywhere, signal: mine.signal });
    // What was asked for before is not what is typed now.
    if (mine !== asking) return;
    found[name] = data.results;
    whenReleased(render);
  };
  const done = await Promise.allSettled([read("find", "chats"), query.length > 1 ? read("search", "texts") : null]);
  if (mine !== asking) return;
  asking = null;
  const failed = done.find(({ status, reason }) => status === "rejected" && reason.name !== "AbortError");
  found.failed = failed ? `Chats and messages could not be searched. ${failed.reason.message}` : "";
  render();
  byId("palette-said").textContent = options.length === 1 ? "1 result." : `${options.length} results.`;
});

function type() {
  ask.cancel();
  asking?.abort();
  asking = null;
  found = { chats: [], texts: [], failed: "" };
  active = "";
  if (find.value.trim()) {
    asking = new AbortController();
    ask();
  }
  render();
}

const KEYS = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  Enter: () => run(options.find(({ key }) => key === active)),
  // Of a search field, browsers would first take the words.
  Escape: () => dialog.close(),
};

// Shows what there is for what stands in the box: the palette was opened (`palette-open.js`).
export function start() {
  if (!isReady) prepare();
  isReady = true;
  type();
  box.scrollTop = 0;
  void readPersonas().then((failed) => {
    noPersonas = failed;
    whenReleased(render);
  });
}

// Takes what stands first, as Enter does.
export const takeFirst = () => KEYS.Enter();

function prepare() {
  find.addEventListener("input", type);
  find.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const isClosing = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
    const act = isClosing ? () => dialog.close() : KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  // The box keeps the focus: what is typed goes on there.
  box.addEventListener("pointerdown", (event) => event.preventDefault());
  box.addEventListener("click", ({ target }) => run(options[Number(target.closest("[role=option]")?.dataset.at ?? -1)]));
  dialog.addEventListener("close", () => {
    ask.cancel();
    asking?.abort();
    asking = null;
  });
}
