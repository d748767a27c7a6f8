// What stands in a chat without messages: ways to begin. And the trials that other pages link to, as
// /chat-test?try=slow: they prepare a message and send nothing.

import { fill, start } from "./composer.js";
import { openCrash } from "./crash.js";
import { byId } from "./dom.js";
import { choose } from "./model-picker.js";

const TRIALS = {
  hello: { model: "bigagi-demo-echo", text: "Hello! What did you receive?" },
  markdown: { model: "bigagi-demo-markdown", text: "Show me what Markdown can do." },
  slow: { model: "bigagi-demo-slow", text: "Take your time." },
  failing: { model: "bigagi-demo-failing", text: "Please break off." },
};

export function initEmpty() {
  byId("empty").addEventListener("click", ({ target }) => {
    const filler = target.closest("[data-fill]");
    if (filler) fill(filler.dataset.fill);
    const starter = target.closest("[data-start]");
    if (starter) start(starter.dataset.model, starter.dataset.start);
  });
}

// Once the models are known.
export function openTrial() {
  const name = new URLSearchParams(location.search).get("try");
  if (!name) return;
  // A reload is no new trial.
  history.replaceState(null, "", location.pathname + location.hash);
  if (name === "crash") openCrash();
  else if (Object.hasOwn(TRIALS, name)) {
    choose(TRIALS[name].model);
    fill(TRIALS[name].text);
  }
}
