// Answers: asked for, followed wherever they were asked for, stopped, and put into the list when they are whole.

import { call, chatPath, seeOwn, send } from "./api.js";
import { byId } from "./dom.js";
import { LiveTurn } from "./live-turn.js";
import { alarm, say } from "./live.js";
import { emit, page } from "./state.js";
import * as sse from "./sse.js";
import * as thread from "./thread.js";
import { fail, toast } from "./toasts.js";

let run = null;
// Told to their end. On a full disk the server still holds one as running, until it could store it.
const told = new Set();

export const isRunning = () => run !== null;
export const isTold = (generation) => told.has(generation);

// Asks for an answer in a chat. Resolves once it has begun (true), or could not begin (false).
export async function generate(chat, body, { replaces = null } = {}) {
  if (page.chat?.id !== chat) return generateUnseen(chat, body);
  if (run) return false;
  const mine = open(new LiveTurn(page.model.label), { replaces, writes: 2 });
  try {
    const first = await send("POST", `${chatPath(chat)}/generate?html=1`, { body });
    mine.hasBegun = true;
    mine.generation = /([0-9a-f]{32})$/.exec(first.headers.get("Location") ?? "")?.[1] ?? null;
    if (mine.isLeft) void first.body.cancel();
    else void follow(mine, { first, generation: mine.generation });
    return true;
  } catch (error) {
    close(mine);
    if (mine.replaced) mine.turn.element.replaceWith(mine.replaced);
    else mine.turn.element.remove();
    fail(error);
    return false;
  }
}

// The page has gone to another chat since it was asked for.
async function generateUnseen(chat, body) {
  try {
    const { body: stream } = await send("POST", `${chatPath(chat)}/generate`, { body });
    void stream.cancel();
    emit("list");
    return true;
  } catch (error) {
    fail(error);
    return false;
  }
}

// Follows an answer that runs already: after a reload, or from another tab.
export function join({ generation, message }) {
  if (run || told.has(generation)) return;
  const mine = open(new LiveTurn("…"), { replaces: message, writes: 1 });
  mine.generation = generation;
  mine.hasBegun = true;
  void follow(mine, { generation });
}

// `writes`: of the chat, from here to the answer's end. Its beginning is one, its end another.
function open(turn, { replaces, writes }) {
  const abort = new AbortController();
  const state = { generation: null, replaced: null, hasBegun: false, isLeft: false };
  const mine = { turn, writes, abort, chat: page.chat.id, ...state };
  run = mine;
  const old = replaces && thread.turnOf(replaces);
  if (old) {
    old.replaceWith(turn.element);
    mine.replaced = old;
  } else {
    thread.append(turn.element);
    thread.stick();
  }
  show(true);
  return mine;
}

async function follow(mine, source) {
  const { turn } = mine;
  try {
    for await (const { name, data } of sse.follow({ ...source, signal: mine.abort.signal, lost: () => lose(mine) })) {
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
    toast(error.message, { kind: "bad" });
    await thread.refresh().catch(fail);
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
  if (!mine.isLost) alarm("Connection lost. Reconnecting.");
  mine.isLost = true;
  emit("lost");
}

async function finish(mine, message, revision) {
  close(mine);
  told.add(mine.generation);
  if (page.chat?.id !== mine.chat) return;
  if (revision) seeOwn(revision, mine.writes);
  try {
    if (revision === null) mine.turn.keep(mine.problem);
    else thread.put(mine.turn.element, message ? await thread.fetchTurn(message) : null);
  } catch (error) {
    fail(error);
  }
  if (mine.problem) alarm(`The answer was interrupted. ${mine.problem.detail ?? ""}`);
  else say(`Answer ended: ${mine.turn.summary()}.`);
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
  byId("send").hidden = isOn;
  byId("thread").classList.toggle("is-running", isOn);
}

export async function stop() {
  if (!run?.generation) return;
  try {
    await call("POST", `/api/generations/${run.generation}/stop`, {});
    say("Stopped.");
  } catch (error) {
    fail(error);
  }
}

// Stops, and waits until the answer is stored.
export async function settle() {
  if (!run) return;
  await stop();
  for (let tries = 0; run && tries < 100; tries += 1) await new Promise((resolve) => setTimeout(resolve, 100));
}

// The page turns to another chat; the answer goes on without it.
export function leave() {
  if (!run) return;
  run.isLeft = true;
  // A question on its way must arrive: nobody could tell whether one that was aborted did.
  if (run.hasBegun) run.abort.abort();
  close(run);
}
