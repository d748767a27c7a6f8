// A message edited in its place.

import { call, messagePath } from "./api.js";
import { once } from "./busy.js";
import { shows } from "./chat-on-page.js";
import { debounce, el } from "./dom.js";
import { textOf, withText } from "./messages.js";
import { resend } from "./resend.js";
import { memory } from "./state.js";
import * as thread from "./thread.js";
import { fail, undoable } from "./toasts.js";

export async function openEditor(turn, _, visit) {
  if (turn.querySelector(".editor")) return;
  const { chat } = visit;
  const id = turn.dataset.message;
  const path = messagePath(chat, id);
  const { data: message } = await call("GET", path, undefined, { visit });
  if (!turn.isConnected || turn.querySelector(".editor")) return;
  const isUser = message.role === "user";
  // An edit that was left open with its chat is taken up again.
  const name = `edit:${chat}:${id}`;
  const field = el("textarea", { value: memory.get(name) ?? textOf(message), "aria-label": "Message text", rows: 3 });
  const keep = debounce(250, () => memory.set(name, field.value));
  const forget = () => {
    keep.cancel();
    memory.set(name, null);
  };
  const close = () => {
    forget();
    form.remove();
    turn.classList.remove("is-edited");
    turn.focus({ preventScroll: true });
  };
  const save = async () => {
    delete message._server;
    const { change } = await call("PUT", path, withText(message, field.value));
    forget();
    undoable("Message edited.", change, () => shows(chat) && thread.refresh(), { of: visit });
    await visit.show(async () => thread.put(turn, await thread.fetchTurn(id, visit)));
  };
  const saving = el("button", { type: "submit", class: "button button-small" }, isUser ? "Save and send" : "Save");
  const form = el(
    "form",
    { class: "editor" },
    field,
    el(
      "div",
      { class: "editor-acts" },
      el("button", { type: "button", class: "button button-quiet button-small", onclick: close }, "Cancel"),
      isUser ? el("button", { type: "button", class: "button button-quiet button-small", onclick: () => run(save) }, "Save") : null,
      saving,
    ),
  );
  // What could not be saved stays in the box.
  const run = (act) => {
    saving.setAttribute("aria-busy", "true");
    once(name, act)
      .catch(fail)
      .finally(() => saving.removeAttribute("aria-busy"));
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run(isUser ? () => resend(visit, id, field.value, forget) : save);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  turn.classList.add("is-edited");
  turn.querySelector(".msg-body").after(form);
  const grow = () => {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight + 2, innerHeight * 0.5)}px`;
  };
  field.addEventListener("input", () => {
    keep();
    grow();
  });
  grow();
  field.focus({ preventScroll: true });
  form.scrollIntoView({ block: "nearest" });
}
