// Server-sent events out of a fetch, which unlike EventSource can begin with a POST.

import { send } from "./api.js";
import { pause } from "./network.js";
import { on } from "./state.js";

const LONGEST_WAIT = 8000;
// The server sends a comment every 15 s at least. A connection that is silent for longer is dead, though nobody said so.
const SILENCE = 40_000;
const NEVER = new AbortController().signal;
// What was open while the server could not be reached is not trusted: nobody may have told that it is dead.
const open = new Set();

on("reached", () => {
  for (const stop of [...open]) stop();
});

// Yields {id, name, data}, until the stream ends or the signal stops it. A line can end anywhere in a packet.
export async function* parse(body, signal = NEVER) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  const stop = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", stop);
  open.add(stop);
  let text = "";
  let silence = 0;
  try {
    for (;;) {
      silence = setTimeout(stop, SILENCE);
      const { done, value } = await reader.read();
      clearTimeout(silence);
      signal.throwIfAborted();
      if (done) return;
      text += value;
      let end;
      while ((end = text.indexOf("\n\n")) >= 0) {
        const event = read(text.slice(0, end));
        text = text.slice(end + 2);
        signal.throwIfAborted();
        if (event) yield event;
      }
    }
  } finally {
    clearTimeout(silence);
    open.delete(stop);
    signal.removeEventListener("abort", stop);
    stop();
  }
}

function read(frame) {
  const event = { id: 0, name: "message", data: "" };
  for (const line of frame.split("\n")) {
    const colon = line.indexOf(":");
    if (colon < 1) continue;
    const value = line.slice(colon + 1).replace(/^ /, "");
    if (line.startsWith("id:")) event.id = Number(value);
    else if (line.startsWith("event:")) event.name = value;
    else if (line.startsWith("data:")) event.data += value;
  }
  if (!event.data) return null;
  event.data = JSON.parse(event.data);
  return event;
}

// Yields a generation's events to its end, as long as the visit lasts; where the connection breaks, it goes on behind
// the last event.
export async function* follow({ first = null, generation, visit, lost }) {
  let response = first;
  let last = 0;
  let wait = 400;
  for (;;) {
    try {
      if (!response) {
        const headers = last ? { "Last-Event-ID": String(last) } : {};
        response = await send("GET", `/api/generations/${generation}/events?html=1`, { headers, visit, isQuiet: true });
      }
      for await (const event of parse(response.body, visit.signal)) {
        wait = 400;
        if (event.name !== "reset") last = Math.max(last, event.id);
        yield event;
        if (event.name === "done" || event.name === "reset") return;
      }
    } catch (error) {
      if (error.name === "AbortError" || (error.status >= 400 && error.status < 500)) throw error;
    }
    response = null;
    lost();
    await pause(wait, visit.signal);
    wait = Math.min(wait * 2, LONGEST_WAIT);
  }
}
