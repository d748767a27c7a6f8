// Sends a backup to be imported, and follows the import to its end. The import goes on when the page is left.

const POLL_MS = 700;
const NOUNS = {
  conversation: ["chat", "chats"],
  message: ["message", "messages"],
  asset: ["image or sound", "images and sounds"],
  model: ["model", "models"],
};

const box = document.querySelector("[data-upload]");
const part = (name) => box.querySelector(`[data-${name}]`);
const bar = part("bar");
let sending = null;
let isUploading = false;

const cookie = (name) => new RegExp(`(?:^|; )${name}=([^;]*)`).exec(document.cookie)?.[1] ?? "";

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
  if (run) part("report").href = `/admin/stores/migrationrun/${run.id}/change/`;
  part("again").textContent = isBad ? "Choose another file" : "Import another file";
  show("end");
  part("end").focus();
}

function sizeOf(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

// Resolves to the run. XMLHttpRequest, since fetch does not tell how much is sent.
function send(file) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    sending = request;
    request.open("POST", `${box.dataset.url}?filename=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("X-CSRFToken", cookie(box.dataset.csrf));
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      bar.value = total ? (100 * loaded) / total : 0;
      say(`Sending ${file.name}: ${sizeOf(loaded)} of ${sizeOf(total)}`);
    });
    request.addEventListener("loadstart", () => (isUploading = true));
    request.addEventListener("loadend", () => (isUploading = false));
    request.upload.addEventListener("load", () => {
      isUploading = false;
      bar.removeAttribute("value");
      part("cancel").hidden = true;
      say("The file is here. It is being read…");
    });
    request.addEventListener("load", () => {
      let answer = null;
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        // Told below.
      }
      if (request.status === 202 && answer) resolve(answer);
      else reject(new Error(answer?.detail ?? `The server answered with ${request.status}. Reload the page and try again.`));
    });
    request.addEventListener("error", () =>
      reject(new Error("The upload broke off. Nothing was imported: check the connection, and choose the file again.")),
    );
    request.addEventListener("abort", () => reject(new Error("Cancelled. Nothing was imported.")));
    request.send(file);
  });
}

function countsOf(run) {
  const known = Object.entries(NOUNS).filter(([kind]) => run.counts?.[kind]?.read);
  return known
    .map(([kind, [one, many]]) => {
      const count = run.counts[kind].read;
      return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
    })
    .join(", ");
}

async function read(address) {
  const response = await fetch(address, { headers: { Accept: "application/json" }, cache: "no-store" });
  if (!response.ok) throw new Error(`The server answered with ${response.status}.`);
  return response.json();
}

const PHASES = { read: "Reading", snapshot: "Making a backup of what is here", verify: "Comparing with the file" };

// Resolves to the run when it is over.
async function follow(run) {
  while (run.status === "running") {
    const counts = countsOf(run);
    say(`${PHASES[run.phase] ?? "Importing"}${counts ? `: ${counts} so far` : "…"}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    try {
      run = await read(run.href);
    } catch {
      say("Cannot reach the server. The import goes on there; this page tries again.");
    }
  }
  return run;
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
    run = await send(file);
    for (const each of empty) each.hidden = true;
    run = await follow(run);
    const { proof } = await read(run.report_href);
    end(proof, { isBad: run.status !== "done", run });
    await showHere().catch(() => location.reload());
  } catch (error) {
    end(error.message, { isBad: true, run });
  }
}

part("file").addEventListener("change", ({ target }) => {
  void bring(target.files[0]);
  // The same file can be chosen again.
  target.value = "";
});
part("cancel").addEventListener("click", () => sending?.abort());
part("again").addEventListener("click", () => {
  show("drop");
  part("file").focus();
});

const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

// Anywhere on the page: a browser would open a file that misses the box.
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    box.classList.add("is-over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) box.classList.remove("is-over");
});
document.addEventListener("drop", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  box.classList.remove("is-over");
  void bring(event.dataTransfer.files[0]);
});
// Once the file is sent, the import needs this page no more.
addEventListener("beforeunload", (event) => isUploading && event.preventDefault());
box.dataset.ready = "";
