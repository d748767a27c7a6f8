// Questions to the person, in one dialog; each resolves to the answer, or to null.

import { byId, el, icon } from "./dom.js";
import { on } from "./state.js";
import { fail } from "./toasts.js";

// `act` does what is asked for while the dialog is open: where that fails, the answer is still there to try again. It
// gets the button that was pressed; without `ok` those of the body are the answers.
function ask(title, body, ok, act) {
  const dialog = byId("ask");
  const wrong = el("p", { class: "ask-wrong", role: "alert", hidden: true });
  byId("ask-title").textContent = title;
  byId("ask-body").replaceChildren(...body, wrong);
  byId("ask-ok").textContent = ok;
  byId("ask-ok").hidden = !ok;
  let isBusy = false;
  byId("ask-form").onsubmit = async (event) => {
    if (!act) return;
    event.preventDefault();
    if (isBusy) return;
    isBusy = true;
    const { submitter } = event;
    submitter.setAttribute("aria-busy", "true");
    try {
      await act(submitter);
      if (wrong.isConnected) dialog.close("ok");
    } catch (error) {
      // Whoever closed it meanwhile is told too.
      if (!wrong.isConnected || !dialog.open) fail(error);
      wrong.textContent = error.message;
      wrong.hidden = false;
    } finally {
      isBusy = false;
      submitter.removeAttribute("aria-busy");
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

// Choices: [{value, label, color}]. One press chooses. `other`: {label, field, ok, act} of one that is written. Resolves to
// whether something was chosen.
export function askChoice(title, choices, current, act, other = null) {
  const rows = choices.map(({ value, label, color }) => {
    const dot = el("i", { class: "dot", "aria-hidden": "true" });
    if (color) dot.style.setProperty("--dot", color);
    const isHeld = value === current;
    return el("button", { type: "submit", class: "choice", value, "aria-pressed": String(isHeld) }, dot, el("span", {}, label), isHeld ? icon("check") : null);
  });
  const text = el("input", { type: "text", placeholder: other?.label, "aria-label": other?.field, maxLength: 500, autocomplete: "off" });
  const take = el("button", { type: "submit", class: "button button-quiet" }, other?.ok);
  // By itself, Enter would press the first of the buttons.
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    take.form.requestSubmit(take);
  });
  const written = other ? [el("div", { class: "choice-written" }, icon("folder"), text, take)] : [];
  const body = el("div", { class: "choices", role: "group", "aria-labelledby": "ask-title" }, ...rows, ...written);
  body.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.target === text) return;
    event.preventDefault();
    rows.at((rows.indexOf(document.activeElement) + step) % rows.length).focus();
  });
  const answer = ask(title, [body], "", (pressed) => (pressed === take ? other.act(text.value.trim()) : act(pressed.value)));
  (body.querySelector("[aria-pressed=true]") ?? rows[0]).focus();
  return answer;
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
