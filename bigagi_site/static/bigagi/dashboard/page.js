// The dashboard: charts made of the tables beside them, dialogs that ask first, and new figures while it is seen.
import { drawCharts, repaintCharts } from "./charts.js";
import { keepFresh } from "./refresh.js";

const board = document.querySelector("[data-dashboard]");

for (const opener of board.ownerDocument.querySelectorAll("[data-open]")) opener.hidden = false;
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  if (opener) document.getElementById(opener.dataset.open).showModal();
  if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
});

drawCharts(board);
keepFresh(board, () => drawCharts(board));

// unfold sets the theme as a class of the page.
new MutationObserver(repaintCharts).observe(document.documentElement, { attributeFilter: ["class"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaintCharts);
