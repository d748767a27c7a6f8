// Folders: filters of the list, to be made, named, coloured, ordered (dragged, by menu or by Alt and an arrow) and
// deleted; chats are dropped on them.

import { call, folderPath } from "./api.js";
import { once } from "./busy.js";
import { everywhere } from "./chat-on-page.js";
import { askChoice, askText } from "./dialogs.js";
import { byId, el, focusFirst, icon, newest } from "./dom.js";
import { openMenu } from "./menu.js";
import { whenReleased } from "./press.js";
import { emit, on } from "./state.js";
import { fail, undoable } from "./toasts.js";

export const DRAGGED = "application/x-bigagi-chat";
const FOLDER = "application/x-bigagi-folder";
export const ARCHIVE = ":archive";
const COLORS = [
  ["#828282", "Grey"],
  ["#f22a85", "Pink"],
  ["#d9463e", "Red"],
  ["#ed8a19", "Orange"],
  ["#caa302", "Yellow"],
  ["#3a9d5d", "Green"],
  ["#1b9aaa", "Turquoise"],
  ["#407cf8", "Blue"],
  ["#8b5cf6", "Violet"],
];
const list = byId("folders");
const newestOf = newest();
let folders = [];
let chosen = "";

export const all = () => folders;
export const current = () => chosen;
const found = (id) => folders.find((folder) => folder.id === id);
export const colorOf = (id) => found(id)?.color || (found(id) ? COLORS[0][0] : "");
export const titleOf = (id) => found(id)?.title || "Untitled";

export async function load() {
  try {
    const { data } = await newestOf(call("GET", "/api/folders?page_size=200", undefined, { visit: everywhere }));
    folders = data.results;
    if (chosen && chosen !== ARCHIVE && !found(chosen)) choose("");
    show();
  } catch (error) {
    fail(error);
  }
}

function choose(id) {
  chosen = id;
  show();
  emit("folder");
}

const show = () => whenReleased(render);

function render() {
  const at = document.activeElement?.closest?.("#folders .folder-row");
  const part = document.activeElement?.matches(".act") ? ".act" : ".folder-link";
  const place = [...list.children].indexOf(at);
  const rows = [row("", "All chats", null), ...folders.map((folder) => row(folder.id, folder.title || "Untitled", folder))];
  list.replaceChildren(...rows, row(ARCHIVE, "Archive", null));
  // Whoever orders folders by keyboard stays with the one that moves.
  if (at) focusFirst(rowOf(at.dataset.folder)?.querySelector(part), list.children[place]?.querySelector(".folder-link"));
}

const rowOf = (id) => [...list.children].find(({ dataset }) => dataset.folder === id);

function row(id, title, folder) {
  const button = el("button", { type: "button", class: "folder-link", "aria-pressed": String(chosen === id) });
  if (folder) {
    const dot = el("i", { class: "dot", "aria-hidden": "true" });
    dot.style.setProperty("--dot", folder.color || COLORS[0][0]);
    button.append(dot);
  } else if (id === ARCHIVE) button.append(icon("archive"));
  else button.append(icon("folder"));
  button.append(el("span", { class: "folder-title" }, title));
  if (folder) button.append(el("span", { class: "folder-count" }, String(folder.conversationIds?.length ?? 0)));
  button.addEventListener("click", () => choose(chosen === id && id ? "" : id));
  const made = el("li", { class: "folder-row", "data-folder": id, draggable: Boolean(folder) }, button);
  if (folder) {
    const more = el("button", { type: "button", class: "act act-small", "aria-label": `Actions for the folder ${title}`, "aria-haspopup": "menu" }, icon("more"));
    more.addEventListener("click", () => openFolderMenu(more, folder));
    made.append(more);
    letDrag(made, folder);
    button.setAttribute("aria-keyshortcuts", "Alt+ArrowUp Alt+ArrowDown");
    button.addEventListener("keydown", (event) => {
      if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
      event.preventDefault();
      void shift(folder.id, event.key === "ArrowUp" ? -1 : 1).catch(fail);
    });
  }
  if (folder || !id) acceptDrops(made, folder?.id ?? null);
  return made;
}

function acceptDrops(target, id) {
  const isChat = (event) => event.dataTransfer.types.includes(DRAGGED);
  target.addEventListener("dragover", (event) => {
    if (!isChat(event)) return;
    event.preventDefault();
    target.classList.add("is-target");
  });
  target.addEventListener("dragleave", () => target.classList.remove("is-target"));
  target.addEventListener("drop", (event) => {
    target.classList.remove("is-target");
    if (!isChat(event)) return;
    event.preventDefault();
    void move(JSON.parse(event.dataTransfer.getData(DRAGGED)), id).catch(fail);
  });
}

// --- order -----------------------------------------------------------------------------------------------------------

function letDrag(row, folder) {
  const isFolder = (event) => event.dataTransfer.types.includes(FOLDER);
  const isBelow = (event) => {
    const { top, height } = row.getBoundingClientRect();
    return event.clientY > top + height / 2;
  };
  const mark = (name = "") => {
    row.classList.toggle("is-before", name === "before");
    row.classList.toggle("is-after", name === "after");
  };
  row.addEventListener("dragstart", (event) => {
    event.dataTransfer.setData(FOLDER, folder.id);
    event.dataTransfer.effectAllowed = "move";
  });
  row.addEventListener("dragover", (event) => {
    if (!isFolder(event)) return;
    event.preventDefault();
    mark(isBelow(event) ? "after" : "before");
  });
  row.addEventListener("dragleave", () => mark());
  row.addEventListener("drop", (event) => {
    mark();
    if (!isFolder(event)) return;
    event.preventDefault();
    const dragged = event.dataTransfer.getData(FOLDER);
    if (dragged === folder.id || !found(dragged)) return;
    const rest = folders.filter(({ id }) => id !== dragged);
    // The folders may have been read anew since the drag began.
    const at = rest.findIndex(({ id }) => id === folder.id);
    rest.splice(at + (isBelow(event) ? 1 : 0), 0, found(dragged));
    void order(rest).catch(fail);
  });
}

async function shift(id, by) {
  const at = folders.findIndex((folder) => folder.id === id);
  const moved = [...folders];
  moved.splice(at + by, 0, ...moved.splice(at, 1));
  if (at + by >= 0 && at + by < folders.length) await order(moved);
}

async function order(moved) {
  if (moved.every((folder, at) => folder === folders[at])) return;
  const before = folders;
  folders = moved;
  show();
  try {
    const { change } = await call("PUT", "/api/folders/order", { ids: moved.map(({ id }) => id) });
    undoable("The folders were reordered.", change, changed);
  } catch (error) {
    folders = before;
    show();
    throw error;
  }
  await changed();
}

async function changed() {
  await load();
  emit("list");
  emit("changed");
}

// `made`: the change that made the folder for them, which is undone with the move.
export async function move(ids, folder, made = null) {
  const { data, change } = await call("POST", "/api/chats/bulk", { action: "move", ids, folder });
  await changed();
  if (!data.changed) return;
  const many = ids.length > 1 ? `${ids.length} chats: ` : "";
  const done = folder ? `moved to ${titleOf(folder)}.` : `removed from ${many ? "their folders" : "its folder"}.`;
  undoable(many + (many ? done : done[0].toUpperCase() + done.slice(1)), change, async () => {
    if (made) await call("POST", `/api/changes/${made}/undo`, {});
    await changed();
  });
}

export async function moveToNew(ids, title) {
  const { data, change } = await create(title);
  await move(ids, data.id, change);
}

function create(title) {
  if (!title) throw new Error("Give the folder a name.");
  const [color] = COLORS[(folders.length + 1) % COLORS.length];
  return call("POST", "/api/folders", { title, color, conversationIds: [] });
}

async function make() {
  await askText("New folder", "Name", "", "Create", async (title) => {
    const { change } = await create(title);
    undoable("Folder created.", change, changed);
    await changed();
  });
}

function openFolderMenu(button, folder) {
  const at = folders.indexOf(folder);
  const perform = (act) => () => void once(`folder ${folder.id}`, act).catch(fail);
  const patch = async (body, text) => {
    const { change } = await call("PATCH", folderPath(folder.id), body);
    undoable(text, change, changed);
    await changed();
  };
  const rename = () =>
    askText("Rename folder", "Name", folder.title || "", "Save", async (title) => {
      if (!title) throw new Error("Give the folder a name.");
      await patch({ title }, "Folder renamed.");
    });
  const recolor = () => {
    const choices = COLORS.map(([value, label]) => ({ value, label, color: value }));
    return askChoice("Folder colour", choices, folder.color, (color) => patch({ color }, "Folder colour changed."));
  };
  const remove = async () => {
    const { change } = await call("DELETE", folderPath(folder.id));
    await changed();
    undoable("Folder deleted. Its chats were kept.", change, changed);
  };
  const items = [
    { label: "Rename", icon: "edit", act: perform(rename) },
    { label: "Colour", icon: "folder", act: perform(recolor) },
    at > 0 ? { label: "Move up", icon: "up", act: perform(() => shift(folder.id, -1)) } : undefined,
    at < folders.length - 1 ? { label: "Move down", icon: "down", act: perform(() => shift(folder.id, 1)) } : undefined,
    null,
    { label: "Delete", icon: "trash", act: perform(remove), isBad: true },
  ].filter((item) => item !== undefined);
  openMenu(button, items, "This folder");
}

export function initFolders() {
  byId("new-folder").addEventListener("click", () => void make().catch(fail));
  on("list", () => void load());
}
