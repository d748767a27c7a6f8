// A question sent again: the chat is cut behind it, perhaps with another text, and the answer asked for.

import { call, chatPath } from "./api.js";
import { everywhere, shows } from "./chat-on-page.js";
import { generate, isRunning, settle } from "./generation.js";
import { withText } from "./messages.js";
import { page } from "./state.js";
import * as thread from "./thread.js";
import { fail, toast } from "./toasts.js";

const readChat = async (path) => (await call("GET", path, undefined, { visit: everywhere })).data;

export async function resend(visit, message, text, stored = () => {}) {
  if (isRunning()) throw new Error("Wait until the answer is written, or stop it.");
  const { chat: id } = visit;
  const path = chatPath(id);
  const choice = { modelId: page.model.id, shareContext: page.share };
  const chat = await readChat(path);
  const at = chat.messages.findIndex((each) => each?.id === message);
  if (at < 0) return;
  const before = chat.messages;
  const messages = before.slice(0, at + 1);
  if (text !== null) messages[at] = withText(messages[at], text);
  delete chat._server;
  await call("PUT", path, { ...chat, messages });
  stored();
  await visit.show(() => thread.refresh({ visit })).catch(fail);
  const cut = before.length - messages.length;
  if (cut || text !== null) {
    const what = cut ? `Sent again; ${cut === 1 ? "1 later message was" : `${cut} later messages were`} removed.` : "Sent again.";
    toast(what, { label: "Undo", act: () => bringBack(id, before), of: visit });
  }
  await generate(visit, id, choice);
}

async function bringBack(id, messages) {
  await settle(id);
  const path = chatPath(id);
  const chat = await readChat(path);
  delete chat._server;
  await call("PUT", path, { ...chat, messages });
  if (shows(id)) await thread.refresh();
}
