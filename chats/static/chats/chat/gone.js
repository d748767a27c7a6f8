// A chat that was deleted elsewhere while it is on the page: it can still be read, be restored, or be gone on without.

import { call } from "./api.js";
import { once } from "./busy.js";
import { here } from "./chat-on-page.js";
import { byId } from "./dom.js";
import { emit, on, page } from "./state.js";
import * as thread from "./thread.js";
import { fail } from "./toasts.js";

// The newest change of a chat that is gone is what deleted it.
async function findDeletion(chat) {
  const query = new URLSearchParams({ kind: "conversation", uid: chat, page_size: 1 });
  const { data } = await call("GET", `/api/changes?${query}`, undefined, { isQuiet: true });
  return data.results[0];
}

async function show() {
  byId("gone").hidden = false;
  byId("restore").hidden = true;
  emit("list");
  const deletion = await findDeletion(page.chat.id);
  if (!deletion || deletion.is_purged) return;
  byId("restore").textContent = deletion.action === "delete chats" ? "Restore all that were deleted with it" : "Restore the chat";
  byId("restore").hidden = false;
}

async function restore() {
  const visit = here();
  const { id } = await findDeletion(visit.chat);
  await call("POST", `/api/changes/${id}/undo`, {});
  emit("list");
  emit("changed");
  await visit.show(async () => {
    page.chat.isGone = false;
    hide();
    await thread.refresh({ visit });
    byId("message").focus();
  });
}

const hide = () => (byId("gone").hidden = true);

export function initGone() {
  on("gone", () => void show().catch(fail));
  on("back", hide);
  on("chat", hide);
  byId("restore").addEventListener("click", () => void once("restore", restore).catch(fail));
}
