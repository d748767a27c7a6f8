// The list of messages: a window on the chat that grows where somebody scrolls.

import { getText, pagePath } from "./api.js";
import { byId, fromServer } from "./dom.js";
import { enhance } from "./messages.js";
import { emit, page } from "./state.js";
import { fail } from "./toasts.js";

const NEAR = 80;
const list = byId("turns");
const scroll = byId("scroll");
const edges = { before: byId("edge-before"), after: byId("edge-after") };
const span = { first: -1, last: -1, before: false, after: false };
const busy = { before: false, after: false };
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
  watch("before");
  watch("after");
  scroll.addEventListener("scroll", tellEnd, { passive: true });
  // What grows while somebody reads the end keeps its end in sight.
  new ResizeObserver(() => sticks && jumpToEnd()).observe(list);
  new ResizeObserver(() => sticks && jumpToEnd()).observe(scroll);
  byId("to-end").addEventListener("click", () => void toEnd());
  addEventListener("hashchange", () => void openHash());
  adopt();
  if (!location.hash) jumpToEnd();
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

async function fetchWindow(query, signal) {
  const content = fromServer(await getText(`${pagePath(page.chat.id)}/turns?${query}`, signal));
  const held = content.querySelector("[data-window]");
  return { span: readSpan(held), turns: [...held.children] };
}

// Returns nothing where somebody has gone to another chat meanwhile: that one is on the page now.
async function fetchHere(query, signal) {
  const chat = page.chat.id;
  const isLeft = () => page.chat?.id !== chat;
  try {
    const got = await fetchWindow(query, signal);
    return isLeft() ? null : got;
  } catch (error) {
    if (isLeft()) return null;
    throw error;
  }
}

async function grow(side) {
  if (busy[side] || !span[side] || !page.chat) return;
  busy[side] = true;
  try {
    const got = await fetchHere(side === "before" ? `before=${span.first}` : `after=${span.last}`);
    if (!got) return watch(side);
    // Browsers keep in place what is seen, but for a list that stands at its very top.
    if (side === "before" && scroll.scrollTop < 1) scroll.scrollTop = 1;
    list[side === "before" ? "prepend" : "append"](...got.turns);
    span[side] = got.span[side];
    if (side === "before") span.first = got.span.first;
    else span.last = got.span.last;
    enhance(list);
    showEdges();
    watch(side);
  } catch (error) {
    fail(error);
  } finally {
    busy[side] = false;
  }
}

function show(got) {
  list.replaceChildren(...got.turns);
  Object.assign(span, got.span);
  enhance(list);
  showEdges();
}

export async function toEnd() {
  if (span.after) {
    const got = await fetchHere("");
    if (!got) return;
    show(got);
  }
  sticks = true;
  jumpToEnd();
  byId("to-end").hidden = true;
}

// Reads the messages again, and stays where the reader is.
export async function refresh(signal) {
  if (!page.chat) return;
  if (isAtEnd() || !list.children.length) {
    const got = await fetchHere("", signal);
    if (got) {
      show(got);
      jumpToEnd();
    }
    return;
  }
  const top = scroll.getBoundingClientRect().top;
  const seen = turnsOf().find((turn) => turn.dataset.message && turn.getBoundingClientRect().bottom > top);
  const offset = seen ? seen.getBoundingClientRect().top - top : 0;
  const got = await fetchHere(seen ? `at=${encodeURIComponent(seen.dataset.message)}` : "", signal);
  if (!got) return;
  show(got);
  const again = seen && turnOf(seen.dataset.message);
  if (again) scroll.scrollTop += again.getBoundingClientRect().top - top - offset;
}

export async function fetchTurn(id) {
  const got = await fetchHere(`only=${encodeURIComponent(id)}`);
  const [turn] = got?.turns ?? [];
  if (turn) enhance(turn);
  return turn ?? null;
}

export async function openHash() {
  let id = location.hash.slice(1);
  try {
    id = decodeURIComponent(id);
  } catch {
    // An id can hold a percent sign.
  }
  if (!id || !page.chat) return;
  if (!turnOf(id)) {
    const got = await fetchHere(`at=${encodeURIComponent(id)}`);
    if (!got) return;
    show(got);
  }
  const turn = turnOf(id);
  if (!turn) return;
  sticks = false;
  turn.scrollIntoView({ block: "start" });
  // What comes into sight gets its true height only then.
  for (let frames = 0; frames < 3; frames += 1) {
    await new Promise(requestAnimationFrame);
    turn.scrollIntoView({ block: "start" });
  }
  turn.focus({ preventScroll: true });
  turn.classList.add("is-found");
  setTimeout(() => turn.classList.remove("is-found"), 2500);
}

export function append(turn) {
  list.append(turn);
  const position = Number(turn.dataset.position);
  if (position > span.last) span.last = position;
  showEdges();
  if (sticks) jumpToEnd();
}

// Puts a message as the server has it into the place of what stands there.
export function put(old, turn) {
  if (turn) {
    old.replaceWith(turn);
    const position = Number(turn.dataset.position);
    if (position > span.last) span.last = position;
  } else old.remove();
  showEdges();
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
