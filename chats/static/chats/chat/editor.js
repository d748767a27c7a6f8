// A message edited in its place.

import { call, messagePath, rewrite } from "./api.js";
import { once } from "./busy.js";
import { here, shows } from "./chat-on-page.js";
import { debounce, el } from "./dom.js";
import { textOf, withText } from "./messages.js";
import { resend } from "./resend.js";
import { emit, memory } from "./state.js";
import * as thread from "./thread.js";
import { fail, toast, undoable } from "./toasts.js";

// Somebody else changed the text that is edited; `text` is what it is now.
class Changed extends Error {
  constructor(text) {
    super("This message was changed elsewhere while you edited it.");
    this.text = text;
  }
}

const quiet = (label, onclick) => el("button", { type: "button", class: "button button-quiet button-small", onclick }, label);

export async function openEditor(pressed, _, visit) {
  const { chat } = visit;
  const id = pressed.dataset.message;
  const path = messagePath(chat, id);
  const { data: message } = await call("GET", path, undefined, { visit });
  // The messages may have been read again meanwhile.
  const turn = visit.isHere && thread.turnOf(id);
  if (!turn || turn.querySelector(".editor")) return;
  const isUser = message.role === "user";
  // An edit that was left open with its chat is taken up again, with the text that it began from.
  const name = `edit:${chat}:${id}`;
  const kept = memory.get(name);
  let base = (kept !== null && memory.get(`${name}:from`)) || textOf(message);
  const field = el("textarea", { value: kept ?? base, "aria-label": "Message text", rows: 3 });
  const store = (text) => {
    memory.set(name, text);
    memory.set(`${name}:from`, text && base);
  };
  const keep = debounce(250, () => store(field.value));
  const forget = () => {
    keep.cancel();
    store(null);
  };
  // Returns the message that it stood in.
  const remove = () => {
    const edited = form.closest(".msg");
    form.remove();
    edited?.classList.remove("is-edited");
    return edited;
  };
  const close = () => {
    forget();
    remove()?.focus({ preventScroll: true });
  };
  const showStored = () =>
    visit.show(async () => {
      const stored = await thread.fetchTurn(id, visit);
      remove();
      thread.put(turn, stored);
    });
  const edit = (stored) => {
    if (textOf(stored) !== base) throw new Changed(textOf(stored));
    return withText(stored, field.value);
  };
  const save = async () => {
    const { change } = await rewrite(path, edit);
    forget();
    undoable("Message edited.", change, () => shows(chat) && thread.refresh(), { of: visit });
    await showStored();
  };
  const saving = el("button", { type: "submit", class: "button button-small" }, isUser ? "Save and send" : "Save");
  const keeping = isUser ? quiet("Save", () => run(save)) : null;
  const form = el("form", { class: "editor" }, field, el("div", { class: "editor-acts" }, quiet("Cancel", close), keeping, saving));
  // What could not be saved stays in the box.
  const run = (act) => {
    saving.setAttribute("aria-busy", "true");
    once(name, act)
      .catch((error) => (error instanceof Changed ? offerBoth(error, act) : fail(error)))
      .finally(() => saving.removeAttribute("aria-busy"));
  };
  // Mine then takes the place of that text, which its undo brings back.
  const offerBoth = ({ message: why, text }, act) => {
    base = text;
    store(field.value);
    const mine = el("button", { type: "button", class: "button button-small", onclick: () => run(act) }, "Keep mine");
    const choice = el(
      "div",
      { class: "clash", role: "group", "aria-label": "The other text" },
      el("p", { role: "alert" }, `${why} The other text:`),
      el("div", { class: "tail", tabIndex: 0 }, text),
      el("div", { class: "editor-acts" }, quiet("Keep the other", () => void keepOther().catch(fail)), mine),
    );
    form.lastElementChild.replaceWith(choice);
    choice.scrollIntoView({ block: "nearest" });
    mine.focus();
  };
  const sent = () => {
    forget();
    remove();
  };
  const keepOther = async () => {
    const text = field.value;
    close();
    const back = () => {
      store(text);
      const again = shows(chat) && thread.turnOf(id);
      if (again) return openEditor(again, null, here());
      return emit("open", { id: chat, hash: id });
    };
    toast("The other text was kept.", { label: "Edit mine again", act: back, of: visit });
    await showStored();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run(isUser ? () => resend(visit, id, edit, sent) : save);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      if (form.querySelector(".clash")) void keepOther().catch(fail);
      else close();
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
