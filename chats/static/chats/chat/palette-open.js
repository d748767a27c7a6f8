// Opens the command palette. Its script is read when it is first wanted; what is typed meanwhile stands in its box.

import { byId } from "./dom.js";
import { OFFLINE } from "./network.js";

let palette = null;

export function openPalette() {
  byId("palette-find").value = "";
  byId("palette").showModal();
  byId("palette-find").focus();
  // Once it is here, it starts before the next key.
  if (palette) palette.start();
  else void load();
}

async function load() {
  const find = byId("palette-find");
  // Who knows what comes first does not wait to see it.
  let isEntered = false;
  const note = (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    isEntered = true;
  };
  find.addEventListener("keydown", note);
  palette = await import("./palette.js").catch(() => null);
  find.removeEventListener("keydown", note);
  if (!palette) byId("palette-list").textContent = OFFLINE;
  else if (byId("palette").open) {
    palette.start();
    if (isEntered) palette.takeFirst();
  }
}

export function initPalette() {
  byId("open-palette").addEventListener("click", openPalette);
}
