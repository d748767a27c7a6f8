// The list of chats, shown or hidden; on a phone it lies over the chat.

import { byId } from "./dom.js";
import { memory, on } from "./state.js";

const narrow = matchMedia("(max-width: 52rem)");

export function initSide() {
  const app = byId("app");
  const button = byId("open-side");
  const set = (isOpen, isKept = true) => {
    app.classList.toggle("has-side", isOpen);
    button.setAttribute("aria-expanded", String(isOpen));
    byId("side").inert = !isOpen;
    if (!narrow.matches && isKept) memory.set("side", isOpen ? "" : "closed");
  };
  const fit = () => set(!narrow.matches && memory.get("side") !== "closed", false);
  fit();
  narrow.addEventListener("change", fit);
  button.addEventListener("click", () => set(true));
  byId("close-side").addEventListener("click", () => {
    set(false);
    button.focus();
  });
  byId("veil").addEventListener("click", () => set(false));
  byId("side").addEventListener("keydown", (event) => {
    if (event.key === "Escape" && narrow.matches) {
      set(false);
      button.focus();
    }
  });
  byId("new-chat").addEventListener("click", () => narrow.matches && set(false));
  on("side", (isOpen) => {
    if (isOpen === "toggle") set(!app.classList.contains("has-side"));
    // Whoever chose a chat on a phone wants to see it.
    else if (isOpen || narrow.matches) set(isOpen);
  });
  requestAnimationFrame(() => app.classList.add("is-ready"));
}
