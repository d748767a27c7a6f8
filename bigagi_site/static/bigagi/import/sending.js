// What the pages of imports share: files that are sent, runs that are asked for, and the words for what is under way.

const NOUNS = {
  conversation: ["chat", "chats"],
  message: ["message", "messages"],
  asset: ["image or sound", "images and sounds"],
  model: ["model", "models"],
};
const PHASES = { read: "Reading", snapshot: "Making a backup of what is here", verify: "Comparing with the file" };
const POLL_MS = 700;

const cookie = (name) => new RegExp(`(?:^|; )${name}=([^;]*)`).exec(document.cookie)?.[1] ?? "";

export function sizeOf(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function problemOf(status, text) {
  try {
    const problem = JSON.parse(text);
    const kind = String(problem.type ?? "").split("#")[1];
    return Object.assign(new Error(problem.detail), { kind });
  } catch {
    return new Error(`The server answered with ${status}. Reload the page and try again.`);
  }
}

// Resolves to the run. XMLHttpRequest, since fetch does not tell how much is sent. `onProgress(sent, total)` is called
// while it is sent, `onSent()` when all of it is; `onRequest(request)` gets what can be aborted.
export function send(file, address, csrf, { onRequest, onProgress, onSent }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    onRequest?.(request);
    request.open("POST", address);
    request.setRequestHeader("X-CSRFToken", cookie(csrf));
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Prefer", "respond-async");
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(loaded, total));
    request.upload.addEventListener("load", () => onSent());
    request.addEventListener("load", () => {
      if (request.status === 202) resolve(JSON.parse(request.responseText));
      else reject(problemOf(request.status, request.responseText));
    });
    request.addEventListener("error", () =>
      reject(new Error("The upload broke off. Nothing was imported: check the connection, and try again.")),
    );
    request.addEventListener("abort", () => reject(new Error("Cancelled. Nothing was imported.")));
    request.send(file);
  });
}

// Asks the server for something that needs no body. Resolves to the answer's JSON, null where there is none.
export async function ask(method, address, csrf) {
  const headers = { Accept: "application/json", "X-CSRFToken": cookie(csrf), Prefer: "respond-async" };
  let response;
  try {
    response = await fetch(address, { method, headers, cache: "no-store" });
  } catch {
    throw new Error("Cannot reach the server. Check that it is running, and try again.");
  }
  const text = await response.text();
  if (!response.ok) throw problemOf(response.status, text);
  return text ? JSON.parse(text) : null;
}

function countsOf(run) {
  return Object.entries(NOUNS)
    .filter(([kind]) => run.counts?.[kind]?.read)
    .map(([kind, [one, many]]) => {
      const count = run.counts[kind].read;
      return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
    })
    .join(", ");
}

// The words for a run that is under way.
export function wordsOf(run) {
  const counts = countsOf(run);
  const doing = run.purpose === "preview" ? "Reading" : run.purpose === "undo" ? "Taking back" : "Importing";
  return `${PHASES[run.phase] ?? doing}${counts ? `: ${counts} so far` : "…"}`;
}

// How much of the file is read, in percent; null where the run does not tell.
export function shareOf(run) {
  const isReading = run.phase && !(run.phase in PHASES);
  return isReading && run.bytes_read && run.source_size ? Math.min((100 * run.bytes_read) / run.source_size, 100) : null;
}

// Resolves when the run's events have ended, or cannot be had.
function listen(run, onChange, onLost) {
  return new Promise((resolve) => {
    const events = new EventSource(run.events_href);
    const end = () => {
      events.close();
      resolve();
    };
    events.addEventListener("progress", ({ data }) => onChange({ ...run, ...JSON.parse(data) }));
    events.addEventListener("done", end);
    // It comes back by itself, unless the server refused it.
    events.addEventListener("error", () => (events.readyState === EventSource.CLOSED ? end() : onLost()));
  });
}

// Resolves to the run when it is over; `onChange(run)` is called as it goes on, `onLost()` while nothing can be asked.
export async function follow(run, csrf, onChange, onLost) {
  onChange(run);
  while (run.status === "running") {
    await listen(run, onChange, onLost);
    try {
      run = await ask("GET", run.href, csrf);
    } catch {
      onLost();
    }
    if (run.status === "running") await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return run;
}
