// Questions to the person, in one dialog; each resolves to the answer, or to null.

import { byId, el } from "./dom.js";

function ask(title, body, ok) {
  const dialog = byId("ask");
  byId("ask-title").textContent = title;
  byId("ask-body").replaceChildren(...body);
  byId("ask-ok").textContent = ok;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "ok"), { once: true });
  });
}

export async function askText(title, label, value, ok = "Save") {
  const field = el("input", { type: "text", id: "ask-text", value, maxLength: 500, autocomplete: "off" });
  const body = el("div", { class: "field" }, el("label", { htmlFor: "ask-text" }, label), field);
  const answer = ask(title, [body], ok);
  field.select();
  return (await answer) ? field.value.trim() : null;
}

// Choices: [{value, label, color}].
export async function askChoice(title, choices, current, ok = "Move") {
  const rows = choices.map(({ value, label, color }) => {
    const input = el("input", { type: "radio", name: "choice", value, checked: value === current });
    const dot = el("i", { class: "dot", "aria-hidden": "true" });
    if (color) dot.style.setProperty("--dot", color);
    return el("label", { class: "choice" }, input, dot, el("span", {}, label));
  });
  const body = el("div", { class: "choices", role: "radiogroup", "aria-label": title }, ...rows);
  const answer = ask(title, [body], ok);
  (body.querySelector("input:checked") ?? body.querySelector("input"))?.focus();
  return (await answer) ? (body.querySelector("input:checked")?.value ?? null) : null;
}

// A panel that leaves the rest of the page in use; there is room for one.
export function showBeside(panel) {
  for (const other of document.querySelectorAll(".sheet-beside[open]")) if (other !== panel) other.close();
  if (!panel.open) panel.show();
}

export function initDialogs() {
  byId("ask-cancel").addEventListener("click", () => byId("ask").close());
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("click", (event) => {
      const isOutside = event.target === dialog && dialog.matches(":modal");
      if (isOutside || event.target.closest("[data-close]")) dialog.close();
    });
    // Browsers close only modal ones.
    dialog.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || dialog.matches(":modal")) return;
      event.preventDefault();
      dialog.close();
    });
  }
}
