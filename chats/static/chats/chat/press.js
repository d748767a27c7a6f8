// What is pressed or dragged stays where it is: a click or a drag never comes on an element that went meanwhile.

let isHeld = false;
let isDragged = false;
const waiting = new Set();

function release() {
  // The click comes after the release.
  setTimeout(() => {
    isHeld = isDragged = false;
    for (const act of waiting) act();
    waiting.clear();
  });
}

addEventListener("pointerdown", () => (isHeld = true), true);
addEventListener("pointerup", release, true);
addEventListener("dragstart", () => (isDragged = true), true);
addEventListener("dragend", release, true);
// A drag, too, cancels its pointer, and goes on.
addEventListener("pointercancel", () => isDragged || release(), true);

// Acts now, or once when nothing is pressed any more.
export function whenReleased(act) {
  if (isHeld) waiting.add(act);
  else act();
}
