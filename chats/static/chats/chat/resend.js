// A question sent again: the chat is cut behind it, perhaps with another text, and the answer asked for.

import { chatPath, rewrite } from "./api.js";
import { shows } from "./chat-on-page.js";
import { generate, isRunning, settle } from "./generation.js";
import { page } from "./state.js";
import * as thread from "./thread.js";
import { fail, toast } from "./toasts.js";

// `edit` makes the question another one; `stored` is called once the server has it.
export async function resend(visit, message, edit = null, stored = () => {}) {
  if (isRunning()) throw new Error("Wait until the answer is written, or stop it.");
  const { chat: id } = visit;
  const choice = { modelId: page.model.id, shareContext: page.share };
  let before = [];
  let messages = [];
  await rewrite(chatPath(id), (chat) => {
    before = chat.messages;
    const at = before.findIndex((each) => each?.id === message);
    if (at < 0) throw new Error("This message was deleted elsewhere. Copy your text, and send it as a new message.");
    messages = before.slice(0, at + 1);
    if (edit) messages[at] = edit(messages[at]);
    return { ...chat, messages };
  });
  stored();
  await visit.show(() => thread.refresh({ visit })).catch(fail);
  const cut = before.length - messages.length;
  if (cut || edit) {
    const what = cut ? `Sent again; ${cut === 1 ? "1 later message was" : `${cut} later messages were`} removed.` : "Sent again.";
    toast(what, { label: "Undo", act: () => bringBack(id, before), of: visit });
  }
  await generate(visit, id, choice);
}

async function bringBack(id, messages) {
  await settle(id);
  await rewrite(chatPath(id), (chat) => ({ ...chat, messages }));
  if (shows(id)) await thread.refresh();
}
