// Going from chat to chat without loading the page anew.

import { getText, pagePath } from "./api.js";
import { byId } from "./dom.js";
import * as generation from "./generation.js";
import { emit, on, page } from "./state.js";
import * as thread from "./thread.js";
import { fail } from "./toasts.js";

let asked = 0;

export async function openChat(id, { hash = "", push = true } = {}) {
  const mine = ++asked;
  const path = pagePath(id);
  let text;
  try {
    text = await getText(path);
  } catch (error) {
    if (error.status === 404) location.assign(page.page);
    else fail(error);
    return;
  }
  if (mine !== asked) return;
  emit("leave");
  generation.leave();
  const come = new DOMParser().parseFromString(text, "text/html");
  const data = JSON.parse(come.getElementById("page-data").textContent);
  Object.assign(page, { chat: data.chat, model: data.model, service: data.service, ui: data.ui });
  if (push) history.pushState(null, "", path + (hash ? `#${encodeURIComponent(hash)}` : ""));
  thread.clear();
  byId("turns").replaceChildren(...come.getElementById("turns").childNodes);
  byId("persona").replaceChildren(...come.getElementById("persona").childNodes);
  byId("empty").replaceChildren(...come.getElementById("empty").childNodes);
  thread.adopt();
  showTitle();
  emit("chat");
  if (hash) await thread.openHash();
  else thread.stick();
}

export function showTitle() {
  const title = page.chat?.title || (page.chat ? "Untitled chat" : "New chat");
  byId("thread-title").textContent = title;
  document.title = `${title} · bigagi`;
  byId("chat-menu").hidden = !page.chat;
}

// The chat that the first message made takes the place of the empty page.
export function adoptChat(chat) {
  page.chat = { title: "", archived: false, running: null, revision: 0, ...chat };
  history.replaceState(null, "", pagePath(chat.id));
  showTitle();
  emit("made");
}

export function initNavigation() {
  on("open", ({ id, hash }) => void openChat(id, { hash }));
  addEventListener("popstate", () => {
    const [segment = ""] = location.pathname.slice(page.page.length + 1).split("/");
    const here = page.chat ? pagePath(page.chat.id) : page.page;
    // A new hash on the same page is no new chat.
    if (location.pathname === here) return;
    void openChat(segment ? idOf(segment) : null, { push: false, hash: decodeURIComponent(location.hash.slice(1)) });
  });
  byId("new-chat").addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    void openChat(null).then(() => byId("message").focus());
  });
}

function idOf(segment) {
  if (!segment.startsWith("~")) return decodeURIComponent(segment);
  const text = atob(segment.slice(1).replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder().decode(Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
}
