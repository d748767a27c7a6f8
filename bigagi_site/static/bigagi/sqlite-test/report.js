// Results as a file, and texts about them.

import { page } from "../../chats/chat/state.js";

export const seconds = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

// Saves a value as a JSON file, with the facts without which a time means nothing.
export function download(name, facts) {
  const environment = {
    ...page.environment,
    ...{ browser: navigator.userAgent, cores: navigator.hardwareConcurrency ?? null, page: location.origin },
    saved_at: new Date().toISOString(),
  };
  const text = JSON.stringify({ environment, ...facts }, null, 2);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = `${name}-${environment.saved_at.replace(/[:.]/g, "-")}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// A trial as it stands in the file.
export function describeTrial({ kind, state, ms, verdicts, exchanges }) {
  return {
    ...{ test: kind.id, title: kind.title, state, ms },
    verdicts: Object.values(verdicts).map(({ id, state: verdict, checks, reason, faults }) => ({
      verdict: id,
      state: verdict,
      checks,
      reason,
      faults,
    })),
    requests: exchanges.map(({ at, method, path, status, ms: took, requestId, sent, text }) => ({
      at,
      method,
      path,
      status,
      ms: took,
      request_id: requestId,
      sent,
      received: text,
    })),
  };
}
