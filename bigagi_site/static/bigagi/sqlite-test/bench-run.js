// The measured work, on either side.

import { exchange } from "./http.js";
import { makeAt, makeChats } from "./bench-data.js";
import * as idb from "./bench-idb.js";

const FAULTS = { QuotaExceededError: "The browser is out of storage. Free some space, or choose a smaller size." };

// Runs `act` once unmeasured, then so many times; returns the times in ms.
async function measure(runs, signal, act, told) {
  const times = [];
  for (let at = 0; at <= runs; at += 1) {
    signal.throwIfAborted();
    const began = performance.now();
    await act(at);
    if (at) times.push(performance.now() - began);
    told((at + 1) / (runs + 1));
  }
  return times;
}

// The page can paint, and the last state be collected, before the next is measured.
const rest = () => new Promise((resolve) => setTimeout(resolve, 50));

export async function measureBrowser(prefix, mb, runs, signal, told) {
  let database = null;
  try {
    told("Fill IndexedDB", 0);
    await rest();
    const state = { conversations: makeChats(prefix, mb) };
    const bytes = JSON.stringify(state).length;
    database = await idb.open();
    await idb.save(database, state);
    const [chat] = state.conversations;
    const save = await measure(
      runs,
      signal,
      async (at) => {
        chat.messages.push(makeAt(99, 1000 + at, chat.created));
        await idb.save(database, state);
      },
      (part) => told("Save in IndexedDB", part),
    );
    state.conversations = [];
    await rest();
    const open = await measure(
      runs,
      signal,
      async () => {
        const { conversations } = await idb.load(database);
        if (conversations[0].id !== chat.id) throw new Error("IndexedDB returned a different state than was written.");
      },
      (part) => told("Start from IndexedDB", part),
    );
    return { save, open, bytes };
  } catch (error) {
    throw error.name in FAULTS ? new Error(FAULTS[error.name]) : error;
  } finally {
    database?.close();
    await idb.drop();
  }
}

export async function measureServer(prefix, mb, runs, signal, made, told) {
  const ask = async (method, path, expected, options) => {
    const answer = await exchange(method, path, { signal, ...options });
    if (answer.status !== expected)
      throw new Error(`${method} ${path} returned ${answer.status}: ${answer.json?.detail ?? ""}`);
    return answer;
  };
  const chats = makeChats(prefix, mb);
  const [chat] = chats;
  for (const [at, body] of chats.entries()) {
    signal.throwIfAborted();
    told("Fill the server", at / chats.length);
    made.push({ kind: "chat", id: body.id });
    await ask("POST", "/api/chats", 201, { body });
  }
  const count = chats.length;
  chats.length = 1;
  await rest();
  const save = await measure(
    runs,
    signal,
    async (at) => {
      const { id, ...body } = makeAt(99, 1000 + at, chat.created);
      await ask("POST", `/api/chats/${chat.id}/messages`, 201, { body });
    },
    (part) => told("Save through the API", part),
  );
  const open = await measure(
    runs,
    signal,
    async () => {
      const [, read] = await Promise.all([
        ask("GET", "/api/chats?page_size=50", 200),
        ask("GET", `/api/chats/${chat.id}`, 200),
      ]);
      if (read.json.id !== chat.id) throw new Error("The server returned a different chat than requested.");
    },
    (part) => told("Open through the API", part),
  );
  return { save, open, count };
}
