// Tokens and cost of the chat and of today, by service; budgets that are nearly spent.

import { getText } from "./api.js";
import { showBeside } from "./dialogs.js";
import { byId, fromServer } from "./dom.js";
import { on, page } from "./state.js";
import { fail } from "./toasts.js";

async function read() {
  const query = new URLSearchParams({ since: new Date().setHours(0, 0, 0, 0) });
  if (page.chat) query.set("chat", page.chat.id);
  byId("usage-body").replaceChildren(fromServer(await getText(`/chat-parts/usage?${query}`)));
}

// Where there is a budget, each call can bring it to its warning.
async function warn() {
  const told = fromServer(await getText("/chat-parts/budget"));
  // What stands there already is not read out again.
  if (told.textContent !== byId("budgets").textContent) byId("budgets").replaceChildren(told);
}

// It stands beside the chat, and follows the calls as they end.
export function initUsage() {
  const panel = byId("usage");
  const follow = () => panel.open && void read().catch(fail);
  byId("open-usage").addEventListener("click", () => {
    if (panel.open) panel.close();
    else read().then(() => showBeside(panel), fail);
  });
  for (const name of ["finished", "chat"]) on(name, follow);
  if (!("none" in byId("budgets").dataset)) on("finished", () => void warn().catch(fail));
}
