// What scripts add to messages that the server rendered: local times, buttons to copy code.

import { el } from "./dom.js";
import { say } from "./live.js";
import { isToday, showClock, showTime } from "./times.js";

export function enhance(root) {
  for (const time of root.querySelectorAll("time[data-ms]")) {
    const date = new Date(Number(time.dataset.ms));
    if (Number.isNaN(date.getTime())) continue;
    time.textContent = isToday(date) ? showClock(date) : showTime(date);
    time.title = showTime(date);
    time.dateTime = date.toISOString();
    time.removeAttribute("data-ms");
  }
  for (const code of root.querySelectorAll(".md-code:not(.has-copy)")) {
    code.classList.add("has-copy");
    const button = el("button", { type: "button", class: "code-copy" }, "Copy");
    button.addEventListener("click", async () => {
      if (await copy(code.querySelector("code").textContent)) {
        button.textContent = "Copied";
        setTimeout(() => (button.textContent = "Copy"), 1500);
      }
    });
    code.append(button);
    // A region that scrolls sideways has to be reachable by keyboard.
    code.querySelector("pre")?.setAttribute("tabindex", "0");
  }
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
    return true;
  } catch {
    // Without HTTPS browsers give pages of other machines no clipboard.
    const field = el("textarea", { value: text, class: "visually-hidden" });
    document.body.append(field);
    field.select();
    const isDone = document.execCommand("copy");
    field.remove();
    return isDone;
  }
}

// The text of a message's JSON, as a person would copy it.
export function textOf(message) {
  const parts = message.fragments.map((fragment) => fragment?.part);
  return parts
    .filter((part) => part?.pt === "text" && typeof part.text === "string")
    .map((part) => part.text)
    .join("\n\n");
}

// The message with another text: its first text takes it, others go.
export function withText(message, text) {
  const isText = (fragment) => fragment?.part?.pt === "text";
  const first = message.fragments.findIndex(isText);
  const fragments = message.fragments.filter((fragment, at) => !isText(fragment) || at === first);
  const made =
    first < 0
      ? [{ ft: "content", fId: randomId(8), part: { pt: "text", text } }, ...fragments]
      : fragments.map((fragment) => (isText(fragment) ? { ...fragment, part: { ...fragment.part, text } } : fragment));
  return { ...message, fragments: made, updated: Date.now() };
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

export function randomId(length) {
  return Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => LETTERS[byte & 63]).join("");
}
