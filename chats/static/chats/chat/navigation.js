// Going from chat to chat without loading the page anew.

import { getText, pagePath } from "./api.js";
import { byId } from "./dom.js";
import * as generation from "./generation.js";
import { emit, on, page } from "./state.js";
import * as thread from "./thread.js";
import { fail } from "./toasts.js";

let asked = 0;
let opened = 0;

export const isLeaving = () => asked !== opened;

// `chat` is the id of a chat, null for a new one, or a promise of it: a chat that is still being made. From the call on
// this page is being left, and nothing more is sent from it.
export async function openChat(chat, { hash = "", push = true } = {}) {
  if (!isLeaving()) emit("leaving");
  const mine = ++asked;
  let path = "";
  let text;
  try {
    path = pagePath(await chat);
    if (mine !== asked) return;
    text = await getText(path);
  } catch (error) {
    if (mine === asked) opened = mine;
    if (error.status === 404 && path) location.assign(page.page);
    else fail(error);
    return;
  }
  if (mine !== asked) return;
  opened = mine;
  emit("leave");
  generation.leave();
  page.visit += 1;
  const come = new DOMParser().parseFromString(text, "text/html");
  const data = JSON.parse(come.getElementById("page-data").textContent);
  Object.assign(page, { chat: data.chat, model: data.model, service: data.service, ui: data.ui });
  if (push) history.pushState(null, "", path + (hash ? `#${encodeURIComponent(hash)}` : ""));
  thread.clear();
  byId("turns").replaceChildren(...come.getElementById("turns").childNodes);
  byId("empty").replaceChildren(...come.getElementById("empty").childNodes);
  thread.adopt();
  showTitle();
  emit("chat");
  if (hash) await thread.openHash();
  else thread.stick();
}

// Opens what a call makes out of the chat that is here, and returns what the call gave; null where it failed, which has
// been told then.
export async function openMade(made, idOf) {
  await openChat(made.then(idOf));
  return made.catch(() => null);
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

// A chat's first question gives it its title.
async function readTitle() {
  if (!page.chat || page.chat.title) return;
  const { id } = page.chat;
  try {
    const { title } = JSON.parse(await getText(`${pagePath(id)}/state`));
    if (page.chat?.id !== id || !title) return;
    page.chat.title = title;
    showTitle();
  } catch {
    // The end of the answer tells it again.
  }
}

export function initNavigation() {
  on("begun", () => void readTitle());
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
