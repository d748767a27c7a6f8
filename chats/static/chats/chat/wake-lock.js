// Keeps the screen on while an answer comes, where big-AGI's preference says so (labsScreenWakeLock). Browsers allow it to
// secure pages only, and take it back when the page is hidden.

import { on, page } from "./state.js";

let isAnswering = false;
let lock = null;

async function take() {
  if (!isAnswering || lock || !page.ui.labsScreenWakeLock || document.visibilityState !== "visible") return;
  try {
    const mine = await navigator.wakeLock?.request("screen");
    if (!mine) return;
    mine.addEventListener("release", () => {
      if (lock === mine) lock = null;
    });
    lock = mine;
    if (!isAnswering) release();
  } catch {
    // The battery is low, or the browser refuses it.
  }
}

function release() {
  void lock?.release();
  lock = null;
}

export function initWakeLock() {
  on("begun", () => {
    isAnswering = true;
    void take();
  });
  for (const name of ["finished", "leave"]) {
    on(name, () => {
      isAnswering = false;
      release();
    });
  }
  document.addEventListener("visibilitychange", () => void take());
}
