// Personas: chosen for the chat; those of the person are made, edited, duplicated and deleted.

import { call, chatPath, personaPath, send } from "./api.js";
import { here, shows } from "./chat-on-page.js";
import { byId } from "./dom.js";
import { DEFAULT, persona, setPersona } from "./persona.js";
import { emit, memory, page } from "./state.js";
import * as thread from "./thread.js";
import { fail, undoable } from "./toasts.js";

const dialog = byId("persona-edit");
const name = byId("persona-edit-name");
const prompt = byId("persona-edit-prompt");
const wrong = byId("persona-edit-error");
let reread = async () => {};
// What is edited: its id, empty for a new one, and the version that was read.
let edited = { id: "", etag: null };

const draft = () => `persona:${edited.id || "new"}`;

// Chooses a persona for the chat on the page; of one that is not made yet it is remembered until then.
export async function choose({ id, name }, { isQuiet = false } = {}) {
  const before = persona();
  const visit = here();
  const { chat } = visit;
  if (chat) {
    const { change } = await call("PATCH", chatPath(chat), { systemPurposeId: id });
    if (shows(chat)) setPersona({ id, name });
    const back = async () => {
      if (shows(chat)) setPersona(before);
      await changed();
    };
    if (!isQuiet) undoable(`Persona: ${name}.`, change, back, { of: visit });
  } else setPersona({ id, name });
  await changed();
  return before;
}

// The persona, or what it says, is another: so is what will be sent.
async function changed() {
  emit("prompt");
  // Whether big-AGI's own text is sent is told at its message.
  const isTold = page.chat && byId("turns").querySelector(".msg-system");
  await Promise.all([reread(), isTold ? thread.refresh() : null]);
}

const acts = {
  async create() {
    edit({ id: "", etag: null }, { name: "", systemPrompt: "" });
  },
  async edit() {
    const { id } = persona();
    const response = await send("GET", personaPath(id));
    edit({ id, etag: response.headers.get("ETag") }, await response.json());
  },
  async copy() {
    const visit = here();
    const { data, change } = await call("POST", `${personaPath(persona().id)}/copy`);
    await take(data, change, "Persona duplicated.", visit);
  },
  async remove() {
    const { id, name } = persona();
    const { change } = await call("DELETE", personaPath(id));
    // A new chat begins without it; one that has it keeps its id, so that it can come back.
    const isNew = !page.chat;
    if (isNew) setPersona(DEFAULT);
    undoable(`Persona “${name}” deleted. Its chats are kept.`, change, async () => {
      if (isNew && !page.chat) setPersona({ id, name });
      await changed();
    });
    await changed();
  },
};

function edit(what, { name: called, systemPrompt }) {
  edited = what;
  const kept = JSON.parse(memory.get(draft()) || "null");
  byId("persona-edit-title").textContent = `${what.id ? "Edit persona" : "New persona"}${kept ? ": your unsaved draft" : ""}`;
  byId("persona-edit-ok").textContent = what.id ? "Save" : "Create and use";
  name.value = kept?.name ?? called ?? "";
  prompt.value = kept?.prompt ?? systemPrompt ?? "";
  tell("");
  dialog.showModal();
  name.focus();
}

function tell(text) {
  wrong.textContent = text;
  wrong.hidden = !text;
  prompt.setAttribute("aria-invalid", String(Boolean(text)));
}

async function save() {
  const body = { name: name.value.trim(), systemPrompt: prompt.value };
  if (!body.systemPrompt.trim()) {
    tell("Write a system prompt: it is what makes the persona.");
    prompt.focus();
    return;
  }
  try {
    if (edited.id) {
      const { id, etag } = edited;
      const { data, change } = await call("PATCH", personaPath(id), body, { headers: etag ? { "If-Match": etag } : {} });
      close();
      if (persona().id === id) setPersona({ id, name: nameOf(data) });
      undoable("Persona saved.", change, changed);
      await changed();
    } else {
      const visit = here();
      const { data, change } = await call("POST", "/api/personas", body);
      close();
      await take(data, change, "Persona created.", visit);
    }
  } catch (error) {
    // Who closed it meanwhile, or went to another chat, is told too; what was written is kept.
    if (!dialog.open) fail(error);
    else if (error.status !== 412) tell(error.message);
    else {
      // What the other one wrote is replaced only by who knows of it.
      edited.etag = null;
      tell("This persona was changed in another tab since you opened it. Save again to replace that version, or cancel to keep it.");
      byId("persona-edit-ok").textContent = "Replace";
    }
  }
}

const nameOf = (data) => data.name || "Unnamed persona";

// A new persona is for the chat where it was asked for, while that is on the page.
async function take(data, change, text, visit) {
  let before = null;
  try {
    if (visit.isHere) before = await choose({ id: data.id, name: nameOf(data) }, { isQuiet: true });
  } catch (error) {
    fail(error);
  }
  undoable(text, change, async () => {
    if (before && visit.isHere && persona().id === data.id) await choose(before, { isQuiet: true });
    else await changed();
  });
  if (!before) await changed();
}

function close() {
  memory.set(draft(), null);
  dialog.close();
}

export function initPersonas(body, read) {
  reread = read;
  const run = (act) => void act().catch(fail);
  body.addEventListener("click", ({ target }) => {
    const act = target.closest("[data-persona-act]")?.dataset.personaAct;
    if (act) run(acts[act]);
  });
  body.addEventListener("change", ({ target }) => {
    if (target.id !== "persona") return;
    const { value, selectedOptions } = target;
    choose({ id: value, name: selectedOptions[0].textContent }).catch((error) => {
      fail(error);
      // What is shown is what is stored.
      run(read);
    });
  });
  // Escape, and a click beside it, can be slips.
  dialog.querySelector("[data-close]").addEventListener("click", () => memory.set(draft(), null));
  byId("persona-form").addEventListener("submit", (event) => {
    event.preventDefault();
    run(save);
  });
  for (const field of [name, prompt]) {
    field.addEventListener("input", () => memory.set(draft(), JSON.stringify({ name: name.value, prompt: prompt.value })));
  }
}
