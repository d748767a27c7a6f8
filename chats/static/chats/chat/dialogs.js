// Questions to the person, in one dialog; each resolves to the answer, or to null.

import { byId, el, icon } from "./dom.js";
import { on } from "./state.js";
import { fail } from "./toasts.js";

// `act` does what is asked for while the dialog is open: where that fails, the answer is still there to try again.
function ask(title, body, ok, act) {
  const dialog = byId("ask");
  const wrong = el("p", { class: "ask-wrong", role: "alert", hidden: true });
  byId("ask-title").textContent = title;
  byId("ask-body").replaceChildren(...body, wrong);
  byId("ask-ok").textContent = ok;
  byId("ask-ok").removeAttribute("aria-busy");
  let isBusy = false;
  byId("ask-form").onsubmit = async (event) => {
    if (event.submitter?.id === "ask-cancel" || !act) return;
    event.preventDefault();
    if (isBusy) return;
    isBusy = true;
    byId("ask-ok").setAttribute("aria-busy", "true");
    try {
      await act();
      if (wrong.isConnected) dialog.close("ok");
    } catch (error) {
      // Whoever closed it meanwhile is told too.
      if (!wrong.isConnected || !dialog.open) fail(error);
      wrong.textContent = error.message;
      wrong.hidden = false;
    } finally {
      isBusy = false;
      byId("ask-ok").removeAttribute("aria-busy");
    }
  };
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "ok"), { once: true });
  });
}

export async function askText(title, label, value, ok = "Save", act = null) {
  const field = el("input", { type: "text", id: "ask-text", value, maxLength: 500, autocomplete: "off" });
  const body = el("div", { class: "field" }, el("label", { htmlFor: "ask-text" }, label), field);
  const read = () => field.value.trim();
  const answer = ask(title, [body], ok, act && (() => act(read())));
  field.select();
  return (await answer) ? read() : null;
}

// Choices: [{value, label, color}]; `other`: {label, field} of one that is written; `act` then gets null, and what was written.
export async function askChoice(title, choices, current, ok = "Move", act = null, other = null) {
  const rows = choices.map(({ value, label, color }) => {
    const input = el("input", { type: "radio", name: "choice", value, checked: value === current });
    const dot = el("i", { class: "dot", "aria-hidden": "true" });
    if (color) dot.style.setProperty("--dot", color);
    return el("label", { class: "choice" }, input, dot, el("span", {}, label));
  });
  const own = el("input", { type: "radio", name: "choice", value: "", "aria-label": other?.label });
  const text = el("input", { type: "text", class: "choice-text", placeholder: other?.label, "aria-label": other?.field, maxLength: 500, autocomplete: "off" });
  own.addEventListener("click", ({ detail }) => detail && text.focus());
  text.addEventListener("focus", () => (own.checked = true));
  if (other) rows.push(el("label", { class: "choice" }, own, icon("folder"), text));
  const body = el("div", { class: "choices", role: "radiogroup", "aria-label": title }, ...rows);
  const read = () => body.querySelector("input:checked")?.value ?? null;
  const answer = ask(title, [body], ok, act && (() => (own.checked ? act(null, text.value.trim()) : act(read()))));
  (body.querySelector("input:checked") ?? body.querySelector("input"))?.focus();
  return (await answer) ? read() : null;
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
  // What was asked about one chat is not asked in another.
  on("leave", () => {
    for (const dialog of document.querySelectorAll("dialog:modal")) dialog.close();
  });
}
