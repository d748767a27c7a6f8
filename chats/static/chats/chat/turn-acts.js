// What can be done with a message: copy, write anew, branch, star, skip, delete.

import { call, chatPath, messagePath, pagePath, rewrite } from "./api.js";
import { during, once } from "./busy.js";
import { everywhere, here, shows } from "./chat-on-page.js";
import { openCost } from "./cost.js";
import { byId } from "./dom.js";
import { openMenu } from "./menu.js";
import { copy, textOf } from "./messages.js";
import { carryChoice, models, openPicker } from "./model-picker.js";
import { openMade } from "./navigation.js";
import { regenerate } from "./regenerate.js";
import { resend } from "./resend.js";
import { emit, page } from "./state.js";
import * as thread from "./thread.js";
import { fail, toast, undoable } from "./toasts.js";

const idOf = (turn) => turn.dataset.message;
// What is read to be written, or copied, is of use wherever the page has gone.
const read = async (chat, id) => (await call("GET", messagePath(chat, id), undefined, { visit: everywhere })).data;

// Each gets the message, the button or null, and the visit on which it was pressed.
const acts = {
  async copy(turn, _, { chat }) {
    if (await copy(textOf(await read(chat, idOf(turn))))) toast("Copied.");
  },
  regenerate: (turn, _, visit) => regenerate(turn, visit),
  // By the model that is chosen now.
  other: (turn, _, visit) => regenerate(turn, visit, { ...page.model }),
  another: (turn) => openPicker(() => void perform("other", turn)),
  // Read when it is needed for the first time.
  edit: async (...given) => (await during(import("./editor.js"))).openEditor(...given),
  star: (turn, _, visit) => flag(turn, "starred", visit),
  skip: (turn, _, visit) => flag(turn, "aix.skip", visit),
  async branch(turn, _, { chat }) {
    const carry = carryChoice();
    const making = call("POST", `${chatPath(chat)}/branch`, { messageId: idOf(turn) }).then((told) => {
      carry(told.data);
      return told;
    });
    const { data, change } = (await openMade(making, ({ data: { id } }) => id)) ?? {};
    if (!data) return;
    emit("list");
    undoable(shows(data.id) ? "This is the new branch: a copy up to that message." : "The branch is in the list.", change, () => {
      if (shows(data.id)) emit("open", { id: chat });
      emit("list");
    });
  },
  async link(turn, _, { chat }) {
    if (await copy(`${location.origin}${pagePath(chat)}#${encodeURIComponent(idOf(turn))}`)) toast("Link copied.");
  },
  cost: (turn) => openCost(idOf(turn)),
  async delete(turn, _, visit) {
    const { chat } = visit;
    const { change } = await call("DELETE", messagePath(chat, idOf(turn)));
    await visit.show(() => thread.put(turn, null));
    undoable("Message deleted.", change, () => shows(chat) && thread.refresh(), { of: visit });
  },
  resend: (turn, _, visit) => resend(visit, idOf(turn)),
  more: openMore,
};

async function flag(turn, name, visit) {
  await rewrite(messagePath(visit.chat, idOf(turn)), (message) => {
    const flags = Array.isArray(message.userFlags) ? message.userFlags : [];
    return { ...message, userFlags: flags.includes(name) ? flags.filter((each) => each !== name) : [...flags, name] };
  });
  await visit.show(async () => thread.put(turn, await thread.fetchTurn(idOf(turn), visit)));
}

function openMore(turn, button) {
  const has = (name) => turn.dataset.flags.split(" ").includes(name);
  const isUser = turn.dataset.role === "user";
  const row = (label, icon, name, more = {}) => ({ label, icon, act: () => void perform(name, turn), ...more });
  const own = models.get(turn.dataset.model)?.label;
  const other = { label: `Regenerate with ${page.model.label}`, icon: "retry", act: () => void perform("other", turn) };
  const items = [
    row("Copy", "copy", "copy"),
    row("Copy link", "link", "link"),
    row("Edit", "edit", "edit"),
    isUser ? row("Send again from here", "retry", "resend") : row(own ? `Regenerate with ${own}` : "Regenerate", "retry", "regenerate"),
    // An answer is written anew by its own model; the one chosen below is another way.
    !isUser && turn.dataset.model && turn.dataset.model !== page.model.id ? other : undefined,
    isUser ? undefined : row("Regenerate with another model…", "model", "another"),
    row("Branch here", "branch", "branch"),
    row(has("starred") ? "Unstar" : "Star", "star", "star"),
    row(has("aix.skip") ? "Include: send to the model" : "Skip: do not send to the model", "skip", "skip"),
    null,
    row("Delete", "trash", "delete", { isBad: true }),
  ];
  openMenu(
    button,
    items.filter((item) => item !== undefined),
    "This message",
  );
}

export async function perform(name, turn, button = null) {
  const visit = here();
  try {
    // What is pressed twice is done once.
    await once(`${visit.chat}/${idOf(turn)}/${name}`, async () => {
      button?.setAttribute("aria-busy", "true");
      try {
        await acts[name](turn, button, visit);
      } finally {
        button?.removeAttribute("aria-busy");
      }
    });
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
