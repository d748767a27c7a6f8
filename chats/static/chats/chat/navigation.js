// Going from chat to chat without loading the page anew.

import { getText, pagePath } from "./api.js";
import * as onPage from "./chat-on-page.js";
import { byId } from "./dom.js";
import * as generation from "./generation.js";
import { closeMenu } from "./menu.js";
import { emit, on, page } from "./state.js";
import * as thread from "./thread.js";
import { fail } from "./toasts.js";

let asked = 0;
let opened = 0;
// Where the page stands in the browser's history.
let place = history.state?.place ?? 0;

export const isLeaving = () => asked !== opened;

// `chat` is the id of a chat, null for a new one, or a promise of it: a chat that is still being made. From the call on
// this page is being left, and nothing more is sent from it. Resolves to whether it was opened.
export async function openChat(chat, { hash = "", push = true } = {}) {
  if (!isLeaving()) emit("leaving");
  const mine = ++asked;
  let path = "";
  let text;
  try {
    path = pagePath(await chat);
    if (mine !== asked) return false;
    text = await getText(path);
  } catch (error) {
    if (mine !== asked) return false;
    opened = mine;
    emit("staying");
    if (error.status === 404 && path) location.assign(page.page);
    else fail(error);
    return false;
  }
  if (mine !== asked) return false;
  opened = mine;
  emit("leave");
  generation.leave();
  closeMenu(false);
  const come = new DOMParser().parseFromString(text, "text/html");
  const data = JSON.parse(come.getElementById("page-data").textContent);
  onPage.arrive({ chat: data.chat, model: data.model, offered: data.model, service: data.service, ui: data.ui });
  if (push) history.pushState({ place: (place += 1) }, "", path + (hash ? `#${encodeURIComponent(hash)}` : ""));
  thread.clear();
  byId("turns").replaceChildren(...come.getElementById("turns").childNodes);
  byId("empty").replaceChildren(...come.getElementById("empty").childNodes);
  thread.adopt();
  showTitle();
  emit("chat");
  if (hash) await thread.openHash().catch(fail);
  else thread.stick();
  return true;
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
  for (const id of ["chat-menu", "new-chat-here"]) byId(id).hidden = !page.chat;
}

// The chat that the first message made takes the place of the empty page.
export function adoptChat(chat) {
  onPage.adopt(chat);
  history.replaceState(history.state, "", pagePath(chat.id));
  showTitle();
  emit("made");
}

// A chat's first question gives it its title.
async function readTitle() {
  if (!page.chat || page.chat.title) return;
  try {
    const { title } = JSON.parse(await getText(`${pagePath(page.chat.id)}/state`, { isQuiet: true }));
    if (!title) return;
    page.chat.title = title;
    showTitle();
  } catch {
    // The end of the answer tells it again.
  }
}

async function follow(event) {
  const [segment = ""] = location.pathname.slice(page.page.length + 1).split("/");
  // A new hash on the same page is no new chat.
  if (location.pathname === pagePath(page.chat?.id)) return;
  const to = event.state?.place ?? 0;
  const hash = decodeURIComponent(location.hash.slice(1));
  if (await openChat(segment ? idOf(segment) : null, { push: false, hash })) place = to;
  // The browser shows the address already: where the chat could not be opened, it goes back to that of the one here.
  else if (!isLeaving() && location.pathname !== pagePath(page.chat?.id)) history.go(place - to);
}

function begin(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  void openChat(null).then(() => byId("message").focus());
}

export function initNavigation() {
  history.replaceState(history.state ?? { place }, "");
  on("begun", () => void readTitle());
  on("open", ({ id, hash }) => void openChat(id, { hash }));
  addEventListener("popstate", (event) => void follow(event));
  for (const id of ["new-chat", "new-chat-here"]) byId(id).addEventListener("click", begin);
}

function idOf(segment) {
  if (!segment.startsWith("~")) return decodeURIComponent(segment);
  const text = atob(segment.slice(1).replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder().decode(Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
}
