// What can be done with chats, with one by its menu and with several that are selected. Each is taken back by one undo.

import { adminPath, call, chatPath } from "./api.js";
import { once } from "./busy.js";
import { plainTitleOf } from "./chat-list.js";
import { shows } from "./chat-on-page.js";
import { askChoice, askText } from "./dialogs.js";
import { byId } from "./dom.js";
import { openExport } from "./export.js";
import * as folders from "./folders.js";
import { openMenu } from "./menu.js";
import { openMade, showTitle } from "./navigation.js";
import { emit, page } from "./state.js";
import { fail, undoable } from "./toasts.js";

const count = (chats) => (chats.length === 1 ? "Chat" : `${chats.length} chats`);

// A chat out of the list, or the one on the page, which knows less.
export const isArchived = (chat) => Boolean(chat.isArchived ?? chat.archived);
export const isPinned = (chat) => Boolean(chat._server?.pinned ?? chat.pinned);

async function after() {
  emit("list");
  await folders.load();
  emit("changed");
}

function bulk(action, chats, more = {}) {
  return call("POST", "/api/chats/bulk", { action, ids: chats.map(({ id }) => id), ...more });
}

// Sets what the page knows of its own chat, and returns what sets it back.
function note(chats, member, value) {
  if (!chats.some(({ id }) => shows(id))) return () => {};
  const { id } = page.chat;
  const before = page.chat[member];
  page.chat[member] = value;
  return () => shows(id) && (page.chat[member] = before);
}

async function change(chats, action, member, value, text) {
  const { change: entry } = await bulk(action, chats);
  const back = note(chats, member, value);
  await after();
  undoable(`${count(chats)} ${text}.`, entry, async () => {
    back();
    await after();
  });
}

export function rename(chat) {
  const show = (text) => {
    if (!shows(chat.id)) return;
    page.chat.title = text;
    showTitle();
  };
  return askText("Rename chat", "Title", plainTitleOf(chat), "Save", async (title) => {
    const { data, change: entry } = await call("PATCH", chatPath(chat.id), { userTitle: title || null });
    show(plainTitleOf(data));
    void after();
    undoable("Chat renamed.", entry, async () => {
      show(plainTitleOf(chat));
      await after();
    });
  });
}

export const pin = (chats, isOn) => change(chats, isOn ? "pin" : "unpin", "pinned", isOn, isOn ? "pinned" : "unpinned");
export const archive = (chats, isOn) => change(chats, isOn ? "archive" : "unarchive", "archived", isOn, isOn ? "archived" : "unarchived");

export function move(chats) {
  const rows = folders.all().map(({ id, title, color }) => ({ value: id, label: title || "Untitled", color }));
  const ids = chats.map(({ id }) => id);
  const held = folders.all().find(({ conversationIds }) => ids.every((id) => conversationIds?.includes(id)))?.id ?? "";
  const title = chats.length === 1 ? "Move to folder" : `Move ${chats.length} chats to folder`;
  const other = { label: "New folder…", field: "Name of the new folder", ok: "Move", act: (name) => folders.moveToNew(ids, name) };
  return askChoice(title, [{ value: "", label: "No folder" }, ...rows], held, (chosen) => folders.move(ids, chosen || null), other);
}

export async function duplicate(chat) {
  const made = call("POST", `${chatPath(chat.id)}/branch`, {});
  const { data, change: entry } = (await openMade(made, ({ data: { id } }) => id)) ?? {};
  if (!data) return;
  await after();
  undoable(shows(data.id) ? "This is the copy." : "The copy is in the list.", entry, async () => {
    if (shows(data.id)) emit("open", { id: chat.id });
    await after();
  });
}

export async function remove(chats) {
  const here = chats.find(({ id }) => shows(id));
  const deleted = chats.length === 1 ? call("DELETE", chatPath(chats[0].id)) : bulk("delete", chats);
  const told = here ? await openMade(deleted, () => null) : await deleted;
  if (!told) return;
  await after();
  undoable(`${count(chats)} deleted.`, told.change, async () => {
    await after();
    // Whoever went on to another chat stays there.
    if (here && !page.chat) emit("open", { id: here.id });
  });
}

function openUsage() {
  emit("side", false);
  byId("open-usage").click();
}

// What is pressed twice is done once.
export const perform = (act) => () => void once("chats", act).catch(fail);

export function openChatMenu(button, chat) {
  const [archived, pinned] = [isArchived(chat), isPinned(chat)];
  const items = [
    { label: "Rename", icon: "edit", act: perform(() => rename(chat)) },
    { label: pinned ? "Unpin" : "Pin", icon: "pin", act: perform(() => pin([chat], !pinned)) },
    { label: "Move to folder", icon: "folder", act: perform(() => move([chat])) },
    { label: "Duplicate", icon: "copy", act: perform(() => duplicate(chat)) },
    { label: "Export…", icon: "download", act: () => openExport([chat]) },
    shows(chat.id) ? { label: "Tokens and cost", icon: "chart", act: openUsage } : undefined,
    { label: archived ? "Unarchive" : "Archive", icon: "archive", act: perform(() => archive([chat], !archived)) },
    { label: "Open in the admin", icon: "link", act: () => location.assign(adminPath(chat.id)) },
    null,
    { label: "Delete", icon: "trash", act: perform(() => remove([chat])), isBad: true },
  ];
  openMenu(
    button,
    items.filter((item) => item !== undefined),
    "This chat",
  );
}
