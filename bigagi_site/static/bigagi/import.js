// Home, while nothing is here yet: sends a backup to be imported, and follows the import to its end. The import goes on
// when the page is left.

import { takeFiles } from "./import/files.js";
import { ask, follow, send, wordsOf, sizeOf } from "./import/sending.js";

const box = document.querySelector("[data-upload]");
const part = (name) => box.querySelector(`[data-${name}]`);
const bar = part("bar");
let sending = null;
let isUploading = false;

function show(name) {
  for (const each of ["drop", "state", "end"]) part(each).hidden = each !== name;
}

function say(text) {
  if (part("said").textContent !== text) part("said").textContent = text;
}

function end(text, { isBad = false, run = null } = {}) {
  sending = null;
  part("result").textContent = text;
  part("result").className = isBad ? "error" : "notice";
  part("chats").hidden = isBad && !run;
  part("report").hidden = !run;
  if (run) part("report").href = `${box.dataset.page}/${run.id}`;
  part("again").textContent = isBad ? "Choose another file" : "Import another file";
  show("end");
  part("end").focus();
}

// Resolves to the run.
function sendIt(file) {
  const onRequest = (request) => (sending = request);
  const onProgress = (sent, total) => {
    bar.value = total ? (100 * sent) / total : 0;
    say(`Sending ${file.name}: ${sizeOf(sent)} of ${sizeOf(total)}`);
  };
  const onSent = () => {
    isUploading = false;
    bar.removeAttribute("value");
    part("cancel").hidden = true;
    say("The file is here. It is being read…");
  };
  isUploading = true;
  const address = `${box.dataset.url}?filename=${encodeURIComponent(file.name)}`;
  return send(file, address, box.dataset.csrf, { onRequest, onProgress, onSent }).finally(() => (isUploading = false));
}

// Home says around the box what is here: once an import has begun, that is no longer nothing.
const empty = document.querySelectorAll("[data-empty]");

async function showHere() {
  if (!empty.length) return;
  const response = await fetch(location.href, { cache: "no-store" });
  const come = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("main");
  const card = box.closest("section");
  come.querySelector("h1").after(card);
  document.getElementById("main").replaceChildren(...come.childNodes);
  part("end").focus();
}

async function bring(file) {
  if (!file || sending) return;
  bar.value = 0;
  part("cancel").hidden = false;
  say(`Sending ${file.name}`);
  show("state");
  part("cancel").focus();
  let run = null;
  try {
    run = await sendIt(file);
    for (const each of empty) each.hidden = true;
    const onLost = () => say("Cannot reach the server. The import goes on there; this page tries again.");
    run = await follow(run, box.dataset.csrf, (now) => say(wordsOf(now)), onLost);
    const { proof } = await ask("GET", run.report_href, box.dataset.csrf);
    end(proof, { isBad: run.status !== "done", run });
    await showHere().catch(() => location.reload());
  } catch (error) {
    end(error.message, { isBad: true, run });
  }
}

takeFiles(box, ([file]) => void bring(file));
part("cancel").addEventListener("click", () => sending?.abort());
part("again").addEventListener("click", () => {
  show("drop");
  part("file").focus();
});
// Once the file is sent, the import needs this page no more.
addEventListener("beforeunload", (event) => isUploading && event.preventDefault());
box.dataset.ready = "";
