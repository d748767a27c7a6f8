// What can be done with a message: copy, edit, write anew, branch, star, skip, delete.

import { call, chatPath, messagePath, pagePath } from "./api.js";
import { openCost } from "./cost.js";
import { byId, debounce, el } from "./dom.js";
import { generate, isRunning, settle } from "./generation.js";
import { openMenu } from "./menu.js";
import { copy, textOf, withText } from "./messages.js";
import { openMade } from "./navigation.js";
import { emit, memory, page } from "./state.js";
import * as thread from "./thread.js";
import { fail, toast, undoable } from "./toasts.js";

const read = async (chat, id) => (await call("GET", messagePath(chat, id))).data;
const idOf = (turn) => turn.dataset.message;

async function reload(turn) {
  thread.put(turn, await thread.fetchTurn(idOf(turn)));
}

const acts = {
  async copy(turn) {
    if (await copy(textOf(await read(page.chat.id, idOf(turn))))) toast("Copied.");
  },
  async regenerate(turn) {
    const id = idOf(turn);
    const chat = page.chat.id;
    const chosen = choice();
    const before = await read(chat, id);
    if (!(await generate(chat, { replaces: id, ...chosen }, { replaces: id }))) return;
    offerBack(chat, id, before);
  },
  edit: openEditor,
  async star(turn) {
    await flag(turn, "starred");
  },
  async skip(turn) {
    await flag(turn, "aix.skip");
  },
  async branch(turn) {
    const made = call("POST", `${chatPath(page.chat.id)}/branch`, { messageId: idOf(turn) });
    const { data, change } = (await openMade(made, ({ data: { id } }) => id)) ?? {};
    if (!data) return;
    emit("list");
    const isHere = () => page.chat?.id === data.id;
    undoable(isHere() ? "This is the new branch: a copy up to that message." : "The branch is in the list.", change, () => {
      if (isHere()) emit("open", { id: null });
      emit("list");
    });
  },
  async link(turn) {
    if (await copy(`${location.origin}${pagePath(page.chat.id)}#${encodeURIComponent(idOf(turn))}`)) toast("Link copied.");
  },
  async cost(turn) {
    await openCost(idOf(turn));
  },
  async delete(turn) {
    const { change } = await call("DELETE", messagePath(page.chat.id, idOf(turn)));
    thread.put(turn, null);
    undoable("Message deleted.", change, () => thread.refresh());
  },
  async resend(turn) {
    await resend(page.chat.id, idOf(turn), null);
  },
  more: openMore,
};

const choice = () => ({ modelId: page.model.id, shareContext: page.share });

function offerBack(chat, id, before) {
  const back = async () => {
    try {
      await settle();
      delete before._server;
      await call("PUT", messagePath(chat, id), before);
      if (page.chat?.id === chat) await thread.refresh();
    } catch (error) {
      fail(error);
    }
  };
  toast("Answer regenerated.", { label: "Restore the old one", act: back });
}

async function flag(turn, name) {
  const chat = page.chat.id;
  const message = await read(chat, idOf(turn));
  const flags = Array.isArray(message.userFlags) ? message.userFlags : [];
  const isOn = flags.includes(name);
  const userFlags = isOn ? flags.filter((each) => each !== name) : [...flags, name];
  delete message._server;
  await call("PUT", messagePath(chat, idOf(turn)), { ...message, userFlags });
  await reload(turn);
}

function openMore(turn, button) {
  const has = (name) => turn.dataset.flags.split(" ").includes(name);
  const isUser = turn.dataset.role === "user";
  const row = (label, icon, name, more = {}) => ({ label, icon, act: () => void perform(name, turn), ...more });
  const items = [
    row("Copy", "copy", "copy"),
    row("Copy link", "link", "link"),
    row("Edit", "edit", "edit"),
    isUser ? row("Send again from here", "retry", "resend") : row("Regenerate", "retry", "regenerate"),
    row("Branch here", "branch", "branch"),
    row(has("starred") ? "Unstar" : "Star", "star", "star"),
    row(has("aix.skip") ? "Include: send to the model" : "Skip: do not send to the model", "skip", "skip"),
    null,
    row("Delete", "trash", "delete", { isBad: true }),
  ];
  openMenu(button, items, "This message");
}

// --- editing ---------------------------------------------------------------------------------------------------------

async function openEditor(turn) {
  if (turn.querySelector(".editor")) return;
  const chat = page.chat.id;
  const message = await read(chat, idOf(turn));
  if (!turn.isConnected || turn.querySelector(".editor")) return;
  const isUser = message.role === "user";
  // An edit that was left open with its chat is taken up again.
  const name = `edit:${chat}:${idOf(turn)}`;
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
    const { change } = await call("PUT", messagePath(chat, idOf(turn)), withText(message, field.value));
    forget();
    await reload(turn);
    undoable("Message edited.", change, () => thread.refresh());
  };
  const form = el(
    "form",
    { class: "editor" },
    field,
    el(
      "div",
      { class: "editor-acts" },
      el("button", { type: "button", class: "button button-quiet button-small", onclick: close }, "Cancel"),
      isUser ? el("button", { type: "button", class: "button button-quiet button-small", onclick: () => run(save) }, "Save") : null,
      el("button", { type: "submit", class: "button button-small" }, isUser ? "Save and send" : "Save"),
    ),
  );
  const run = (act) => act().catch(fail);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void run(isUser ? () => resend(chat, idOf(turn), field.value, forget) : save);
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
  field.focus();
}

// Cuts the chat behind a message of the person's, perhaps with another text, and asks for the answer.
async function resend(id, message, text, stored = () => {}) {
  if (isRunning()) return;
  const path = chatPath(id);
  const chosen = choice();
  const { data: chat } = await call("GET", path);
  const at = chat.messages.findIndex((each) => each?.id === message);
  if (at < 0) return;
  const before = chat.messages;
  const messages = before.slice(0, at + 1);
  if (text !== null) messages[at] = withText(messages[at], text);
  delete chat._server;
  await call("PUT", path, { ...chat, messages });
  stored();
  if (page.chat?.id === id) await thread.refresh();
  const cut = before.length - messages.length;
  const isBegun = await generate(id, chosen);
  if (!cut && text === null) return;
  const what = cut ? `Sent again; ${cut === 1 ? "1 later message was" : `${cut} later messages were`} removed.` : "Sent again.";
  if (isBegun || cut) toast(what, { label: "Undo", act: () => void bringBack(path, before).catch(fail) });
}

async function bringBack(path, messages) {
  await settle();
  const { data: chat } = await call("GET", path);
  delete chat._server;
  await call("PUT", path, { ...chat, messages });
  if (page.chat && chatPath(page.chat.id) === path) await thread.refresh();
}

export async function perform(name, turn, button) {
  try {
    await acts[name](turn, button);
  } catch (error) {
    fail(error);
  }
}

export function initTurnActs() {
  byId("turns").addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    const turn = button?.closest("[data-message]");
    if (turn && !turn.classList.contains("is-live")) void perform(button.dataset.act, turn, button);
  });
  byId("turns").addEventListener("dblclick", (event) => {
    const turn = event.target.closest("[data-message]");
    if (page.ui.doubleClickToEdit && turn && !turn.classList.contains("is-live")) void perform("edit", turn);
  });
}
