// Chats in IndexedDB, as big-AGI's zustand `persist` over idb-keyval keeps them: one JSON text under one key.

const NAME = "bigagi-benchmark";
const STORE = "keyval";
const BLOCKED = 10_000;
const KEY = "app-chats";

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const completed = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = transaction.onerror = () =>
      reject(transaction.error ?? new Error("The browser aborted the transaction."));
  });

export function drop() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(NAME);
    request.onsuccess = resolve;
    request.onerror = () => reject(request.error);
    // A connection that is closed goes when its last transaction has; another tab's does not.
    request.onblocked = () =>
      setTimeout(() => reject(new Error("The benchmark database is open in another tab. Close that tab.")), BLOCKED);
  });
}

export async function open() {
  await drop();
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return done(request);
}

// Writes the whole state; it is stored when the transaction is complete.
export async function save(database, state) {
  const transaction = database.transaction(STORE, "readwrite");
  const isComplete = completed(transaction);
  transaction.objectStore(STORE).put(JSON.stringify({ state, version: 4 }), KEY);
  await isComplete;
}

export async function load(database) {
  const text = await done(database.transaction(STORE).objectStore(STORE).get(KEY));
  return JSON.parse(text).state;
}
