// Server-sent events out of a fetch, which unlike EventSource can begin with a POST.

import { send } from "./api.js";

const LONGEST_WAIT = 8000;

// Yields {id, name, data}. A line can end anywhere in a packet.
export async function* parse(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value;
      let end;
      while ((end = text.indexOf("\n\n")) >= 0) {
        const event = read(text.slice(0, end));
        text = text.slice(end + 2);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
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

const sleep = (time, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, time);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("left", "AbortError"));
    });
  });

// Yields a generation's events to its end; where the connection breaks, it goes on behind the last event.
export async function* follow({ first = null, generation = null, signal, lost }) {
  let response = first;
  let last = 0;
  let wait = 400;
  for (;;) {
    try {
      if (!response) {
        const headers = last ? { "Last-Event-ID": String(last) } : {};
        response = await send("GET", `/api/generations/${generation}/events?html=1`, { headers, signal });
      }
      for await (const event of parse(response.body)) {
        wait = 400;
        if (event.name === "start") generation = event.data.generation;
        if (event.name !== "reset") last = Math.max(last, event.id);
        yield event;
        if (event.name === "done" || event.name === "reset") return;
      }
    } catch (error) {
      if (error.name === "AbortError" || (error.status >= 400 && error.status < 500)) throw error;
    }
    if (signal.aborted) throw new DOMException("left", "AbortError");
    if (!generation) throw new Error("The connection was lost before the answer began. Send the message again.");
    response = null;
    lost();
    await sleep(wait, signal);
    wait = Math.min(wait * 2, LONGEST_WAIT);
  }
}
