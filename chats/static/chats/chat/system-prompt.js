// The chat's system prompt: as it will be sent, edited, and given back to the persona.

import { call, chatPath } from "./api.js";
import { here, shows } from "./chat-on-page.js";
import { makeChat } from "./composer.js";
import { byId } from "./dom.js";
import { persona } from "./persona.js";
import { emit, memory, page } from "./state.js";
import * as thread from "./thread.js";
import { fail, undoable } from "./toasts.js";

const draftName = () => `system:${page.chat?.id ?? "new"}`;
const pathOf = (chat) => `${chatPath(chat)}/system-prompt`;
let reread = async () => {};

// An edit that was left open is taken up again.
export function showSystemPrompt() {
  const field = byId("system-prompt");
  field.value = memory.get(draftName()) ?? field.defaultValue;
  mark();
}

function mark() {
  const field = byId("system-prompt");
  const isChanged = field.value !== field.defaultValue;
  byId("system-save").disabled = !isChanged || !field.value.trim();
  byId("system-unsaved").hidden = !isChanged;
  memory.set(draftName(), isChanged ? field.value : null);
}

function tell(text) {
  const box = byId("system-error");
  box.textContent = text;
  box.hidden = !text;
}

// What is shown of the chat, and what will be sent of it, is read again.
async function changed(chat) {
  emit("prompt");
  if (!shows(chat)) return;
  await Promise.all([thread.refresh(), reread()]);
}

async function save() {
  const field = byId("system-prompt");
  const text = field.value;
  const before = field.defaultValue;
  const name = draftName();
  tell("");
  const visit = here();
  const { etag } = byId("system-part").dataset;
  let chat = page.chat?.id;
  if (!chat) {
    chat = await makeChat(persona(), visit);
    memory.set(name, null);
    memory.set(`system:${chat}`, text);
  }
  try {
    const { change } = await call("PUT", pathOf(chat), { text }, { visit, headers: etag ? { "If-Match": etag } : {} });
    memory.set(`system:${chat}`, null);
    undoable("System prompt saved for this chat.", change, () => changed(chat), { of: visit });
    await changed(chat);
  } catch (error) {
    if (error.status !== 412) throw error;
    // Something in the chat has changed since it was read, perhaps only a new answer.
    memory.set(`system:${chat}`, text);
    if (!visit.isHere || !(await reread())) return;
    if (byId("system-prompt").defaultValue === before) await save();
    else tell("The system prompt was changed elsewhere since you opened it. Save again to replace it with yours.");
  }
}

async function clear() {
  const chat = page.chat.id;
  const name = draftName();
  const visit = here();
  const { change } = await call("DELETE", pathOf(chat));
  memory.set(name, null);
  undoable("The chat's own system prompt was removed.", change, () => changed(chat), { of: visit });
  await changed(chat);
}

export function initSystemPrompt(body, read) {
  reread = read;
  const run = (act) => {
    const visit = here();
    return act().catch((error) => (error.status && visit.isHere ? tell(error.message) : fail(error)));
  };
  body.addEventListener("input", ({ target }) => target.id === "system-prompt" && mark());
  body.addEventListener("click", ({ target }) => {
    if (target.id === "system-save") void run(save);
    else if (target.id === "system-clear") void run(clear);
  });
  body.addEventListener("keydown", (event) => {
    if (event.target.id !== "system-prompt" || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    byId("system-save").click();
  });
}
