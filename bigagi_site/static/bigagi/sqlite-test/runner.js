// Runs tests one after the other, and cleans up whatever becomes of them.

import { STORE_KINDS } from "./kinds-stores.js";
import { CHAT_KINDS } from "./kinds-chats.js";
import { MODEL_KINDS } from "./kinds-models.js";
import { RECORD_KINDS } from "./kinds-records.js";
import { alone, describe, findLeftovers, remove, verify } from "./cleanup.js";
import { Trial } from "./trial.js";

const { device, custom, all, preferences, labs } = STORE_KINDS;
const { chats, chatPage } = CHAT_KINDS;
const { models, integration } = MODEL_KINDS;
const { folders, metrics, workspace } = RECORD_KINDS;

export const KINDS = [
  ...[device, custom, chats, folders, models, metrics, workspace],
  ...[all, preferences, labs, integration, chatPage],
];

export const newRun = () => `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 5)}`;

// `told(trial)` is called whenever a trial changed, `note(text, isBad)` with a sentence on the whole. Resolves to
// {trials, isClean, ms, closing}, or to null where another tab runs tests.
export async function run(kinds, { signal, told, note }) {
  let result = null;
  const isMine = await alone(async () => {
    result = await walk(kinds, { signal, told, note });
  });
  return isMine ? result : null;
}

async function walk(kinds, { signal, told, note }) {
  const began = performance.now();
  const trials = [];
  const logs = [];
  const made = [];
  const faults = [];
  try {
    const left = await findLeftovers(signal);
    if (left.length) {
      note(`Left over from an interrupted run: ${describe(left)}. Deleting it first.`);
      faults.push(...(await remove(left)));
    }
    for (const kind of kinds) {
      signal.throwIfAborted();
      const trial = new Trial(kind, newRun(), signal, () => told(trial));
      trials.push(trial);
      told(trial);
      try {
        await trial.walk();
      } finally {
        made.push(...trial.made);
        faults.push(...(await remove(leftOf(trial))));
      }
      // Lines of the log come a second late; the next test need not wait for them.
      logs.push(
        trial.readLog().then(
          () => trial.finish(),
          (error) => stop(trial, error),
        ),
      );
    }
  } catch (error) {
    if (error.name !== "AbortError") faults.push({ id: "the run", why: error.message });
    const last = trials.at(-1);
    if (last && logs.length < trials.length) stop(last, error);
  }
  await Promise.all(logs);
  const closing = await close(made, faults);
  return { trials, ms: performance.now() - began, ...closing };
}

// Records that the test made, and did not delete itself.
function leftOf({ made }) {
  return [...new Map(made.filter(({ isGone }) => !isGone).map((record) => [record.id, record])).values()];
}

function stop(trial, error) {
  trial.stopped = error.name === "AbortError";
  if (!trial.stopped) trial.check("log", "The request log", false, "a response", error.message);
  trial.finish();
}

async function close(made, faults) {
  const what = `Created ${describe(made)}.`;
  if (faults.length)
    return {
      isClean: false,
      closing: `${what} Not deleted: ${faults.map(({ id, why }) => `${id} (${why})`).join("; ")}. The next run tries again.`,
    };
  try {
    const { isClean, text } = await verify();
    return { isClean, closing: `${what} ${text}` };
  } catch (error) {
    return { isClean: false, closing: `${what} Could not check that everything was deleted: ${error.message}` };
  }
}
