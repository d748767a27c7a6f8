// Whether the server can be reached. Where it cannot, the page says so, and looks for it until it is there again.

import { setIfThere } from "./dom.js";
import { alarm, say } from "./live.js";
import { emit } from "./state.js";

export const OFFLINE = "Cannot reach the server. Check your connection, and whether the server is running.";
const WAITS = [500, 1000, 2000, 3000];
const TRIES = 8;
const sleeping = new Set();
let isLost = false;
let tries = 0;
let timer = 0;

export function noteLost() {
  if (isLost) return;
  isLost = true;
  tries = 0;
  setIfThere("network", "hidden", false);
  alarm("Connection lost. Reconnecting.");
  emit("unreached");
  lookLater();
}

export function noteReached() {
  if (!isLost) return;
  isLost = false;
  clearTimeout(timer);
  setIfThere("network", "hidden", true);
  alarm("");
  say("Connected again.");
  for (const wake of [...sleeping]) wake();
  emit("reached");
}

function lookLater() {
  clearTimeout(timer);
  timer = setTimeout(() => void look(), WAITS[Math.min(tries++, WAITS.length - 1)]);
}

async function look() {
  try {
    // Any answer will do, also that of a server that is not ready yet.
    await fetch("/api/health", { cache: "no-store" });
    noteReached();
  } catch {
    noteLost();
    lookLater();
  }
}

// Resolves when the time is over or the server is there again; rejects when the signal tells to stop.
export function pause(time, signal) {
  return new Promise((resolve, reject) => {
    const end = (settle, reason) => {
      clearTimeout(wait);
      sleeping.delete(wake);
      signal.removeEventListener("abort", stop);
      settle(reason);
    };
    const wake = () => end(resolve);
    const stop = () => end(reject, signal.reason);
    const wait = setTimeout(wake, time);
    sleeping.add(wake);
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
  });
}

// Does again what the server never answered, for half a minute: for what is asked for under a key, and is done once. The
// signal ends the waiting.
export async function insist(act, { signal, lost = () => {} }) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await act();
    } catch (error) {
      if (error.status !== 0 || tries >= TRIES || signal.aborted) throw error;
      lost();
      await pause(Math.min(500 * 2 ** tries, 8000), signal).catch(() => {
        throw error;
      });
    }
  }
}

export function initNetwork() {
  // A server on this machine is there without any network: it is asked, not the browser.
  for (const name of ["online", "offline"]) addEventListener(name, () => void look());
}
