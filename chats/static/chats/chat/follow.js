// News of the chat that come from elsewhere: another tab, another browser, a program.

import { isWriting, pagePath, send, untilWritten } from "./api.js";
import { byId } from "./dom.js";
import * as generation from "./generation.js";
import { isLeaving, showTitle } from "./navigation.js";
import { emit, on, page } from "./state.js";
import * as thread from "./thread.js";

const EVERY = 4000;
const channel = "BroadcastChannel" in window ? new BroadcastChannel("bigagi-chat") : null;

export async function look() {
  // A chat that is being deleted or left is not looked for.
  if (!page.chat || generation.isRunning() || isWriting() || isLeaving()) return;
  const id = page.chat.id;
  const signal = untilWritten();
  let told;
  try {
    told = await (await send("GET", `${pagePath(id)}/state`, { signal })).json();
  } catch {
    // The next look tells more.
    return;
  }
  if (page.chat?.id !== id || generation.isRunning()) return;
  // What the server could not store yet is seen here alone.
  const isKept = told.running && generation.isTold(told.running.generation);
  const isNew = told.revision > page.chat.revision && !isKept;
  const isOther = told.title !== page.chat.title || told.archived !== page.chat.archived;
  const isOfOther = told.persona !== page.chat.persona || told.personaName !== page.chat.personaName;
  // Who is writing in a message must not lose it.
  if (isNew && !byId("turns").querySelector(".editor")) {
    const { revision, ...header } = told;
    Object.assign(page.chat, header);
    try {
      await thread.refresh(signal);
      // Only now is it seen. Who wrote meanwhile ended the reading: the next look reads again.
      if (page.chat?.id === id) page.chat.revision = Math.max(page.chat.revision, revision);
    } catch {
      // It may have been deleted since: the next look tells more.
    }
    if (page.chat?.id !== id) return;
  } else Object.assign(page.chat, { title: told.title, archived: told.archived, persona: told.persona, personaName: told.personaName });
  if (isOfOther) emit("persona");
  if (isOther) {
    showTitle();
    emit("list");
  }
  if (told.running) generation.join(told.running);
}

export function initFollow() {
  const tell = (kind) => channel?.postMessage({ kind, chat: page.chat?.id });
  on("begun", () => tell("chat"));
  on("finished", () => tell("chat"));
  on("changed", () => tell("list"));
  on("chat", () => page.chat?.running && generation.join(page.chat.running));
  channel?.addEventListener("message", ({ data }) => {
    if (data.kind === "chat" && data.chat === page.chat?.id) void look();
    emit("list");
  });
  setInterval(() => document.visibilityState === "visible" && void look(), EVERY);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && void look());
  if (page.chat?.running) generation.join(page.chat.running);
}
