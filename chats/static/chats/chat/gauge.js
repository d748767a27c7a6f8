// How much of the model's context will be filled, and what sending costs: in short at the message box, in full in the
// panel of settings.

import * as attachments from "./attachments.js";
import { here } from "./chat-on-page.js";
import { byId, debounce, el } from "./dom.js";
import { models } from "./model-picker.js";
import { sizeOf } from "./model-search.js";
import { forgetPreview, countPreview } from "./preview.js";
import { on, page } from "./state.js";

const LETTERS_A_TOKEN = 3.6;
const IMAGE_TOKENS = 800;
// An estimate of less is but a row of noughts.
const LEAST_DOLLARS = 0.0001;
const dollars = new Intl.NumberFormat("en", { style: "currency", currency: "USD", minimumFractionDigits: 2, maximumSignificantDigits: 2 });
const whole = new Intl.NumberFormat("en");

const tokensOf = (letters) => Math.ceil(letters / LETTERS_A_TOKEN);

// Estimates, in tokens. `before` is what the server counted of the chat; null where it could not.
export function countParts(before, { draft, attached, images }) {
  const system = before?.systemTokens ?? 0;
  return {
    system,
    messages: (before?.tokens ?? 0) - system,
    draft: tokensOf(draft),
    attachments: tokensOf(attached) + images * IMAGE_TOKENS,
    answer: before?.answerTokens ?? 0,
  };
}

function costOf(tokens) {
  // As long as the models are being read, nothing is known.
  if (!models.has(page.model.id)) return "";
  const { input, fee } = models.get(page.model.id);
  if (input === "free") return "free";
  if (typeof input !== "number") return "unpriced";
  const cost = (tokens * input) / 1e6 + (fee ?? 0);
  return cost < LEAST_DOLLARS ? `< $${LEAST_DOLLARS}` : `≈ ${dollars.format(cost)}`;
}

async function count() {
  const visit = here();
  const { model } = page;
  // Of what cannot be sent there is no preview.
  const isRefused = models.get(model.id)?.service.whyNot;
  const before = isRefused ? null : await countPreview().catch(() => null);
  if (!visit.isHere || page.model !== model) return;
  const typed = { draft: byId("message").textLength, attached: attachments.textLength(), images: attachments.images() };
  show(countParts(before, typed), before?.context ?? model.context, before?.leftOut ?? 0);
}

function show(parts, context, leftOut) {
  const sent = parts.system + parts.messages + parts.draft + parts.attachments;
  const filled = sent + parts.answer;
  const percent = context ? Math.round((filled / context) * 100) : 0;
  const isOver = Boolean(context) && (filled > context || leftOut > 0);
  const cost = costOf(sent);
  const share = context ? `${percent}% of ${whole.format(context)} tokens. ` : "";
  const isTooLong = Boolean(context) && filled - parts.messages > context;
  const left = isTooLong ? " This is too long for the model, even without earlier messages." : isOver ? " The oldest messages will be left out." : "";
  const kept = parts.answer ? `, and ${whole.format(parts.answer)} are kept free for the answer` : "";
  const told = `${share}About ${whole.format(sent)} tokens will be sent${kept}.${left}`;

  const box = byId("estimate");
  byId("estimate-tokens").textContent = `≈ ${sizeOf(sent)}`;
  byId("estimate-dot").textContent = cost && " · ";
  byId("estimate-cost").textContent = cost;
  box.classList.toggle("is-over", isOver);
  box.classList.remove("is-counting");
  box.title = `Context: ${told}${cost && ` Cost of the input: ${cost}.`}`;
  byId("estimate-arc").setAttribute("stroke-dasharray", `${percent} 100`);
  byId("estimate-ring").classList.toggle("is-unknown", !context);

  const meter = byId("gauge-meter");
  meter.hidden = !context;
  meter.value = percent;
  meter.classList.toggle("is-over", isOver);
  byId("gauge-text").textContent = context ? told : `${told} The size of this model's context is unknown.`;
  const rows = [
    ["System prompt", parts.system],
    ["Messages", parts.messages, leftOut ? `, ${leftOut} left out` : ""],
    ["What you are writing", parts.draft],
    ["Attachments", parts.attachments],
    ["Kept free for the answer", parts.answer],
  ];
  byId("gauge-parts").replaceChildren(
    ...rows.map(([name, tokens, more = ""]) => el("div", {}, el("dt", {}, name), el("dd", {}, whole.format(tokens) + more))),
  );
}

export const estimate = debounce(200, () => void count());

export function initGauge() {
  byId("message").addEventListener("input", estimate);
  on("prompt", () => {
    forgetPreview();
    estimate();
  });
  for (const name of ["finished", "chat"]) on(name, () => forgetPreview());
  for (const name of ["finished", "chat", "clips", "model", "made", "reached", "settings"]) on(name, estimate);
  estimate();
}
