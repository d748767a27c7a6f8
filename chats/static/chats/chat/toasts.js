// Short notes at the edge of the page, which can take something back.

import { call } from "./api.js";
import { byId, el, icon } from "./dom.js";
import { alarm, say } from "./live.js";

const SECONDS = 8;
const UNDO_SECONDS = 15;
const MOST = 3;

export function toast(text, { kind = "note", label = "", act = null } = {}) {
  const box = byId("toasts");
  const made = el("div", { class: `toast toast-${kind}` }, el("p", {}, text));
  const close = () => made.remove();
  if (act) {
    const button = el("button", { type: "button", class: "toast-act" }, label);
    button.addEventListener("click", () => {
      close();
      act();
    });
    made.append(button);
  }
  made.append(el("button", { type: "button", class: "act act-small", "aria-label": "Dismiss", onclick: close }, icon("close")));
  box.append(made);
  while (box.children.length > MOST) box.firstElementChild.remove();
  let timer = 0;
  const count = () => (timer = setTimeout(close, (act ? UNDO_SECONDS : SECONDS) * 1000));
  // Who reads it or is on its button must not lose it.
  for (const name of ["pointerenter", "focusin"]) made.addEventListener(name, () => clearTimeout(timer));
  for (const name of ["pointerleave", "focusout"]) made.addEventListener(name, count);
  count();
  (kind === "bad" ? alarm : say)(text);
  return close;
}

export function fail(error) {
  if (error.name !== "AbortError") toast(error.message, { kind: "bad" });
}

// Tells of a change of the journal's, and offers to take it back.
export function undoable(text, change, after) {
  if (!change) return toast(text);
  return toast(text, { label: "Undo", act: () => takeBack(change, after) });
}

async function takeBack(change, after) {
  try {
    await call("POST", `/api/changes/${change}/undo`, {});
    await after?.();
    say("Undone.");
  } catch (error) {
    fail(error);
  }
}
