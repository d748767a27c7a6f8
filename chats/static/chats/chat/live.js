// What a screen reader hears: beginnings, ends and faults, never each word. Other pages have no place for it.

import { setIfThere } from "./dom.js";

export function say(text) {
  setIfThere("live", "textContent", text);
}

export function alarm(text) {
  setIfThere("alarm", "textContent", text);
}
