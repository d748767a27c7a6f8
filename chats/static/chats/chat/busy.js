// A thin bar at the top while somebody waits for the server.

import { setIfThere } from "./dom.js";

const SOON = 400;
let waiting = 0;
let timer = 0;

// Shows the bar until the promise has settled, unless that is soon.
export async function during(promise) {
  if (!waiting++) timer = setTimeout(() => setIfThere("busy", "hidden", false), SOON);
  try {
    return await promise;
  } finally {
    if (!--waiting) {
      clearTimeout(timer);
      setIfThere("busy", "hidden", true);
    }
  }
}

const running = new Set();

// Does one thing at a time of those that have the same name: what is pressed twice is done once.
export async function once(name, act) {
  if (running.has(name)) return;
  running.add(name);
  try {
    await act();
  } finally {
    running.delete(name);
  }
}
