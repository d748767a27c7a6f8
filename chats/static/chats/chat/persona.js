// The persona of the chat on the page, or of the new one that it is about to become.

import { byId } from "./dom.js";
import { on, page } from "./state.js";

export const DEFAULT = { id: "Generic", name: "Default" };
let next = DEFAULT;

export const persona = () => (page.chat ? { id: page.chat.persona, name: page.chat.personaName } : next);

export function setPersona({ id, name }) {
  if (page.chat) Object.assign(page.chat, { persona: id, personaName: name });
  else next = { id, name };
  showPersona();
}

export function showPersona() {
  byId("persona-name").textContent = persona().name;
  byId("open-settings").setAttribute("aria-label", `Chat settings. Persona: ${persona().name}`);
}

export function initPersona() {
  on("chat", () => {
    next = DEFAULT;
    showPersona();
  });
  on("made", showPersona);
  on("persona", showPersona);
  showPersona();
}
