// The box that messages are written in.

import { call } from "./api.js";
import * as attachments from "./attachments.js";
import { here } from "./chat-on-page.js";
import { byId, debounce, el, focusFirst } from "./dom.js";
import { look } from "./follow.js";
import { estimate } from "./gauge.js";
import * as generation from "./generation.js";
import { randomId } from "./messages.js";
import { choose } from "./model-picker.js";
import { adoptChat, isLeaving, openChat } from "./navigation.js";
import { insist } from "./network.js";
import { persona, setPersona } from "./persona.js";
import { emit, memory, on, page } from "./state.js";
import { readWhyNot } from "./status.js";
import * as thread from "./thread.js";
import { fail, toast } from "./toasts.js";

// Texts longer than this fill the box, however wide it is: measuring them with each key would be felt.
const LONG = 6000;
const field = byId("message");
const draftOf = (chat) => `draft:${chat ?? "new"}`;
const draftName = () => draftOf(here().chat);
// The drafts that are being sent.
const sending = new Set();
// What was sent and never answered, by its draft: nobody knows whether it has arrived. The same again is sent under the
// same key, so that it is there once.
const unsure = new Map();
let beforeLeaving = "";
let left = null;

export function initComposer() {
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    void submit(field.value, attachments.chosen());
  });
  byId("stop").addEventListener("click", () => void generation.stop());
  field.addEventListener("keydown", onKey);
  field.addEventListener("input", () => {
    // From now on it is another message.
    unsure.delete(draftName());
    fit();
    keepDraft();
  });
  addEventListener("pagehide", () => memory.set(draftName(), field.value));
  byId("send-anew").addEventListener("click", () => void sendAnew().catch(fail));
  on("leaving", () => (beforeLeaving = field.value));
  on("staying", () => (left = null));
  on("leave", leaveDraft);
  on("chat", () => {
    showDraft();
    offerLeft();
  });
  on("clips", fit);
  on("begun", showQuestion);
  on("reached", estimate);
  showDraft();
}

const keepDraft = debounce(250, () => memory.set(draftName(), field.value));

// What was typed here belongs to this chat, to the last letter.
function leaveDraft() {
  keepDraft.cancel();
  memory.set(draftName(), field.value);
  attachments.leave(draftName());
  const isTyped = field.value !== beforeLeaving && field.value.trim();
  left = isTyped ? { name: draftName(), title: page.chat ? page.chat.title || "Untitled chat" : "New chat" } : null;
}

// Who typed while a chat was opening may have meant that one.
function offerLeft() {
  if (!left || left.name === draftName()) return;
  const { name, title } = left;
  toast(`What you typed while this chat was opening is a draft of “${title}”.`, { label: "Move it here", act: () => bring(name) });
}

// Brings what was typed for another chat here, behind or before what was typed for this one.
function bring(name, { isFirst = false } = {}) {
  const text = memory.get(name);
  if (!text || name === draftName()) return;
  memory.set(name, "");
  const texts = isFirst ? [text, field.value] : [field.value, text];
  field.value = texts.filter(Boolean).join("\n");
  memory.set(draftName(), field.value);
  fit();
  estimate();
  field.focus();
}

// The chat here was deleted: what was typed for it goes to a new one.
async function sendAnew() {
  const name = draftName();
  const typed = field.value;
  const model = page.model.id;
  const chosen = persona();
  if (!(await openChat(null))) return;
  setPersona(chosen);
  choose(model);
  attachments.bring(name);
  bring(name, { isFirst: true });
  await submit(typed, attachments.chosen());
}

function showDraft() {
  field.value = memory.get(draftName()) ?? "";
  attachments.come(draftName());
  fit();
}

function onKey(event) {
  if (event.isComposing) return;
  if (event.key === "Enter") {
    const isForced = event.ctrlKey || event.metaKey;
    const sends = isForced || (!page.ui.enterIsNewline && !event.shiftKey && !event.altKey);
    if (!sends) return;
    event.preventDefault();
    void submit(field.value, attachments.chosen());
  } else if (event.key === "ArrowUp" && !field.value) {
    const last = thread.turnsOf().findLast((turn) => turn.dataset.role === "user");
    if (!last) return;
    event.preventDefault();
    last.querySelector("[data-act=edit]")?.click();
  }
}

function fit() {
  const isLong = field.textLength > LONG;
  field.classList.toggle("is-long", isLong);
  field.style.height = isLong ? "" : "auto";
  if (!isLong) field.style.height = `${field.scrollHeight}px`;
  const isEmpty = !(/\S/.test(field.value) || attachments.count());
  byId("send").disabled = isEmpty || sending.has(draftName());
  byId("send-anew").hidden = isEmpty;
}

// Puts this before what is in the box, for the person to go on.
export function fill(text) {
  if (!field.value.startsWith(text)) field.value = text + field.value;
  field.dispatchEvent(new Event("input"));
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
}

// Sends this to a model; what is in the box stays there.
export function start(model, text) {
  choose(model);
  void submit(text, attachments.NONE);
}

// --- sending ---------------------------------------------------------------------------------------------------------

async function submit(text, files) {
  if (!(text.trim() || files.sent.length) || sending.has(draftName()) || generation.isRunning()) return;
  if (page.chat?.isGone) focusFirst(byId("restore"), byId("send-anew"));
  else if (isLeaving()) toast("Not sent: another chat is opening. What you typed stays here, as a draft.");
  else await send(text, files);
}

// Sends it to the chat that is here now, wherever the page goes meanwhile. It stays a draft until the server has it.
async function send(typed, files) {
  const visit = here();
  const { model, share } = page;
  const drafts = [draftName()];
  const chosen = persona();
  let asked = null;
  sending.add(drafts[0]);
  fit();
  try {
    const whyNot = await readWhyNot(visit);
    if (whyNot) throw new Error(whyNot);
    const again = unsure.get(drafts[0]);
    const isAgain = again?.typed === typed && again.body.modelId === model.id && !files.sent.length;
    const sent = isAgain ? again : await prepare(typed, files, { modelId: model.id, shareContext: share });
    unsure.set(drafts[0], sent);
    const chat = visit.chat ?? (await makeChat(chosen, visit, sent));
    if (!drafts.includes(draftOf(chat))) drafts.push(draftOf(chat));
    sending.add(draftOf(chat));
    const { message } = sent.body;
    await visit.show(async () => {
      await thread.toEnd(visit);
      asked = questionOf(message.id, typed.trim(), files.sent.length);
      thread.append(asked);
    });
    for (const draft of drafts) unsure.set(draft, sent);
    await generation.generate(visit, chat, sent.body, { key: sent.key });
    for (const draft of drafts) unsure.delete(draft);
    forget(typed, files, drafts);
  } catch (error) {
    if (asked) thread.put(asked, null);
    // What was refused has not arrived.
    if (error.status >= 400) for (const draft of drafts) unsure.delete(draft);
    await tellUnsent(error, visit);
  } finally {
    for (const draft of drafts) sending.delete(draft);
    fit();
    estimate();
    if (visit.isHere && !document.querySelector("dialog:modal")) field.focus({ preventScroll: true });
  }
}

async function tellUnsent(error, visit) {
  // Of a chat that was deleted the page tells itself, and what can be done.
  if (visit.isHere && error.status === 404) await look();
  if (visit.isHere && page.chat?.isGone) return;
  if (visit.isHere) fail(error);
  else if (error.name !== "AbortError") toast(`Not sent, and kept as a draft. ${error.message}`, { kind: "bad", of: visit });
}

async function prepare(typed, files, choice) {
  const text = typed.trim();
  const fragments = text ? [{ ft: "content", fId: randomId(8), part: { pt: "text", text } }] : [];
  fragments.push(...(await attachments.toFragments(files)));
  const message = { id: randomId(21), role: "user", fragments };
  return { typed, key: randomId(21), chatKey: randomId(21), body: { message, ...choice } };
}

// Makes the chat that the new page is about to become.
export async function makeChat(chosen = persona(), visit = here(), { chatKey = randomId(21) } = {}) {
  const now = Date.now();
  const chat = { messages: [], systemPurposeId: chosen.id, created: now, updated: now };
  const post = () => call("POST", "/api/chats", chat, { headers: { "Idempotency-Key": chatKey } });
  const { data } = await insist(post, { signal: visit.signal });
  if (visit.isHere) {
    keepDraft.cancel();
    memory.set(draftName(), "");
    adoptChat({ id: data.id, revision: data._server.revision, persona: chosen.id, personaName: chosen.name });
    memory.set(draftName(), field.value);
  } else {
    memory.set(draftOf(data.id), memory.get(draftOf(null)));
    memory.set(draftOf(null), "");
    attachments.rename(draftOf(null), draftOf(data.id));
    emit("list");
  }
  return data.id;
}

// The server has it. What was typed or chosen since then stays.
function forget(typed, files, drafts) {
  const rest = (value) => (value.startsWith(typed) ? value.slice(typed.length) : value);
  for (const draft of drafts) memory.set(draft, rest(memory.get(draft) ?? ""));
  if (drafts.includes(draftName()) && field.value) field.value = rest(field.value);
  attachments.discard(files);
}

// The question until the server has rendered it.
function questionOf(id, text, files) {
  const note = files ? el("p", { class: "remark" }, files === 1 ? "1 attachment" : `${files} attachments`) : null;
  return el(
    "article",
    { class: "msg msg-user is-live", "data-message": id, "data-role": "user", "aria-label": "User", tabIndex: -1 },
    el("header", { class: "msg-head" }, el("h2", { class: "msg-role" }, el("span", { class: "visually-hidden" }, "You"))),
    el("div", { class: "msg-body" }, el("div", { class: "md tail" }, text), note),
    el("footer", { class: "msg-foot" }),
  );
}

async function showQuestion({ userMessage }) {
  if (!userMessage) return;
  try {
    const turn = await thread.fetchTurn(userMessage.id);
    const old = thread.turnOf(userMessage.id);
    if (old && turn) thread.put(old, turn);
    // A page that only follows has not seen the question.
    else if (turn) document.querySelector("#turns > .msg-assistant.is-live")?.before(turn);
  } catch (error) {
    fail(error);
  }
}
