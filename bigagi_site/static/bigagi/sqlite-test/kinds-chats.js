// The tests of chats: over the API, and as the chat page goes on with them.

import { page } from "../../chats/chat/state.js";
import { readEvents } from "./http.js";
import { CALL_BUDGET, FAST } from "./kinds-models.js";

const NO_MODEL = "This test needs no model.";
const COUNT = "SELECT count(*) FROM chats_conversation WHERE uid = ?";

export const makeMessage = (id, role, text, at) => ({
  ...{ id, role, tokenCount: 3, created: at, updated: null },
  fragments: [{ ft: "content", fId: `f${id.slice(-7)}`, part: { pt: "text", text } }],
});

const pathOf = (id) => `/api/chats/${id}`;
const textOf = (message) =>
  (message?.fragments ?? []).map(({ part }) => (part?.pt === "text" ? part.text : "")).join("");

async function purge(t, id) {
  await t.call("DELETE", `${pathOf(id)}?purge=true`, { expect: 204 });
  await t.sql("The row is gone", COUNT, [id], [[0]]);
}

const chats = {
  id: "chats",
  title: "Chats",
  about: "A chat with every kind of part, with every method: as a whole, message by message, and by two writers at once.",
  skips: { ai: NO_MODEL },
  async run(t) {
    const id = t.name("chat");
    const now = Date.now();
    const messages = [
      makeMessage("st-system", "system", "You are a test.", now),
      { ...makeMessage("st-asked", "user", "Ωmega, 倉庫, 🐈, \u0000 and \ud800", now + 1), userFlags: ["starred"] },
      makeMessage("st-answer", "assistant", "x".repeat(5000), now + 2),
    ];
    messages[2].fragments.push({ ft: "content", fId: "f-future", part: { pt: "hologram", depth: [1, { two: null }] } });
    const chat = {
      id,
      userTitle: id,
      systemPurposeId: "Generic",
      messages,
      created: now,
      updated: now,
      tokenCount: 9,
      ofTheFuture: { kept: true },
    };
    t.made.push({ kind: "chat", id });
    const made = await t.call("POST", "/api/chats", { body: chat, expect: 201 });
    t.same("The created chat", chat, made.json);
    t.same("The chat when read", chat, (await t.call("GET", pathOf(id))).json);
    await t.sql(
      "The chat and its messages",
      "SELECT c.user_title, count(*) FROM chats_conversation c JOIN chats_message m ON m.conversation_id = c.id WHERE c.uid = ? GROUP BY c.id",
      [id],
      [[id, 3]],
    );
    const headers = { "If-None-Match": made.headers.get("ETag") ?? "" };
    await t.call("GET", pathOf(id), { headers, expect: 304 });
    const patched = await t.call("PATCH", pathOf(id), { body: { userTitle: `${id} renamed`, isArchived: true } });
    t.same(
      "Title and archived flag after PATCH",
      [`${id} renamed`, true],
      [patched.json.userTitle, patched.json.isArchived],
    );
    const more = makeMessage("st-more", "user", "And more?", now + 3);
    const added = await t.call("POST", `${pathOf(id)}/messages`, { body: more, expect: 201 });
    t.same("The added message", more, added.json);
    const edited = { ...more, fragments: makeMessage("st-more", "user", "And less?", now).fragments, updated: now + 4 };
    const put = await t.call("PUT", `${pathOf(id)}/messages/${more.id}`, { body: edited });
    t.same("The edited message", edited, put.json);
    await t.sql(
      "The text of the edited message",
      "SELECT f.text FROM chats_fragment f JOIN chats_message m ON m.id = f.message_id JOIN chats_conversation c ON c.id = m.conversation_id WHERE c.uid = ? AND m.uid = ?",
      [id, more.id],
      [["And less?"]],
    );
    const { json: listed } = await t.call("GET", `${pathOf(id)}/messages?page_size=2&ordering=-position`);
    t.same(
      "The last two messages, newest first",
      [more.id, "st-answer"],
      listed?.results?.map((message) => message.id),
    );
    const stale = { "If-Match": made.headers.get("ETag") ?? "" };
    await t.problem("PUT", pathOf(id), { body: chat, headers: stale, status: 412, kind: "changed-meanwhile" });
    await t.problem("POST", `${pathOf(id)}/messages`, {
      body: { role: 5 },
      status: 400,
      kind: "bad-request",
      pointer: "/role",
    });
    await t.call("DELETE", `${pathOf(id)}/messages/${more.id}`, { expect: 204 });
    const { json: last } = await t.call("GET", pathOf(id));
    t.same("The messages, without the deleted one", messages, last?.messages);
    await purge(t, id);
  },
};

const chatPage = {
  id: "chat-page",
  title: "Chat interface",
  about: "A chat continues as on the chat page: sent, streamed, stored and shown.",
  async run(t) {
    const id = t.name("talk");
    const chat = { id, userTitle: id, systemPurposeId: "Generic", messages: [], created: Date.now(), updated: null };
    t.made.push({ kind: "chat", id });
    t.same("The created chat", chat, (await t.call("POST", "/api/chats", { body: chat, expect: 201 })).json);
    const asked = { message: { text: "What reaches you, Demo? 🐈" }, modelId: FAST };
    const answer = await t.call("POST", `${pathOf(id)}/generate`, { body: asked, budget: CALL_BUDGET });
    const events = readEvents(answer.text);
    const names = new Set(events.map(({ name }) => name));
    t.check(
      "ai",
      "The stream has a start, deltas and an end",
      ["start", "delta", "done"].every((name) => names.has(name)),
      "start, delta, done",
      [...names],
    );
    const streamed = events
      .filter(({ name }) => name === "delta")
      .map(({ data }) => data.text ?? "")
      .join("");
    const { json: stored } = await t.call("GET", pathOf(id));
    t.same("The stored question", asked.message.text, textOf(stored?.messages?.[0]));
    t.same("The stored answer equals the streamed one", streamed, textOf(stored?.messages?.[1]));
    await t.sql(
      "Question and answer",
      "SELECT role FROM chats_message WHERE conversation_id = (SELECT id FROM chats_conversation WHERE uid = ?) ORDER BY position",
      [id],
      [["user"], ["assistant"]],
    );
    await t.sql(
      "The answer's event has the source test",
      "SELECT source FROM metrics_usageevent WHERE conversation = ?",
      [id],
      [["test"]],
    );
    const again = await t.call("POST", `${pathOf(id)}/generate`, {
      body: { ...asked, stream: false },
      budget: CALL_BUDGET,
    });
    t.check(
      "ai",
      "Sent again, without streaming",
      textOf(again.json?.message).includes("3 messages of this chat"),
      "an answer that mentions 3 messages",
      again.json,
    );
    const shown = await t.call("GET", `${page.chatPage}/${id}`, { isLogged: false });
    const isShown = shown.text.includes("What reaches you, Demo?") && shown.text.includes("This is the demo service");
    t.check(
      "data",
      "The chat page shows question and answer",
      isShown,
      "both texts in its HTML",
      isShown ? "" : "a page without them",
    );
    await t.problem("POST", `${pathOf(id)}/generate`, {
      body: { message: { text: "" } },
      status: 400,
      kind: "bad-request",
    });
    await purge(t, id);
  },
};

export const CHAT_KINDS = { chats, chatPage };
