// Takes files, shows what each would bring, and imports them when that is wanted. Each preview is a page of its own;
// one file leads there at once. What has begun goes on when the page is left.

import { takeFiles } from "./files.js";
import { ask, follow, send, shareOf, sizeOf, wordsOf } from "./sending.js";

const box = document.querySelector("[data-box]");
const part = (name) => box.querySelector(`[data-${name}]`);
const { url, page, csrf } = box.dataset;
const waiting = [];
const previews = [];
let isBusy = false;
let isUploading = false;

function addLine(file) {
  const line = part("line").content.firstElementChild.cloneNode(true);
  const get = (name) => line.querySelector(`[data-${name}]`);
  get("name").textContent = file.name;
  get("size").textContent = sizeOf(file.size);
  part("files").append(line);
  return {
    say(text, { isBad = false, share = null, isOver = false } = {}) {
      if (get("text").textContent !== text) get("text").textContent = text;
      get("text").className = isBad ? "error" : "";
      get("bar").hidden = isOver;
      if (share === null) get("bar").removeAttribute("value");
      else get("bar").value = share;
      if (isOver) part("said").textContent = `${file.name}: ${text}`;
    },
    link(run, text) {
      get("link").href = `${page}/${run.id}`;
      get("link").textContent = text;
      get("link").hidden = false;
    },
    offer(name, act) {
      get(name).hidden = !act;
      get(name).onclick = act;
    },
    remove: () => line.remove(),
  };
}

function query(file) {
  const asked = new URLSearchParams({ preview: "1", filename: file.name, strategy: part("strategy").value });
  if (part("restore").checked) asked.set("restore_deleted", "1");
  if (part("recover").checked) asked.set("recover", "1");
  return `${url}?${asked}`;
}

async function preview({ file, line }) {
  const onRequest = (request) => line.offer("cancel", () => request.abort());
  const onProgress = (sent, total) =>
    line.say(`Sending: ${sizeOf(sent)} of ${sizeOf(total)}`, { share: total ? (100 * sent) / total : 0 });
  const onSent = () => {
    isUploading = false;
    line.offer("cancel", null);
    line.say("The file is here. It is being read…");
  };
  isUploading = true;
  try {
    const begun = await send(file, query(file), csrf, { onRequest, onProgress, onSent });
    const run = await watch(begun, line);
    if (run.status !== "done") throw new Error(run.blocked_by);
    const { proof } = await ask("GET", run.report_href, csrf);
    line.say(proof, { isOver: true });
    line.link(run, "See what it would bring");
    previews.push({ run, line });
  } catch (error) {
    line.say(error.message, { isBad: true, isOver: true });
    line.offer("retry", () => {
      line.remove();
      take([file]);
    });
  } finally {
    isUploading = false;
    line.offer("cancel", null);
  }
}

function watch(run, line) {
  const onChange = (now) => line.say(wordsOf(now), { share: shareOf(now) });
  const onLost = () => line.say("Cannot reach the server. It goes on there; this page tries again.");
  return follow(run, csrf, onChange, onLost);
}

// What has ended meanwhile is in the list of all imports too.
async function showRuns() {
  const response = await fetch(location.href, { cache: "no-store" });
  const come = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("[data-runs]");
  document.querySelector("[data-runs]").replaceChildren(...come.childNodes);
}

async function work() {
  if (isBusy) return;
  isBusy = true;
  part("run-all").hidden = true;
  while (waiting.length) await preview(waiting.shift());
  isBusy = false;
  const lines = part("files").children.length;
  // One file that can be read leads to its page at once.
  if (lines === 1 && previews.length === 1) location.assign(`${page}/${previews[0].run.id}`);
  part("run-all").textContent = previews.length === 1 ? "Import this file" : `Import these ${previews.length} files`;
  part("run-all").hidden = !previews.length;
  await showRuns().catch(() => {});
}

async function runAll() {
  part("run-all").hidden = true;
  isBusy = true;
  for (const { run, line } of previews.splice(0)) {
    try {
      line.say("It is being imported…");
      const done = await watch(await ask("POST", run.run_href, csrf), line);
      const { proof } = await ask("GET", done.report_href, csrf);
      line.say(proof, { isBad: done.status !== "done", isOver: true });
      line.link(done, "See what it brought");
    } catch (error) {
      line.say(error.message, { isBad: true, isOver: true });
    }
  }
  isBusy = false;
  void work();
}

function take(files) {
  if (!files.length) return;
  part("files-card").hidden = false;
  for (const file of files) {
    const line = addLine(file);
    line.say("It waits for the files before it.");
    waiting.push({ file, line });
  }
  part("files-card").focus();
  void work();
}

takeFiles(box, take);
part("run-all").addEventListener("click", () => void runAll());
addEventListener("beforeunload", (event) => (isUploading || waiting.length) && event.preventDefault());
box.dataset.ready = "";
