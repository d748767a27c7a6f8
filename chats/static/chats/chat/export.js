// Chats as files: the choice of what, and the download, which the browser makes itself.

import { chatPath, send } from "./api.js";
import { titleOf } from "./chat-list.js";
import { byId, el, icon } from "./dom.js";
import { fail, toast } from "./toasts.js";

const MOST = 500;
// What one chat can become, and what several: always a zip.
export const ONE = [
  ["as=html", "page", "Web page", "One file to read, print or send to somebody. It needs no network."],
  ["as=markdown", "file", "Markdown", "Text for notes and editors, without images."],
  ["as=json", "braces", "JSON", "big-AGI's own file: import it into big-AGI, or here."],
  ["as=zip", "archive", "Zip", "Markdown and JSON with the images."],
];
const MANY = [
  ["as=zip&files=html", "page", "Web pages", "A file for each chat, to read, print or send to somebody."],
  ["as=zip&files=markdown", "file", "Markdown", "A text for each chat, and the images."],
  ["as=zip&files=json", "braces", "JSON", "big-AGI's own file for each chat, and the images."],
  ["as=zip&files=markdown,json,html", "archive", "All of these", "Web pages, Markdown, JSON and the images."],
];

// Chats: a list; null for all chats, archived ones as well. `filters` are of the view in which all are selected.
export function openExport(chats, { filters = null } = {}) {
  const isOne = chats?.length === 1;
  const what = isOne ? titleOf(chats[0]) : chats ? `${chats.length.toLocaleString()} chats` : "All chats, archived ones as well";
  byId("export-about").textContent = `${what}. API keys are masked.`;
  const rows = (isOne ? ONE : MANY).map(([query, drawing, name, about]) => {
    const row = el("button", { type: "button", class: "export-row" }, icon(drawing), el("span", {}, el("b", {}, name), el("small", {}, about)));
    row.addEventListener("click", () => {
      byId("export").close();
      void download(chats, query, filters).catch(fail);
    });
    return el("li", {}, row);
  });
  byId("export-list").replaceChildren(...rows);
  byId("export").showModal();
  byId("export-list").querySelector("button").focus();
}

function addressOf(chats, query, filters) {
  if (chats?.length === 1) return `${chatPath(chats[0].id)}/export?${query}`;
  const asked = new URLSearchParams(query);
  if (chats && chats.length <= MOST) for (const { id } of chats) asked.append("id", id);
  else if (filters) for (const [name, value] of filters) asked.append(name, value);
  else if (chats) throw new Error(`Select up to ${MOST} chats, or all that are listed.`);
  return `/api/chats/export?${asked}`;
}

export async function download(chats, query, filters = null) {
  const address = addressOf(chats, query, filters);
  // A download that fails is told by the browser alone, without the reason: ask before.
  await send("HEAD", address);
  const link = el("a", { href: address, download: "" });
  document.body.append(link);
  link.click();
  link.remove();
  toast(chats?.length === 1 ? "Exported: see your downloads." : "Exporting: see your downloads.");
}
