// What the page knows, and who is told when it changes.

import { byId } from "./dom.js";

export const page = JSON.parse(byId("page-data").textContent);

const listeners = new Map();

export function on(name, act) {
  listeners.set(name, [...(listeners.get(name) ?? []), act]);
}

export function emit(name, detail) {
  for (const act of listeners.get(name) ?? []) act(detail);
}

// Storage can be refused or full; what is kept there is a convenience.
export const memory = {
  get(name) {
    try {
      return localStorage.getItem(`bigagi:${name}`);
    } catch {
      return null;
    }
  },
  set(name, value) {
    try {
      if (value === null || value === "") localStorage.removeItem(`bigagi:${name}`);
      else localStorage.setItem(`bigagi:${name}`, value);
    } catch {
      // Nothing to do about it.
    }
  },
};
