// The walkthrough "crash me": send to the slow Demo model, kill the server, start it, go on.

import { getText } from "./api.js";
import { everywhere } from "./chat-on-page.js";
import { start } from "./composer.js";
import { showBeside } from "./dialogs.js";
import { byId, el, fromServer } from "./dom.js";
import { copy } from "./messages.js";
import { openChat } from "./navigation.js";
import { emit, on, page } from "./state.js";
import { fail, toast } from "./toasts.js";

const QUESTION = "Take your time: the server will be killed while you answer.";
const dialog = byId("crash");
let isLost = false;

async function open() {
  try {
    byId("crash-body").replaceChildren(fromServer(await getText("/chat-parts/crash", { visit: everywhere })));
  } catch (error) {
    fail(error);
    return;
  }
  isLost = false;
  byId("help").close();
  emit("side", false);
  // Beside the chat, not over it: both are needed.
  showBeside(dialog);
}

async function begin() {
  if (page.chat && !(await openChat(null))) return;
  start("bigagi-demo-slow", QUESTION);
}

function done(step) {
  const row = dialog.querySelector(`[data-step=${step}]`);
  if (!dialog.open || !row || row.classList.contains("is-done")) return;
  row.classList.add("is-done");
  row.prepend(el("span", { class: "visually-hidden" }, "Done: "));
}

export function initCrash() {
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-crash]")) void open();
  });
  dialog.addEventListener("click", async (event) => {
    const command = event.target.closest("[data-copy]");
    if (command && (await copy(command.dataset.copy))) toast("Copied.");
    if (event.target.closest("#crash-begin")) void begin();
  });
  on("begun", () => done(isLost ? "again" : "begun"));
  on("lost", () => {
    isLost = true;
    done("lost");
  });
  on("finished", () => isLost && done("back"));
}
