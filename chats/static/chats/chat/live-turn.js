// An answer while it is written: finished blocks as HTML, the rest as it comes, and how long it takes.

import { el, fromServer } from "./dom.js";
import { enhance } from "./messages.js";

const words = (text) => text.match(/\S+/g)?.length ?? 0;

export class LiveTurn {
  constructor(model, started = Date.now()) {
    this.started = started;
    this.text = "";
    this.done = 0;
    this.label = el("span", { class: "msg-model" }, model);
    this.blocks = el("div", { class: "md md-live" });
    this.tail = document.createTextNode("");
    this.tailBox = el("div", { class: "tail", hidden: true }, this.tail);
    this.thought = document.createTextNode("");
    this.thinking = el(
      "details",
      { class: "fold fold-live", open: true, hidden: true },
      el("summary", {}, "Reasoning"),
      el("div", { class: "tail" }, this.thought),
    );
    this.seconds = el("span", { class: "waiting-seconds" });
    this.note = el("span", { class: "waiting-note" });
    this.waiting = el("p", { class: "waiting" }, el("span", { class: "dots" }, el("i"), el("i"), el("i")), this.seconds, this.note);
    this.counts = el("span", { class: "counts" });
    this.element = el(
      "article",
      { class: "msg msg-assistant is-live", "aria-busy": "true", "aria-label": "Answer, in progress", tabIndex: -1 },
      el("header", { class: "msg-head" }, el("h2", { class: "msg-role" }, el("span", { class: "msg-mark", "aria-hidden": "true" }), this.label)),
      el("div", { class: "msg-body" }, this.thinking, this.blocks, this.tailBox, this.waiting),
      el("footer", { class: "msg-foot" }, this.counts),
    );
    this.timer = setInterval(() => this.tick(), 200);
    this.tick();
  }

  begin({ message, model, prompt }) {
    this.element.dataset.message = message.id;
    this.element.id = message.id;
    this.label.textContent = model.label;
    this.started = message.created || this.started;
    this.reset();
    if (prompt?.leftOut) {
      const some = prompt.leftOut === 1 ? "1 earlier message does" : `${prompt.leftOut} earlier messages do`;
      this.element.querySelector(".msg-head").append(el("span", { class: "tag" }, `${some} not fit, and was left out`));
    }
    if (prompt?.keysMasked) {
      const some = prompt.keysMasked === 1 ? "1 API key" : `${prompt.keysMasked} API keys`;
      this.element.querySelector(".msg-head").append(el("span", { class: "tag" }, `${some} in the chat sent masked`));
    }
  }

  // A replay tells all from the beginning.
  reset() {
    this.text = "";
    this.done = 0;
    this.blocks.replaceChildren();
    this.tail.data = "";
    this.thought.data = "";
  }

  add({ text, reasoning }) {
    this.note.textContent = "";
    if (reasoning !== undefined) {
      this.thinking.hidden = false;
      this.thought.appendData(reasoning);
      return;
    }
    if (!this.text) this.thinking.open = false;
    this.text += text;
    this.tail.appendData(text);
    this.showTail();
    this.waiting.hidden = true;
  }

  // All text so far was reasoning.
  rethink() {
    this.thinking.hidden = false;
    this.thinking.open = true;
    this.thought.appendData(this.text);
    this.text = "";
    this.done = 0;
    this.blocks.replaceChildren();
    this.tail.data = "";
    this.showTail();
    this.waiting.hidden = false;
  }

  addBlock({ html, end }) {
    const content = fromServer(html);
    enhance(content);
    this.blocks.append(content);
    this.done = end;
    this.tail.data = this.text.slice(end);
    this.showTail();
  }

  showTail() {
    const begun = this.tail.data.slice(0, 100).trimStart();
    this.tailBox.hidden = !begun && !this.tail.data.trim();
    // Code looks like code before its end has come.
    this.tailBox.classList.toggle("is-code", /^(?:```|~~~)/.test(begun));
  }

  lost() {
    this.note.textContent = "Connection lost. Reconnecting…";
    this.waiting.hidden = false;
  }

  tick() {
    const seconds = Math.max(0, (Date.now() - this.started) / 1000);
    this.seconds.textContent = `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
    const size = this.text.length;
    this.counts.textContent = size
      ? `${size.toLocaleString()} characters · ${words(this.text).toLocaleString()} words · ${seconds.toFixed(1)} s`
      : "";
  }

  summary() {
    return `${words(this.text)} words`;
  }

  // What the server could not store stays as it came, until it is stored.
  keep(problem) {
    this.element.classList.remove("is-live");
    const words = [el("strong", {}, "Error"), el("p", {}, problem?.detail ?? "The answer could not be stored.")];
    this.element.querySelector(".msg-body").append(el("div", { class: "problem", role: "note", "aria-label": "Error" }, ...words));
  }

  end() {
    clearInterval(this.timer);
    this.element.removeAttribute("aria-busy");
  }
}
