// Opens the command palette. Its script is read when it is first wanted; what is typed meanwhile stands in its box.

import { byId } from "./dom.js";
import { OFFLINE } from "./network.js";

export function openPalette() {
  const find = byId("palette-find");
  find.value = "";
  byId("palette").showModal();
  find.focus();
  // Who knows what comes first does not wait to see it.
  let isEntered = false;
  const note = (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    isEntered = true;
  };
  find.addEventListener("keydown", note);
  import("./palette.js")
    .then(
      ({ start, takeFirst }) => {
        if (!byId("palette").open) return;
        start();
        if (isEntered) takeFirst();
      },
      () => (byId("palette-list").textContent = OFFLINE),
    )
    .finally(() => find.removeEventListener("keydown", note));
}

export function initPalette() {
  byId("open-palette").addEventListener("click", openPalette);
}
