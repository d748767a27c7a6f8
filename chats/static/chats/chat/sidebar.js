// The list of chats beside the chat: what is shown of it, and how it is found and walked through.

import { openChatMenu } from "./chat-acts.js";
import { isArchive, list, read, readMore, shownChats, words } from "./chat-list.js";
import { sections } from "./chat-rows.js";
import { byId, debounce, el, focusFirst } from "./dom.js";
import * as folders from "./folders.js";
import { whenReleased } from "./press.js";
import * as selection from "./selection.js";
import { emit, on, page } from "./state.js";
import { fail } from "./toasts.js";

const box = byId("chats");
const find = byId("find");
// The next page comes before the end of this one is reached.
const ahead = new IntersectionObserver((seen) => seen.some(({ isIntersecting }) => isIntersecting) && more(), { root: box, rootMargin: "400px" });
let isReading = false;

const load = (options) => read(show, options).catch(fail);

function more() {
  if (isReading) return;
  isReading = true;
  void readMore(show).catch(fail).finally(() => (isReading = false));
}

const show = () => whenReleased(render);

function render() {
  const held = box.contains(document.activeElement) ? document.activeElement : null;
  const focused = held?.closest("[data-chat]")?.dataset.chat;
  const part = ["input", ".act"].find((each) => held?.matches(each)) ?? "a";
  const before = rows().map(({ dataset }) => dataset.chat);
  const top = box.scrollTop;
  const parts = sections(list);
  if (!parts.length) parts.push(el("p", { class: "chats-none" }, none()));
  ahead.disconnect();
  if (list.next) {
    const next = el("button", { type: "button", class: "chats-more", onclick: more }, "Show more");
    // Finds in messages stay last.
    parts.splice(list.finds.length ? -1 : parts.length, 0, next);
    ahead.observe(next);
  }
  box.replaceChildren(...parts);
  box.scrollTop = top;
  selection.adopt();
  mark();
  // Where the chat is gone, its neighbour has the focus; where more were asked for, the first of them.
  const at = focused ? before.indexOf(focused) : before.length - 1;
  const beside = [...before.slice(at + 1), ...before.slice(0, at).reverse()].map((id) => rowOf(id)?.querySelector("a"));
  if (focused) focusFirst(rowOf(focused)?.querySelector(part), ...beside, find);
  else if (held?.matches(".chats-more")) focusFirst(rows()[before.length]?.querySelector("a"), rows().at(-1)?.querySelector("a"));
  else if (held) focusFirst([...box.querySelectorAll("a")].find(({ href }) => href === held.href), find);
}

function none() {
  if (words()) return "No matching chats.";
  if (isArchive()) return "No archived chats.";
  if (folders.current()) return "This folder is empty. Drag chats here, or use a chat's menu.";
  return "Your chats will appear here.";
}

const rows = () => [...box.querySelectorAll("[data-chat]")];
const rowOf = (id) => box.querySelector(`[data-chat="${CSS.escape(id)}"]`);

function mark() {
  for (const each of box.querySelectorAll("[data-chat]")) {
    const isHere = each.dataset.chat === page.chat?.id;
    each.classList.toggle("is-here", isHere);
    each.querySelector("a").toggleAttribute("aria-current", isHere);
  }
}

function walk(event) {
  const links = [...box.querySelectorAll("a")];
  const row = document.activeElement?.closest(".chat-row");
  const at = links.findIndex((link) => link.closest(".chat-row") === row);
  if (at < 0) return false;
  const to = at + (event.key === "ArrowDown" ? 1 : -1);
  (links[to] ?? (to < 0 ? find : links[at])).focus();
  const id = event.shiftKey && links[to]?.closest("[data-chat]")?.dataset.chat;
  const chat = shownChats().find((each) => each.id === id);
  // The first step takes the chat that it leaves, too.
  const left = shownChats().find((each) => each.id === row.dataset.chat);
  if (chat && left && !selection.has(left.id)) selection.take(left, false);
  if (chat) selection.take(chat, true);
  return true;
}

export function initSidebar() {
  const search = () => {
    emit("found");
    box.scrollTop = 0;
    void load();
  };
  find.addEventListener("input", debounce(180, search));
  find.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && find.value) {
      event.stopPropagation();
      find.value = "";
      search();
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      box.querySelector("a")?.focus();
    }
  });
  box.addEventListener("keydown", (event) => {
    const id = event.target.closest("[data-chat]")?.dataset.chat;
    const isArrow = event.key === "ArrowDown" || event.key === "ArrowUp";
    const isDone = isArrow ? walk(event) : selection.press(event, shownChats().find((chat) => chat.id === id));
    if (!isDone) return;
    event.preventDefault();
    event.stopPropagation();
  });
  byId("chat-menu").addEventListener("click", () => openChatMenu(byId("chat-menu"), page.chat));
  const later = debounce(150, () => void load({ keeps: true }));
  on("list", later);
  on("folder", () => {
    box.scrollTop = 0;
    void load();
  });
  on("reached", later);
  on("chat", mark);
  for (const name of ["made", "begun", "finished"]) on(name, later);
  void folders.load().then(load);
}
