// News of the chat that come from elsewhere: another tab, another browser, a program.

import { isWriting, pagePath, send, untilWritten } from "./api.js";
import { here, shows } from "./chat-on-page.js";
import { byId } from "./dom.js";
import * as generation from "./generation.js";
import { isLeaving, showTitle } from "./navigation.js";
import { setPersona } from "./persona.js";
import { emit, on, page } from "./state.js";
import * as thread from "./thread.js";

const EVERY = 4000;
const channel = "BroadcastChannel" in window ? new BroadcastChannel("bigagi-chat") : null;

export async function look() {
  // A chat that is being deleted or left is not looked for.
  if (!page.chat || generation.isRunning() || isWriting() || isLeaving()) return;
  const visit = here();
  const reading = { visit, signal: untilWritten(), isQuiet: true };
  try {
    const response = await send("GET", `${pagePath(visit.chat)}/state`, reading);
    const told = await visit.whileHere(response.json());
    if (!generation.isRunning()) await take(told, reading);
  } catch (error) {
    // It was left, or somebody wrote meanwhile: the next look tells more.
    if (error.status === 404 && visit.isHere) notice({ isGone: true });
  }
}

// Deleted, or restored, elsewhere.
function notice({ isGone }) {
  if (page.chat.isGone === isGone) return;
  page.chat.isGone = isGone;
  emit(isGone ? "gone" : "back");
}

async function take(told, reading) {
  if (page.chat.isGone) notice({ isGone: false });
  // What the server could not store yet is seen here alone.
  const isKept = told.running && generation.isTold(told.running.generation);
  const isNew = told.revision > page.chat.revision && !isKept;
  const isOther = told.title !== page.chat.title || told.archived !== page.chat.archived;
  if (isOther) {
    Object.assign(page.chat, { title: told.title, archived: told.archived });
    showTitle();
    emit("list");
  }
  if (told.persona !== page.chat.persona || told.personaName !== page.chat.personaName) {
    setPersona({ id: told.persona, name: told.personaName });
    emit("persona");
  }
  // Who is writing in a message must not lose it.
  if (isNew && !byId("turns").querySelector(".editor")) {
    const { revision, ...header } = told;
    Object.assign(page.chat, header);
    await thread.refresh(reading);
    // Only now is it seen. Who wrote meanwhile ended the reading: the next look reads again.
    page.chat.revision = Math.max(page.chat.revision, revision);
  }
  if (told.running) generation.join(told.running);
}

export function initFollow() {
  const tell = (kind) => channel?.postMessage({ kind, chat: page.chat?.id });
  on("begun", () => tell("chat"));
  on("finished", () => tell("chat"));
  on("changed", () => tell("list"));
  on("chat", () => page.chat?.running && generation.join(page.chat.running));
  on("reached", () => void look());
  on("missing", () => setTimeout(() => void look()));
  channel?.addEventListener("message", ({ data }) => {
    if (data.kind === "list" || shows(data.chat)) void look();
    emit("list");
  });
  setInterval(() => document.visibilityState === "visible" && void look(), EVERY);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && void look());
  if (page.chat?.running) generation.join(page.chat.running);
}
