// Follows a run to its end, and does what its buttons say: import what was previewed, undo, preview again, discard.

import { ask, follow, shareOf, wordsOf } from "./sending.js";

const box = document.querySelector("[data-run]");
const part = (name) => box.querySelector(`[data-${name}]`);
const { run, status, page, csrf } = box.dataset;

function showProgress(now) {
  const text = wordsOf(now);
  if (part("said").textContent !== text) part("said").textContent = text;
  const share = shareOf(now);
  if (share === null) part("bar").removeAttribute("value");
  else part("bar").value = share;
}

async function watch() {
  const onLost = () => (part("said").textContent = "Cannot reach the server. It goes on there; this page tries again.");
  await follow(await ask("GET", run, csrf), csrf, showProgress, onLost);
  // Its end is a page of the server's: the sentence, the numbers, the lists.
  location.reload();
}

async function act(button, method, address) {
  for (const each of box.querySelectorAll("button")) each.disabled = true;
  try {
    const next = await ask(method, address, csrf);
    location.assign(next ? `${page}/${next.id}` : page);
  } catch (error) {
    for (const each of box.querySelectorAll("button")) each.disabled = false;
    part("problem").textContent = error.message;
    part("problem").hidden = false;
    button.focus();
  }
}

for (const button of box.querySelectorAll("[data-post]")) {
  button.addEventListener("click", () => void act(button, "POST", button.dataset.post));
}
for (const button of box.querySelectorAll("[data-again]")) {
  button.addEventListener("click", () => {
    const asked = new URLSearchParams({ preview: "1", strategy: part("strategy").value });
    void act(button, "POST", `${button.dataset.again}?${asked}`);
  });
}
part("undo")?.addEventListener("click", ({ target }) => {
  void act(target, "POST", `${target.dataset.undo}${part("force").checked ? "?force=1" : ""}`);
});
part("discard")?.addEventListener("click", ({ target }) => void act(target, "DELETE", target.dataset.discard));

if (status === "running") void watch().catch(() => setTimeout(() => location.reload(), 2000));
// A list that was asked for is read from its heading on.
if (location.hash === "#records") document.getElementById("records").focus();
box.dataset.ready = "";
