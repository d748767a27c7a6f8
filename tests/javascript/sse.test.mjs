import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./page.mjs";

const { parse } = await load("chats/chat/sse.js");

const TEXT =
  'id: 1\nevent: start\ndata: {"generation":"g"}\n\n: a comment\n\nid: 2\nevent: delta\ndata: {"text":"Grüße 🐈"}\n\n' +
  'data: {"text":\ndata:"two lines"}\n\nid: 3\nevent: done\ndata: {}\n\n';
const WHOLE = [
  { id: 1, name: "start", data: { generation: "g" } },
  { id: 2, name: "delta", data: { text: "Grüße 🐈" } },
  { id: 0, name: "message", data: { text: "two lines" } },
  { id: 3, name: "done", data: {} },
];

function stream(...packets) {
  return new ReadableStream({
    start(controller) {
      packets.forEach((packet) => controller.enqueue(packet));
      controller.close();
    },
  });
}

async function collect(body) {
  const events = [];
  for await (const event of parse(body)) events.push(event);
  return events;
}

test("events are the same wherever the bytes are cut", async () => {
  const bytes = new TextEncoder().encode(TEXT);
  for (let at = 0; at <= bytes.length; at += 1)
    assert.deepEqual(await collect(stream(bytes.slice(0, at), bytes.slice(at))), WHOLE, `cut at ${at}`);
  assert.deepEqual(await collect(stream(...Array.from(bytes, (byte) => Uint8Array.of(byte)))), WHOLE);
});

test("an event that is not whole is not told", async () => {
  const bytes = new TextEncoder().encode(TEXT.slice(0, -2));
  assert.deepEqual(await collect(stream(bytes)), WHOLE.slice(0, -1));
});
