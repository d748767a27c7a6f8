// Images in full size, in place: one after the other, by click and by keys.

import { byId } from "./dom.js";

const dialog = byId("lightbox");
const picture = byId("lightbox-picture");
let at = 0;

const links = () => [...byId("turns").querySelectorAll(".picture a:has(img)")];

function show(to) {
  const all = links();
  at = (to + all.length) % all.length;
  const { alt } = all[at].querySelector("img");
  picture.src = all[at].href;
  picture.alt = alt;
  byId("lightbox-title").textContent = alt || "Image";
  byId("lightbox-count").textContent = all.length > 1 ? `${at + 1} of ${all.length}` : "";
  byId("lightbox-download").href = all[at].href;
  for (const id of ["lightbox-previous", "lightbox-next"]) byId(id).hidden = all.length < 2;
}

export function initLightbox() {
  byId("turns").addEventListener("click", (event) => {
    const link = event.target.closest(".picture a:has(img)");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(links().indexOf(link));
    dialog.showModal();
  });
  byId("lightbox-previous").addEventListener("click", () => show(at - 1));
  byId("lightbox-next").addEventListener("click", () => show(at + 1));
  dialog.addEventListener("keydown", ({ key }) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (step) show(at + step);
  });
  // The next one must not show this one until it has come.
  dialog.addEventListener("close", () => picture.removeAttribute("src"));
}
