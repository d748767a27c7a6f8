// Tokens and cost of the chat and of today, by service; budgets that are nearly spent.

import { getText } from "./api.js";
import { once } from "./busy.js";
import { everywhere } from "./chat-on-page.js";
import { showBeside } from "./dialogs.js";
import { byId, fromServer, newest } from "./dom.js";
import { on, page } from "./state.js";
import { fail } from "./toasts.js";

const newestOf = newest();

async function read() {
  const query = new URLSearchParams({ since: new Date().setHours(0, 0, 0, 0) });
  if (page.chat) query.set("chat", page.chat.id);
  byId("usage-body").replaceChildren(fromServer(await newestOf(getText(`/chat-parts/usage?${query}`))));
}

// Where there is a budget, each call can bring it to its warning.
async function warn() {
  const told = fromServer(await getText("/chat-parts/budget", { visit: everywhere, isQuiet: true }));
  // What stands there already is not read out again.
  if (told.textContent !== byId("budgets").textContent) byId("budgets").replaceChildren(told);
}

// It stands beside the chat, and follows the calls as they end.
export function initUsage() {
  const panel = byId("usage");
  const follow = () => panel.open && void read().catch(fail);
  byId("open-usage").addEventListener("click", () => {
    if (panel.open) panel.close();
    else void once("usage", () => read().then(() => showBeside(panel), fail));
  });
  on("finished", follow);
  on("chat", () => {
    // Never the figures of the chat that was left.
    byId("usage-body").textContent = "Loading…";
    follow();
  });
  if (!("none" in byId("budgets").dataset)) on("finished", () => void warn().catch(fail));
}
