// Opens the command palette. Its script is read when it is first wanted; what is typed meanwhile stands in its box.

import { byId } from "./dom.js";
import { OFFLINE } from "./network.js";

export function openPalette() {
  byId("palette-find").value = "";
  byId("palette").showModal();
  byId("palette-find").focus();
  import("./palette.js").then(
    ({ start }) => byId("palette").open && start(),
    () => (byId("palette-list").textContent = OFFLINE),
  );
}

export function initPalette() {
  byId("open-palette").addEventListener("click", openPalette);
}
