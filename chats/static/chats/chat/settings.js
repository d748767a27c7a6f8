// Opens the panel of the chat's settings, whose scripts are read when it is opened for the first time.

import { during } from "./busy.js";
import { byId } from "./dom.js";
import { memory, page } from "./state.js";
import { fail } from "./toasts.js";

async function load() {
  try {
    return await during(import("./settings-panel.js"));
  } catch {
    // A browser may not try again what it could not read.
    throw new Error("The settings could not be loaded. Check your connection, and reload the page.");
  }
}

const perform = (name) => void load().then((panel) => panel[name]()).catch(fail);

export const toggleSettings = () => perform("toggleSettings");
export const editSystemPrompt = () => perform("openSystemPrompt");

export function initSettings() {
  page.share = memory.get("share") === "1";
  byId("open-settings").addEventListener("click", toggleSettings);
  byId("estimate").addEventListener("click", () => perform("openGauge"));
}
