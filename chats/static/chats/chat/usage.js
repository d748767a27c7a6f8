// Tokens and cost of the chat and of today, by service.

import { getText } from "./api.js";
import { byId, fromServer } from "./dom.js";
import { on, page } from "./state.js";
import { fail } from "./toasts.js";

async function read() {
  const query = new URLSearchParams({ since: new Date().setHours(0, 0, 0, 0) });
  if (page.chat) query.set("chat", page.chat.id);
  byId("usage-body").replaceChildren(fromServer(await getText(`/chat-parts/usage?${query}`)));
}

export function initUsage() {
  byId("open-usage").addEventListener("click", () => {
    read().then(() => byId("usage").showModal(), fail);
  });
  // Open, it follows the calls as they end.
  on("finished", () => byId("usage").open && void read().catch(fail));
}
