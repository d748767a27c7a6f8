// A menu beside a button, for pointers and for the arrow keys.

import { byId, el, icon } from "./dom.js";

let open = null;

export function closeMenu() {
  open?.close();
}

// Items: {label, icon, act, isBad, isChecked}; null is a line.
export function openMenu(button, items, label) {
  const isSame = open?.button === button;
  closeMenu();
  if (isSame) return;
  const list = el("div", { class: "menu", role: "menu", "aria-label": label, tabIndex: -1 });
  for (const item of items) {
    if (!item) {
      list.append(el("hr", { role: "separator" }));
      continue;
    }
    const row = el(
      "button",
      { type: "button", role: "menuitem", class: item.isBad ? "menu-bad" : "", tabIndex: -1 },
      item.icon ? icon(item.icon) : null,
      el("span", {}, item.label),
    );
    row.addEventListener("click", () => {
      close();
      item.act();
    });
    list.append(row);
  }
  const close = (back = true) => {
    list.remove();
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
    removeEventListener("resize", again);
    open = null;
    if (back) button.focus({ preventScroll: true });
  };
  // The keyboard of a phone goes away when a button is pressed.
  const again = () => place(list, button);
  const outside = (event) => {
    if (!list.contains(event.target) && !button.contains(event.target)) close(false);
  };
  list.addEventListener("keydown", (event) => move(event, list, close));
  byId("main").append(list);
  place(list, button);
  button.setAttribute("aria-expanded", "true");
  document.addEventListener("pointerdown", outside, true);
  addEventListener("resize", again);
  open = { button, close };
  list.querySelector("[role=menuitem]")?.focus({ preventScroll: true });
}

function move(event, list, close) {
  const rows = [...list.querySelectorAll("[role=menuitem]")];
  const at = rows.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    rows[(to + rows.length) % rows.length].focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    event.preventDefault();
    event.stopPropagation();
    close();
  }
}

function place(list, button) {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = list;
  const isBelow = at.bottom + height + 8 < innerHeight;
  list.style.left = `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`;
  list.style.top = `${isBelow ? at.bottom + 4 : Math.max(8, at.top - height - 4)}px`;
}
