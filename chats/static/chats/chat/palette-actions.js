// What the palette can do: the page's own buttons, what can be done with this chat, the pages of the site.

import * as acts from "./chat-acts.js";
import { byId } from "./dom.js";
import { download, ONE, openExport } from "./export.js";
import { editSystemPrompt } from "./settings.js";
import { emit, page } from "./state.js";

// Buttons of the page, by id: what a click does is theirs to know. `words` are other words for it.
const BUTTONS = [
  ["new-chat", "New chat", "pen", "start", "Ctrl Alt N"],
  ["model", "Choose a model", "model", "switch llm", "Ctrl M"],
  ["attach", "Attach files", "clip", "upload image document"],
  ["open-settings", "Chat settings", "sliders", "persona system prompt temperature parameters tokens", "Ctrl ,"],
  ["preview", "What will be sent", "eye", "prompt preview context"],
  ["open-usage", "Tokens and cost", "chart", "usage price money"],
  ["select-chats", "Select chats", "select", "several many bulk"],
  ["new-folder", "New folder", "folder", "create"],
  ["open-help", "Shortcuts", "help", "keys keyboard help", "?"],
];

const canBeUsed = (button) => button && !button.disabled && !button.hidden && !button.closest("[hidden]");

function buttons() {
  const listed = BUTTONS.map(([id, label, icon, words, keys]) => ({ button: byId(id), label, icon, words, keys }));
  // Other parts of the page name their own buttons.
  for (const button of document.querySelectorAll("[data-command]")) {
    const { command, commandIcon, commandWords } = button.dataset;
    listed.push({ button, label: command, icon: commandIcon, words: commandWords });
  }
  return listed
    .filter(({ button }) => canBeUsed(button))
    .map(({ button, ...item }) => ({
      ...item,
      run() {
        // A button in the list of chats may be out of sight.
        if (button.closest("#side") && button.id !== "new-chat") emit("side", true);
        button.click();
      },
    }));
}

function ofChat() {
  const { chat } = page;
  if (!chat) return [];
  const item = (label, icon, words, act) => ({ label, icon, words, run: acts.perform(async () => act()) });
  const [pinned, archived] = [acts.isPinned(chat), acts.isArchived(chat)];
  return [
    item("Rename this chat", "edit", "title name", () => acts.rename(chat)),
    item(pinned ? "Unpin this chat" : "Pin this chat", "pin", "favourite top", () => acts.pin([chat], !pinned)),
    item("Move this chat to a folder", "folder", "", () => acts.move([chat])),
    item("Duplicate this chat", "copy", "copy branch", () => acts.duplicate(chat)),
    item("Export this chat", "download", "share save download file", () => openExport([chat])),
    // For whoever types which file it shall be.
    ...ONE.map(([query, drawing, name]) => ({ ...item(`Save this chat: ${name}`, drawing, `export download ${query}`, () => download([chat], query)), isTyped: true })),
    item(archived ? "Unarchive this chat" : "Archive this chat", "archive", "", () => acts.archive([chat], !archived)),
    item("Delete this chat", "trash", "remove", () => acts.remove([chat])),
  ];
}

const THEMES = { light: "Light theme", dark: "Dark theme", system: "Theme of the system" };

function themes() {
  const others = Object.entries(THEMES).filter(([theme]) => theme !== document.documentElement.dataset.theme);
  return others.map(([theme, label]) => ({
    label,
    icon: "eye",
    words: "colours mode appearance",
    run: () => document.dispatchEvent(new CustomEvent("bigagi-theme", { detail: theme })),
  }));
}

export function actions() {
  return [
    ...buttons(),
    { label: "Edit the system prompt", icon: "edit", words: "persona instructions change chat settings", run: editSystemPrompt },
    ...ofChat(),
    { label: "Export all chats", icon: "download", words: "backup save download zip", run: () => openExport(null) },
    { label: "Show or hide the list of chats", icon: "menu", words: "sidebar", keys: "Ctrl B", run: () => emit("side", "toggle") },
    ...themes(),
  ].map((action) => ({ ...action, key: `action ${action.label}` }));
}

// The site's own navigation, wherever on the page it stands.
export function pages() {
  const links = [...document.querySelectorAll(".site-nav a")].filter((link) => !link.hasAttribute("aria-current"));
  return links.map((link) => ({
    key: `page ${link.pathname}`,
    label: link.textContent.trim(),
    icon: "page",
    words: "page go to",
    run: () => location.assign(link.href),
  }));
}
