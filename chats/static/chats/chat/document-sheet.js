// The sheet that shows what was read of a file, before it is sent.

import { isSource, swapSource } from "./documents.js";
import { byId, el } from "./dom.js";

// What a browser lays out without a pause.
const SHOWN = 200_000;

export function showText(clip, size, after) {
  const sheet = byId("document");
  fill(clip, size);
  byId("document-source").onclick = async () => {
    await swapSource(clip);
    fill(clip, size);
    after();
  };
  // The clips are made anew when one of them changes: the keyboard goes back to the message.
  sheet.addEventListener("close", () => document.activeElement === document.body && byId("message").focus(), { once: true });
  sheet.showModal();
  byId("document-text").scrollTop = 0;
}

function fill(clip, size) {
  const { text, name, kind, summary, warnings = [] } = clip;
  const cut = text.length > SHOWN ? ` · the first ${SHOWN.toLocaleString()} of ${text.length.toLocaleString()} characters are shown, all are sent` : "";
  byId("document-title").textContent = name;
  byId("document-about").textContent = [summary, size].filter(Boolean).join(" · ") + cut;
  byId("document-warnings").hidden = !warnings.length;
  byId("document-warnings").replaceChildren(...warnings.map(({ detail }) => el("li", {}, detail)));
  byId("document-text").textContent = text.slice(0, SHOWN);
  byId("document-source").hidden = kind !== "html";
  byId("document-source").textContent = isSource(clip) ? "Attach the text instead" : "Attach the HTML source instead";
}
