// The box that messages are written in.

import { call, chatPath } from "./api.js";
import * as attachments from "./attachments.js";
import { byId, debounce, el } from "./dom.js";
import * as generation from "./generation.js";
import { randomId } from "./messages.js";
import { models, choose } from "./model-picker.js";
import { adoptChat } from "./navigation.js";
import { forgetPreview, readPreview } from "./preview.js";
import { memory, on, page } from "./state.js";
import * as thread from "./thread.js";
import { fail } from "./toasts.js";

const LETTERS_A_TOKEN = 3.6;
const IMAGE_TOKENS = 800;
const field = byId("message");
const draftName = () => `draft:${page.chat?.id ?? "new"}`;
let isSending = false;

export function initComposer() {
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    void submit();
  });
  byId("stop").addEventListener("click", () => void generation.stop());
  field.addEventListener("keydown", onKey);
  field.addEventListener("input", () => {
    fit();
    keepDraft();
    estimate();
  });
  addEventListener("pagehide", () => memory.set(draftName(), field.value));
  byId("empty").addEventListener("click", (event) => {
    const starter = event.target.closest("[data-start]");
    if (starter) start(starter.dataset.model, starter.dataset.start);
  });
  byId("persona").addEventListener("change", () => void setPersona());
  on("leave", () => {
    keepDraft.cancel();
    memory.set(draftName(), field.value);
    attachments.clear();
  });
  on("chat", showDraft);
  on("clips", estimate);
  on("model", estimate);
  on("begun", showQuestion);
  on("finished", () => {
    forgetPreview();
    estimate();
  });
  showDraft();
}

const keepDraft = debounce(250, () => memory.set(draftName(), field.value));

function showDraft() {
  field.value = memory.get(draftName()) ?? "";
  forgetPreview();
  fit();
  estimate();
}

function onKey(event) {
  if (event.isComposing) return;
  if (event.key === "Enter") {
    const isForced = event.ctrlKey || event.metaKey;
    const sends = isForced || (!page.ui.enterIsNewline && !event.shiftKey && !event.altKey);
    if (!sends) return;
    event.preventDefault();
    void submit();
  } else if (event.key === "ArrowUp" && !field.value) {
    const last = thread.turnsOf().findLast((turn) => turn.dataset.role === "user");
    if (!last) return;
    event.preventDefault();
    last.querySelector("[data-act=edit]")?.click();
  }
}

function fit() {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
  byId("send").disabled = isSending || !(field.value.trim() || attachments.count());
}

// --- estimate --------------------------------------------------------------------------------------------------------

const dollars = new Intl.NumberFormat("en", { style: "currency", currency: "USD", minimumFractionDigits: 2, maximumSignificantDigits: 2 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

const estimate = debounce(200, async () => {
  fit();
  const box = byId("estimate");
  const length = field.value.length + attachments.textLength();
  if (!length && !attachments.count()) {
    box.textContent = "";
    return;
  }
  const before = await readPreview().catch(() => null);
  const tokens = Math.ceil(length / LETTERS_A_TOKEN) + attachments.images() * IMAGE_TOKENS + (before?.tokens ?? 0);
  const { input } = models.get(page.model.id) ?? {};
  let cost = " · unpriced";
  if (input === "free") cost = " · free";
  else if (typeof input === "number") cost = ` · ≈ ${dollars.format((tokens * input) / 1e6)}`;
  box.textContent = `≈ ${short.format(tokens)} tokens${cost}`;
  const isOver = page.model.context && tokens > page.model.context;
  box.classList.toggle("is-over", Boolean(isOver));
  box.title = isOver ? "This exceeds the model's context: the oldest messages will be left out." : "Estimate for everything that will be sent";
});

// Sends this to a model, in place of what is in the box.
export function start(model, text) {
  choose(model);
  field.value = text;
  void submit();
}

// --- sending ---------------------------------------------------------------------------------------------------------

async function submit() {
  const text = field.value.trim();
  if (isSending || generation.isRunning() || !(text || attachments.count())) return;
  isSending = true;
  fit();
  const name = draftName();
  try {
    const fragments = text ? [{ ft: "content", fId: randomId(8), part: { pt: "text", text } }] : [];
    fragments.push(...(await attachments.toFragments()));
    if (!page.chat) {
      const persona = byId("persona").value || "Generic";
      const now = Date.now();
      const made = { messages: [], systemPurposeId: persona, created: now, updated: now };
      const { data } = await call("POST", "/api/chats", made);
      adoptChat({ id: data.id, revision: data._server.revision, persona });
    }
    await thread.toEnd();
    const message = { id: randomId(21), role: "user", fragments };
    const asked = questionOf(message.id, text, attachments.count());
    thread.append(asked);
    // What was typed stays until the server has it.
    const isBegun = await generation.generate({ message, modelId: page.model.id, shareContext: page.share });
    if (!isBegun) {
      thread.put(asked, null);
      memory.set(draftName(), field.value);
      return;
    }
    field.value = "";
    memory.set(name, "");
    memory.set(draftName(), "");
    attachments.clear();
  } catch (error) {
    fail(error);
  } finally {
    isSending = false;
    fit();
    estimate();
    field.focus({ preventScroll: true });
  }
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

async function setPersona() {
  if (!page.chat) return;
  try {
    await call("PATCH", chatPath(page.chat.id), { systemPurposeId: byId("persona").value });
    forgetPreview();
  } catch (error) {
    fail(error);
  }
}

