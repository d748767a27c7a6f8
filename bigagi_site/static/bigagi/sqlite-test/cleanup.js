// What tests make is found by its mark and deleted for good, also where a tab was closed in the middle of a run.

import { page } from "../../chats/chat/state.js";
import { exchange, listAll, query } from "./http.js";

const PATHS = {
  store: (id) => `/api/stores/${encodeURIComponent(id)}?purge=true`,
  chat: (id) => `/api/chats/${encodeURIComponent(id)}?purge=true`,
  service: (id) => `/api/services/${encodeURIComponent(id)}?purge=true`,
  folder: (id) => `/api/folders/${encodeURIComponent(id)}?purge=true`,
  workspace: (id) => `/api/workspace/${encodeURIComponent(id)}?purge=true`,
  file: (id) => `/api/files/${encodeURIComponent(id)}?purge=true`,
};
const LOCK = "bigagi-sqlite-test";
const isMarked = (id) => id.startsWith(page.prefix);

// All records that a test made and did not delete: [{kind, id}].
export async function findLeftovers(signal) {
  const [stores, chats, services, folders, workspaces, files] = await Promise.all([
    listAll("/api/stores?page_size=200", { signal }),
    // By the title, which has the mark too: there can be many thousands of others.
    listAll(`/api/chats?title=${page.prefix}&page_size=200`, { signal }),
    ...["services", "folders", "workspace", "files"].map((name) => listAll(`/api/${name}?page_size=200`, { signal })),
  ]);
  return [
    ...chats.map(({ id }) => ({ kind: "chat", id })),
    ...stores.map(({ name }) => ({ kind: "store", id: name })),
    ...services.map(({ id }) => ({ kind: "service", id })),
    ...folders.map(({ id }) => ({ kind: "folder", id })),
    ...workspaces.map(({ id }) => ({ kind: "workspace", id })),
    ...files.map(({ id }) => ({ kind: "file", id })),
  ].filter(({ id }) => isMarked(id));
}

// Deletes the records for good. Returns those that could not be deleted, with the reason.
export async function remove(records, told = () => {}) {
  const failed = [];
  for (const [at, record] of records.entries()) {
    try {
      const answer = await removeOne(record);
      if (answer.status !== 204 && answer.status !== 404)
        failed.push({ ...record, why: answer.json?.detail ?? `status ${answer.status}` });
    } catch (error) {
      failed.push({ ...record, why: error.message });
    }
    told(at + 1);
  }
  return failed;
}

const TRIES = 20;
const PAUSE = 250;

async function removeOne({ kind, id }) {
  for (let left = TRIES; ; left -= 1) {
    const answer = await exchange("DELETE", PATHS[kind](id), { role: "clean" });
    if (!left || kind !== "chat" || answer.status !== 409) return answer;
    // An answer is written there, which goes on without its reader.
    const generation = /[0-9a-f]{32}/.exec(answer.json?.detail)?.[0];
    if (generation) await exchange("POST", `/api/generations/${generation}/stop`, { role: "clean" });
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

const RANGE = [page.prefix, `${page.prefix.slice(0, -1)}.`];
const COUNTS = `SELECT
  (SELECT count(*) FROM stores_store WHERE name >= ?1 AND name < ?2)
  + (SELECT count(*) FROM chats_conversation WHERE uid >= ?1 AND uid < ?2)
  + (SELECT count(*) FROM llms_service WHERE uid >= ?1 AND uid < ?2)
  + (SELECT count(*) FROM llms_model WHERE uid >= ?1 AND uid < ?2)
  + (SELECT count(*) FROM chats_folder WHERE uid >= ?1 AND uid < ?2)
  + (SELECT count(*) FROM workspace_workspace WHERE uid >= ?1 AND uid < ?2)
  + (SELECT count(*) FROM workspace_livefile WHERE uid >= ?1 AND uid < ?2),
  (SELECT count(*) FROM stores_revision
     WHERE kind IN ('store', 'conversation', 'message', 'service', 'model', 'folder', 'workspace', 'live file') AND uid >= ?1 AND uid < ?2)
  + (SELECT count(*) FROM stores_changedrecord WHERE body IS NOT NULL
     AND kind IN ('store', 'conversation', 'service', 'model', 'folder', 'workspace', 'live file') AND uid >= ?1 AND uid < ?2)`;

// Tells in a sentence whether anything is left, and whether all is well: {isClean, text}.
export async function verify() {
  const left = await findLeftovers();
  if (left.length)
    return {
      isClean: false,
      text: `${left.length} of them are still here: ${left
        .slice(0, 5)
        .map(({ id }) => id)
        .join(", ")}.`,
    };
  if (!page.sql) return { isClean: true, text: "Everything was deleted: the API finds nothing." };
  const { rows } = await query(COUNTS, RANGE);
  const [records, kept] = rows[0];
  if (records || kept) return { isClean: false, text: `SQL still finds ${records} records and ${kept} stored versions of them.` };
  return {
    isClean: true,
    text: "Everything was deleted: the API finds nothing, and SQL counts 0 rows and 0 stored versions.",
  };
}

// Holds the lock of tests over all tabs of this browser while `act` runs; false where another tab has it. Pages that
// are neither on this machine nor under HTTPS have no locks.
export async function alone(act) {
  if (!navigator.locks) {
    await act();
    return true;
  }
  return navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (!lock) return false;
    await act();
    return true;
  });
}

// Whether tests or a benchmark run in a tab of this browser: then what is there is not left over.
export async function isTaken() {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  return held.some(({ name }) => name === LOCK);
}

export const describe = (records) => {
  const counts = Object.entries(Object.groupBy(records, ({ kind }) => kind)).map(
    ([kind, some]) => `${some.length} ${kind}${some.length === 1 ? "" : "s"}`,
  );
  return counts.join(", ") || "nothing";
};
