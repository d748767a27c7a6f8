// Short notes above the box to write in, one at a time, which can take something back. A newer one covers an older one
// with an undo, which comes back when the newer one has gone.

import { call } from "./api.js";
import { byId, el, focusFirst, icon } from "./dom.js";
import { alarm, say } from "./live.js";
import { OFFLINE } from "./network.js";
import { emit, on, page } from "./state.js";

const SECONDS = 8;
const UNDO_SECONDS = 15;
// So many are kept; the journal in the admin has all changes.
const MOST = 6;
// Who had less time has hardly read it.
const READ_SECONDS = 4;
// Changes that stand on one are named up to so many.
const NAMED = 4;
const LIST = new Intl.ListFormat("en");
const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
// Changes of the journal in words.
const AFTER = {
  "patch chat": "the chat was renamed, archived or given another persona",
  "replace chat": "the chat was changed as a whole",
  "append message": "a message was added",
  "replace message": "a message was changed",
  "delete message": "a message was deleted",
  generate: "an answer was asked for",
  "finish answer": "an answer was written",
  "move chats": "chats were moved",
  "order folders": "the folders were reordered",
  "patch folder": "the folder was changed",
  "set system prompt": "the system prompt was changed",
  "clear system prompt": "the chat's own system prompt was removed",
  "set parameters": "the model's settings were changed",
  "create persona": "a persona was made",
  "copy persona": "a persona was duplicated",
  "patch persona": "a persona was changed",
  "delete persona": "a persona was deleted",
};
const box = byId("toasts");
// The newest last, which alone is on the page.
let stack = [];

// `of`: the visit whose chat the note is about, so that it is named on the page of another chat.
export function toast(text, { kind = "note", label = "", act = null, of = null } = {}) {
  const made = { text, kind, label, act, of, left: (act ? UNDO_SECONDS : SECONDS) * 1000, since: 0, timer: 0 };
  stop(stack.at(-1));
  stack = [...stack.filter((each) => each.act || isUnread(each, text)).slice(1 - MOST), made];
  draw();
  (kind === "bad" ? alarm : say)(wordsOf(made));
  return () => close(made);
}

// What can only be read has been read, but for a fault that another one covers at once, as with files that are refused.
function isUnread({ kind, text, left }, newer) {
  return kind === "bad" && text !== newer && left > (SECONDS - READ_SECONDS) * 1000;
}

const wordsOf = ({ text, of }) => (of && !of.isHere ? `“${of.title || "Untitled chat"}”: ${text}` : text);

function draw() {
  const top = stack.at(-1);
  box.replaceChildren(...(top ? [elementOf(top)] : []));
  if (top) run(top);
}

function elementOf(top) {
  const made = el("div", { class: `toast toast-${top.kind}` }, el("p", {}, wordsOf(top)));
  if (top.act) made.append(el("button", { type: "button", class: "toast-act", onclick: () => void perform(top) }, top.label));
  made.append(el("button", { type: "button", class: "act act-small", "aria-label": "Dismiss", onclick: () => close(top) }, icon("close")));
  // Who reads it or is on its button must not lose it.
  for (const name of ["pointerenter", "focusin"]) made.addEventListener(name, () => stop(top));
  for (const name of ["pointerleave", "focusout"]) made.addEventListener(name, () => run(top));
  made.addEventListener("focusin", ({ relatedTarget }) => {
    if (!box.contains(relatedTarget)) top.before = relatedTarget;
  });
  return made;
}

function run(top) {
  if (top !== stack.at(-1)) return;
  clearTimeout(top.timer);
  top.since = performance.now();
  top.timer = setTimeout(() => close(top), Math.max(top.left, 3000));
}

function stop(top) {
  if (!top?.timer) return;
  clearTimeout(top.timer);
  top.left -= performance.now() - top.since;
  top.timer = 0;
}

function close(one) {
  if (!stack.includes(one)) return;
  const isFocused = box.contains(document.activeElement);
  stop(one);
  stack = stack.filter((each) => each !== one);
  draw();
  if (isFocused) focusFirst(one.before, byId("scroll"));
}

async function perform(one) {
  const isFocused = box.contains(document.activeElement);
  close(one);
  try {
    await one.act();
  } catch (error) {
    if (error.isPassing) toast(error.message, { ...one, kind: "bad", label: "Try again" });
    else fail(error);
  }
  // Whoever pressed one button is led to the next.
  const next = stack.at(-1);
  if (isFocused && next && next !== one && next.since) {
    next.before = one.before;
    focusFirst(box.querySelector(".toast-act"));
  }
}

export function fail(error) {
  const isOfGone = error.status === 404 && page.chat?.isGone;
  if (error.name !== "AbortError") toast(isOfGone ? "This chat was deleted elsewhere: restore it first." : error.message, { kind: "bad" });
}

// Tells of a change of the journal's, and offers to take it back. `after` shows what came of that.
export function undoable(text, change, after = null, { of = null } = {}) {
  if (!change) return toast(text, { of });
  return toast(text, { label: "Undo", act: () => takeBack({ text, change, after, of }), of });
}

async function takeBack(done) {
  try {
    await undo(done.change);
  } catch (error) {
    if (!error.undoFirst?.length) throw error;
    offerAll(done, error.undoFirst);
    return;
  }
  await showAgain(done);
  say("Undone.");
}

const undo = (change) => call("POST", `/api/changes/${change}/undo`, {});

// One button for all that stands on a change, which it names, and for the change itself.
function offerAll(done, first) {
  const names = first.slice(0, NAMED).map(({ action, summary, at }) => {
    return `${AFTER[action] ?? `${action} ${summary}`.trim()} (${TIME.format(new Date(at))})`;
  });
  if (first.length > NAMED) names.push(`${first.length - NAMED} earlier changes`);
  const text = `To undo “${done.text}”, first undo what came after it: ${LIST.format(names)}.`;
  toast(text, { label: first.length === 1 ? "Undo both" : `Undo all ${first.length + 1}`, act: () => takeBackAll(done, first), of: done.of });
}

async function takeBackAll(done, first) {
  try {
    for (const { id } of first) await undo(id);
  } catch (error) {
    // Some may be undone: what is left is found anew.
    toast(error.message, { kind: "bad", label: "Try again", act: () => takeBack(done), of: done.of });
    await showAgain(done);
    return;
  } finally {
    emit("list");
  }
  await takeBack(done);
}

async function showAgain({ after }) {
  try {
    await after?.();
  } catch (error) {
    fail(error);
  }
}

export function initToasts() {
  // What was only told of a chat goes with it.
  on("leave", () => {
    stack = stack.filter(({ act, kind }) => act || kind === "bad");
    draw();
  });
  on("chat", draw);
  // It is there again: that it was away is no news any more.
  on("reached", () => {
    stack = stack.filter(({ act, text }) => act || text !== OFFLINE);
    draw();
  });
}
