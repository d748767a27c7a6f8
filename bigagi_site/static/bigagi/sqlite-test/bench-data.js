// Made-up chats of a size. Pure.

import { makeMessage } from "./kinds-chats.js";

export const MB = 1_000_000;
const TEXT = 2400;
const MEASURED = 20;
// What fills up to the size has few chats of long messages: more would take longer to make than to measure.
const MOST_CHATS = 100;
const LONG_TEXT = 12_000;
const SMALLEST = 50_000;
const WORDS =
  "the of to and store chat message model answer time row index page cache token queue log file key value".split(" ");

// A small generator of numbers: the same seed makes the same texts.
function random(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export function makeText(seed, length = TEXT) {
  const next = random(seed);
  let text = "";
  while (text.length < length) text += `${WORDS[Math.floor(next() * WORDS.length)]}${Math.floor(next() * 900)} `;
  return text.slice(0, length);
}

const roleAt = (at) => (at % 2 ? "assistant" : "user");

export const makeAt = (seed, at, created, length = TEXT) =>
  makeMessage(`bench-${String(at).padStart(5, "0")}`, roleAt(at), makeText(seed * 100_003 + at, length), created + at);

function makeChat(id, seed, messages, length) {
  const created = 1_700_000_000_000 + seed * 1000;
  return {
    ...{ id, userTitle: id, systemPurposeId: "Generic", created, updated: created, tokenCount: 0 },
    messages: Array.from({ length: messages }, (_, at) => makeAt(seed, at, created, length)),
  };
}

// Chats whose JSON has about so many MB; the first is the one that is measured.
export function makeChats(prefix, mb) {
  const chats = [makeChat(`${prefix}-0`, 1, MEASURED, TEXT)];
  const rest = mb * MB - JSON.stringify(chats[0]).length;
  const each = Math.max(SMALLEST, rest / MOST_CHATS);
  const message = JSON.stringify(makeAt(1, 1, 1, LONG_TEXT)).length;
  const count = Math.round(rest / each);
  for (let at = 1; at <= count; at += 1) {
    // As many as bring all chats up to here to their size.
    const before = Math.round(((at - 1) * each) / message);
    chats.push(makeChat(`${prefix}-${at}`, at + 1, Math.round((at * each) / message) - before, LONG_TEXT));
  }
  return chats;
}

export function median(times) {
  const sorted = [...times].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  return sorted.length % 2 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// What 95 of 100 do not exceed (nearest rank).
export const p95 = (times) => [...times].sort((one, other) => one - other)[Math.ceil(times.length * 0.95) - 1];
