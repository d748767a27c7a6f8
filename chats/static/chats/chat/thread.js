// The list of messages: a window on the chat that grows where somebody scrolls.

import { getText, pagePath } from "./api.js";
import { here } from "./chat-on-page.js";
import { byId, focusFirst, fromServer } from "./dom.js";
import { enhance } from "./messages.js";
import { emit, on } from "./state.js";
import { fail } from "./toasts.js";

const NEAR = 80;
const list = byId("turns");
const scroll = byId("scroll");
const edges = { before: byId("edge-before"), after: byId("edge-after") };
const span = { first: -1, last: -1, before: false, after: false };
const busy = { before: null, after: null };
let sticks = !location.hash;

export const turnsOf = () => [...list.querySelectorAll(":scope > .msg")];
export const turnOf = (id) => turnsOf().find((turn) => turn.dataset.message === id) ?? null;
export const isAtEnd = () => !span.after && scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR;

const watcher = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) void grow(target === edges.before ? "before" : "after");
    }
  },
  { root: scroll, rootMargin: "1200px 0px" },
);

// An edge that stays near after the list grew would not be told of again.
function watch(side) {
  watcher.unobserve(edges[side]);
  watcher.observe(edges[side]);
}

export function initThread() {
  watchBoth();
  // What could not be read while the server was away.
  on("reached", watchBoth);
  scroll.addEventListener("scroll", tellEnd, { passive: true });
  // What grows while somebody reads the end keeps its end in sight.
  new ResizeObserver(() => sticks && jumpToEnd()).observe(list);
  new ResizeObserver(() => sticks && jumpToEnd()).observe(scroll);
  byId("to-end").addEventListener("click", () => void toEnd().catch(fail));
  addEventListener("hashchange", () => void openHash().catch(fail));
  adopt();
  if (!location.hash) jumpToEnd();
}

function watchBoth() {
  watch("before");
  watch("after");
}

function tellEnd() {
  sticks = isAtEnd();
  byId("to-end").hidden = sticks;
}

function jumpToEnd() {
  // An empty chat's greeting is read from its beginning.
  scroll.scrollTop = list.children.length ? scroll.scrollHeight : 0;
}

// Takes over the window that the server rendered into the list.
export function adopt() {
  const held = list.querySelector(":scope > [data-window]");
  if (held) {
    Object.assign(span, readSpan(held));
    held.replaceWith(...held.children);
  }
  enhance(list);
  showEdges();
}

function readSpan({ dataset }) {
  return { first: Number(dataset.first), last: Number(dataset.last), before: !!dataset.before, after: !!dataset.after };
}

function showEdges() {
  edges.before.hidden = !span.before;
  edges.after.hidden = !span.after;
  byId("empty").hidden = list.children.length > 0;
}

async function fetchWindow(query, { visit = here(), ...options } = {}) {
  const content = fromServer(await getText(`${pagePath(visit.chat)}/turns?${query}`, { visit, ...options }));
  const held = content.querySelector("[data-window]");
  return { span: readSpan(held), turns: [...held.children] };
}

async function grow(side) {
  const visit = here();
  if (busy[side] === visit || !span[side] || !visit.chat) return;
  busy[side] = visit;
  try {
    const got = await fetchWindow(side === "before" ? `before=${span.first}` : `after=${span.last}`, { visit });
    // Browsers keep in place what is seen, but for a list that stands at its very top.
    if (side === "before" && scroll.scrollTop < 1) scroll.scrollTop = 1;
    list[side === "before" ? "prepend" : "append"](...got.turns);
    span[side] = got.span[side];
    if (side === "before") span.first = got.span.first;
    else span.last = got.span.last;
    enhance(list);
    showEdges();
    emit("turns");
    watch(side);
  } catch (error) {
    fail(error);
  } finally {
    if (busy[side] === visit) busy[side] = null;
  }
}

function show(got) {
  const back = keepFocus();
  const olds = new Map(turnsOf().map((old) => [old.dataset.message, old]));
  for (const turn of got.turns) carryOpen(olds.get(turn.dataset.message), turn);
  list.replaceChildren(...got.turns);
  Object.assign(span, got.span);
  enhance(list);
  showEdges();
  back();
  emit("turns");
}

// What somebody opened in a message stays open when the message comes anew: an edit above all.
function carryOpen(old, turn) {
  if (!old) return;
  for (const box of old.querySelectorAll(":scope > :is(.editor, .other-model)")) {
    turn.querySelector(".msg-body").after(box);
    turn.classList.toggle("is-edited", box.classList.contains("editor"));
  }
  const folds = [...turn.querySelectorAll("details")];
  const before = [...old.querySelectorAll("details")];
  if (folds.length !== before.length) return;
  for (const [at, { open }] of before.entries()) folds[at].open = open;
}

// Returns what gives the focus back to where it was: the same place of the same message, else a neighbour.
function keepFocus() {
  const held = document.activeElement?.closest?.("#turns > .msg");
  if (!held) return () => {};
  const { message } = held.dataset;
  const focused = document.activeElement;
  const act = focused.closest("[data-act]")?.dataset.act;
  const at = turnsOf().indexOf(held);
  return () => {
    if (held.isConnected) return;
    if (focused.isConnected) {
      focused.focus({ preventScroll: true });
      return;
    }
    const again = turnOf(message);
    focusFirst(act && again?.querySelector(`.msg-acts [data-act="${act}"]`), again, ...neighboursAt(at));
  };
}

// What may have the focus where a message was: the next one, the one before, or the box to write in.
function neighboursAt(at) {
  const turns = turnsOf();
  return [turns[at], turns[at - 1], turns.at(-1), byId("message")];
}

export async function toEnd(visit = here()) {
  if (span.after) show(await fetchWindow("", { visit }));
  sticks = true;
  jumpToEnd();
  byId("to-end").hidden = true;
}

// Reads the messages again, and stays where the reader is.
export async function refresh(options) {
  if (!here().chat) return;
  if (isAtEnd() || !list.children.length) {
    show(await fetchWindow("", options));
    jumpToEnd();
    return;
  }
  const top = scroll.getBoundingClientRect().top;
  const seen = turnsOf().find((turn) => turn.dataset.message && turn.getBoundingClientRect().bottom > top);
  const offset = seen ? seen.getBoundingClientRect().top - top : 0;
  show(await fetchWindow(seen ? `at=${encodeURIComponent(seen.dataset.message)}` : "", options));
  const again = seen && turnOf(seen.dataset.message);
  if (again) scroll.scrollTop += again.getBoundingClientRect().top - top - offset;
}

// Resolves to the message as the server has it; null where it is gone.
export async function fetchTurn(id, visit = here()) {
  const [turn] = (await fetchWindow(`only=${encodeURIComponent(id)}`, { visit })).turns;
  if (turn) enhance(turn);
  return turn ?? null;
}

export async function openHash() {
  const visit = here();
  let id = location.hash.slice(1);
  try {
    id = decodeURIComponent(id);
  } catch {
    // An id can hold a percent sign.
  }
  // Or it is the link that skips the list of chats.
  if (!id || !visit.chat || id === scroll.id) return;
  if (!turnOf(id)) show(await fetchWindow(`at=${encodeURIComponent(id)}`, { visit }));
  const turn = turnOf(id);
  if (!turn) return;
  sticks = false;
  turn.scrollIntoView({ block: "start" });
  // What comes into sight gets its true height only then.
  for (let frames = 0; frames < 3; frames += 1) {
    await visit.whileHere(new Promise(requestAnimationFrame));
    turn.scrollIntoView({ block: "start" });
  }
  turn.focus({ preventScroll: true });
  turn.classList.add("is-found");
  setTimeout(() => turn.classList.remove("is-found"), 2500);
}

export function append(turn) {
  list.append(turn);
  noteLast(turn);
  showEdges();
  if (sticks) jumpToEnd();
}

function noteLast(turn) {
  const position = Number(turn.dataset.position);
  if (position > span.last) span.last = position;
}

// Puts a message as the server has it, or nothing, into the place of what stands there. That may have been read again
// meanwhile; a message of a chat that was left stands nowhere.
export function put(old, turn) {
  const place = old.parentElement === list ? old : turnOf(old.dataset.message);
  if (!place) return;
  const back = keepFocus();
  if (turn) {
    carryOpen(place, turn);
    place.replaceWith(turn);
    noteLast(turn);
  } else place.remove();
  showEdges();
  back();
  if (sticks) jumpToEnd();
  emit("turns");
}

export function clear() {
  list.replaceChildren();
  Object.assign(span, { first: -1, last: -1, before: false, after: false });
  showEdges();
}

export const stick = () => {
  sticks = true;
  jumpToEnd();
};
