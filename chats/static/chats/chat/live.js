// What a screen reader hears: beginnings, ends and faults, never each word.

import { byId } from "./dom.js";

export function say(text) {
  byId("live").textContent = text;
}

export function alarm(text) {
  byId("alarm").textContent = text;
}
