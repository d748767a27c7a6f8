// The personas that the palette offers for the chat on the page; chosen as in the panel of its settings.

import { call } from "./api.js";
import { everywhere } from "./chat-on-page.js";
import { byId } from "./dom.js";
import { say } from "./live.js";
import { persona } from "./persona.js";
import { choose } from "./personas.js";
import { page } from "./state.js";
import { fail } from "./toasts.js";

let listed = [];

// Resolves to what went wrong, in words, or to nothing: the palette does without them.
export async function readPersonas() {
  try {
    listed = (await call("GET", "/chat-parts/personas", undefined, { visit: everywhere, isQuiet: true })).data.personas;
    return "";
  } catch (error) {
    return `The personas could not be loaded. ${error.message}`;
  }
}

async function take(item) {
  byId("message").focus();
  const isNew = !page.chat;
  await choose(item);
  // Of a chat that is stored, the note with the undo tells.
  if (isNew) say(`Persona: ${item.name}.`);
}

export function personas() {
  const { id: current } = persona();
  return listed.map(({ id, name, isOwn }) => ({
    key: `persona ${id}`,
    label: `Persona: ${name}`,
    words: "system prompt role character",
    note: id === current ? "in use" : isOwn ? "yours" : "",
    icon: "persona",
    run: () => id !== current && void take({ id, name }).catch(fail),
  }));
}
