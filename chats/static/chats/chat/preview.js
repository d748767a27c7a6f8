// What would be sent: counted for the estimate, and shown before it goes.

import { call } from "./api.js";
import { during } from "./busy.js";
import { byId, el } from "./dom.js";
import { memory, on, page } from "./state.js";
import { fail } from "./toasts.js";

const ROLES = { system: "System", user: "You", assistant: "Assistant" };
let held = null;

export function forgetPreview() {
  held = null;
}

// Resolves to what would be sent; it is asked for once, until something changes it.
export function readPreview() {
  if (held) return held;
  const query = new URLSearchParams({ model: page.model.id });
  if (page.chat) query.set("chat", page.chat.id);
  if (page.share) query.set("share", "1");
  const asked = call("GET", `/chat-parts/preview?${query}`, undefined, { isQuiet: true }).then(({ data }) => data);
  held = asked;
  asked.catch(() => held === asked && forgetPreview());
  return asked;
}

async function open() {
  forgetPreview();
  try {
    const { messages, tokens, leftOut, keys, context } = await during(readPreview());
    const room = context ? ` of ${context.toLocaleString()}` : "";
    const left = leftOut ? ` ${leftOut} earlier ${leftOut === 1 ? "message does" : "messages do"} not fit and will be left out.` : "";
    const typed = keys ? ` ${keys === 1 ? "1 API key is" : `${keys} API keys are`} masked here, and sent as typed.` : "";
    byId("sent-about").textContent = `To ${page.model.label}, without your next message: ≈ ${tokens.toLocaleString()}${room} tokens.${left}${typed}`;
    byId("sent-list").replaceChildren(
      ...messages.map(({ role, text, cut, images }) =>
        el(
          "section",
          { class: `sent sent-${role}` },
          el("h3", {}, ROLES[role] ?? role, images ? ` · ${images === 1 ? "1 image" : `${images} images`}` : ""),
          el("pre", {}, text + (cut ? "…" : "")),
        ),
      ),
    );
    byId("sent").showModal();
  } catch (error) {
    fail(error);
  }
}

function setShare(isOn) {
  page.share = isOn;
  byId("share").setAttribute("aria-checked", String(isOn));
  memory.set("share", isOn ? "1" : "");
  forgetPreview();
}

export function initPreview() {
  setShare(memory.get("share") === "1");
  byId("share").addEventListener("click", () => setShare(!page.share));
  byId("preview").addEventListener("click", () => void open());
  for (const name of ["model", "chat"]) on(name, forgetPreview);
}
