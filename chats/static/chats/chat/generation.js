// Answers: asked for, followed wherever they were asked for, stopped, and put into the list when they are whole.

import { call, chatPath, getText, pagePath, send } from "./api.js";
import { everywhere, here, seeOwn } from "./chat-on-page.js";
import { byId } from "./dom.js";
import { LiveTurn } from "./live-turn.js";
import { alarm, say } from "./live.js";
import { randomId } from "./messages.js";
import { insist, pause } from "./network.js";
import { emit, on, page } from "./state.js";
import * as sse from "./sse.js";
import * as thread from "./thread.js";
import { fail, toast } from "./toasts.js";

let run = null;
// Told to their end. On a full disk the server still holds one as running, until it could store it.
const told = new Set();

export const isRunning = () => run !== null;
export const isTold = (generation) => told.has(generation);

// Asks for an answer in the chat of a visit. Resolves once it has begun, and rejects where it could not. `key` names the
// request: sent again under it, it begins nothing twice.
export async function generate(visit, chat, body, { replaces = null, label = page.model.label, key = randomId(21) } = {}) {
  if (!visit.isHere) return generateUnseen(chat, body, key);
  if (run) throw new Error("Another answer is being written in this chat. Wait for it, or stop it.");
  const mine = open(visit, new LiveTurn(label), { replaces, writes: 2 });
  try {
    const first = await ask(chat, body, key, mine);
    mine.generation = /([0-9a-f]{32})$/.exec(first.headers.get("Location") ?? "")?.[1] ?? null;
    if (!visit.isHere) void first.body.cancel();
    else void follow(mine, first);
    if (mine.stopping.signal.aborted) void stopOne(mine.generation).catch(fail);
  } catch (error) {
    close(mine);
    if (mine.replaced) mine.turn.element.replaceWith(mine.replaced);
    else mine.turn.element.remove();
    throw error;
  }
}

function ask(chat, body, key, mine = null) {
  const path = `${chatPath(chat)}/generate${mine ? "?html=1" : ""}`;
  const post = () => send("POST", path, { body, headers: { "Idempotency-Key": key }, isQuiet: Boolean(mine) });
  return insist(post, { signal: (mine?.stopping ?? new AbortController()).signal, lost: () => mine && lose(mine) });
}

// The page has gone to another chat since it was asked for.
async function generateUnseen(chat, body, key) {
  const { body: stream } = await ask(chat, body, key);
  void stream.cancel();
  emit("list");
}

// Follows an answer that runs already: after a reload, or from another tab.
export function join({ generation, message }) {
  if (run || told.has(generation)) return;
  const mine = open(here(), new LiveTurn("…"), { replaces: message, writes: 1 });
  mine.generation = generation;
  void follow(mine, null);
}

// `writes`: of the chat, from here to the answer's end. Its beginning is one, its end another.
function open(visit, turn, { replaces, writes }) {
  const mine = { visit, turn, writes, generation: null, replaced: null, stopping: new AbortController() };
  run = mine;
  const old = replaces && thread.turnOf(replaces);
  if (old) {
    const isFocused = old.contains(document.activeElement);
    old.replaceWith(turn.element);
    if (isFocused) turn.element.focus({ preventScroll: true });
    mine.replaced = old;
  } else {
    thread.append(turn.element);
    thread.stick();
  }
  show(true);
  return mine;
}

async function follow(mine, first) {
  const { turn, visit, generation } = mine;
  try {
    for await (const { name, data } of sse.follow({ first, generation, visit, lost: () => lose(mine) })) {
      if (name === "start") begin(mine, data);
      else if (name === "delta") turn.add(data);
      else if (name === "rethought") turn.rethink();
      else if (name === "html") turn.addBlock(data);
      else if (name === "error") mine.problem = data.problem;
      else if (name === "done") await finish(mine, data.message.id, data.revision);
      else if (name === "reset") {
        if (data.status === "error") mine.problem = { detail: data.detail };
        await finish(mine, data.message?.id);
      }
    }
  } catch (error) {
    close(mine);
    if (error.name === "AbortError") return;
    fail(error);
    await thread.refresh({ visit }).catch(fail);
  }
}

function begin(mine, data) {
  mine.generation = data.generation;
  mine.turn.begin(data);
  say(`${data.model.label} is answering.`);
  emit("begun", data);
}

function lose(mine) {
  mine.turn.lost();
  alarm("Connection lost. Reconnecting.");
  emit("lost");
}

async function finish(mine, message, revision) {
  const { visit, turn } = mine;
  close(mine);
  told.add(mine.generation);
  try {
    if (revision === null) turn.keep(mine.problem);
    else thread.put(turn.element, message ? await thread.fetchTurn(message, visit) : null);
    // Only what is shown is seen: else the next look at the chat reads it.
    if (revision) seeOwn(visit, revision, mine.writes);
  } catch (error) {
    fail(error);
  }
  if (!visit.isHere) return;
  if (mine.problem) alarm(`The answer was interrupted. ${mine.problem.detail ?? ""}`);
  else say(`Answer ended: ${turn.summary()}.`);
  emit("finished", { message });
}

function close(mine) {
  mine.turn.end();
  if (run === mine) {
    run = null;
    show(false);
  }
}

function show(isOn) {
  byId("stop").hidden = !isOn;
  byId("stop").removeAttribute("aria-busy");
  byId("send").hidden = isOn;
  byId("thread").classList.toggle("is-running", isOn);
}

const stopOne = (generation) => call("POST", `/api/generations/${generation}/stop`, {});

// One that has not begun yet is stopped as soon as it has.
export async function stop() {
  if (!run || run.stopping.signal.aborted) return;
  run.stopping.abort();
  byId("stop").setAttribute("aria-busy", "true");
  if (!run.generation) return;
  const mine = run;
  try {
    await stopOne(mine.generation);
    say("Stopped.");
  } catch (error) {
    mine.stopping = new AbortController();
    byId("stop").removeAttribute("aria-busy");
    fail(error);
  }
}

// Stops what writes in a chat, wherever it was asked for, and waits until it is stored.
export async function settle(chat) {
  let asked = "";
  for (let tries = 0; tries < 100; tries += 1) {
    const state = JSON.parse(await getText(`${pagePath(chat)}/state`, { visit: everywhere }));
    const generation = state.running?.generation;
    if (!generation && run?.visit.chat !== chat) return;
    if (generation && generation !== asked) await stopOne(generation);
    asked = generation ?? asked;
    await pause(100, everywhere.signal);
  }
}

on("unreached", () => run && lose(run));

// The page turns to another chat; the answer goes on without it.
export function leave() {
  if (run) close(run);
}
