// An answer written anew: by its own model, or by another one that is named before it is asked.

import { call, messagePath } from "./api.js";
import { everywhere, shows } from "./chat-on-page.js";
import { el, focusFirst } from "./dom.js";
import { generate, settle } from "./generation.js";
import { models, openPicker } from "./model-picker.js";
import { on, page } from "./state.js";
import * as thread from "./thread.js";
import { fail, toast } from "./toasts.js";

// The answer is not of a model that can be called.
const GONE = "model-not-callable";

// `model`: another one that the person chose by name.
export async function regenerate(turn, visit, model = null) {
  const own = models.get(turn.dataset.model);
  const whyNot = own ? own.service.whyNot : turn.dataset.whyNot;
  if (!model && whyNot) {
    offerOther(turn, visit, whyNot);
    return;
  }
  const { chat } = visit;
  const id = turn.dataset.message;
  const { data: before } = await call("GET", messagePath(chat, id), undefined, { visit: everywhere });
  const label = model?.label ?? own?.label ?? turn.querySelector(".msg-model")?.textContent ?? "Assistant";
  try {
    // Without a model's id the server takes the answer's own, or refuses.
    await generate(visit, chat, { replaces: id, modelId: model?.id, shareContext: page.share }, { replaces: id, label });
  } catch (error) {
    if (error.kind !== GONE) throw error;
    const still = visit.isHere && thread.turnOf(id);
    if (still) offerOther(still, visit, error.message);
    return;
  }
  toast("Answer regenerated.", { label: "Restore the old one", act: () => putBack(chat, id, before), of: visit });
}

async function putBack(chat, id, before) {
  await settle(chat);
  delete before._server;
  await call("PUT", messagePath(chat, id), before);
  if (shows(chat)) await thread.refresh();
}

// Says below the answer why its model cannot be asked, and which one would be: nothing is sent before that is pressed.
function offerOther(turn, visit, why) {
  turn.querySelector(".other-model")?.remove();
  const go = el("button", { type: "button", class: "button button-small", "data-other": "Regenerate with" });
  const close = () => {
    box.remove();
    turn.focus({ preventScroll: true });
  };
  const box = el(
    "div",
    { class: "other-model", role: "group", "aria-label": "Another model" },
    el("p", { role: "alert" }, why),
    el(
      "div",
      { class: "editor-acts" },
      go,
      el("button", { type: "button", class: "button button-quiet button-small", onclick: () => void openPicker() }, "Choose another model"),
      el("button", { type: "button", class: "button button-quiet button-small", onclick: close }, "Cancel"),
    ),
  );
  go.addEventListener("click", () => {
    const model = { ...page.model };
    box.remove();
    regenerate(turn, visit, model).catch(fail);
  });
  turn.querySelector(".msg-body").after(box);
  box.scrollIntoView({ block: "nearest" });
  nameOthers();
  focusFirst(go);
}

// Where another model than the answer's own would be asked, the button names it: the one that is chosen now.
function nameOthers() {
  for (const button of document.querySelectorAll("[data-other]")) {
    button.textContent = `${button.dataset.other} ${page.model.label}`;
    button.hidden = button.closest(".msg").dataset.model === page.model.id;
  }
}

export function initRegenerate() {
  for (const name of ["model", "chat", "turns"]) on(name, nameOthers);
  nameOthers();
}
