// What is looked at in each test, and how. Pure.

export const VERDICTS = [
  {
    id: "status",
    label: "Status code",
    mend: "Open the request below: its detail says what is wrong, and its type links to Troubleshooting.",
  },
  {
    id: "data",
    label: "Data equal",
    mend: "Something between this browser and the database changes what is written. Compare the record in the Tables tab with the request below.",
  },
  {
    id: "sql",
    label: "Row found by SQL",
    mend: "The API returned data that the database does not have in this form. Look for the row in the Tables tab.",
  },
  {
    id: "error",
    label: "Error format",
    mend: "Errors under /api/ must be problems as in RFC 9457. A proxy in between may replace them with its own page.",
  },
  {
    id: "time",
    label: "Time",
    mend: "Is the machine busy, or is an import running? Run the test again when it is idle; the request log in the admin shows slow requests.",
  },
  {
    id: "log",
    label: "Log line",
    mend: "The log is off if BIGAGI_REQUEST_LOG_ROWS=0. A proxy in between may remove the header X-Request-ID.",
  },
  { id: "ai", label: "AI flow", mend: "See which step failed in the answer below. Demo needs no key and no network." },
];

export const show = (value) => {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
};

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const escape = (key) => String(key).replaceAll("~", "~0").replaceAll("/", "~1");

// The first place where two JSON values differ: {pointer, expected, actual}; null where they are equal.
export function difference(expected, actual, pointer = "") {
  const here = { pointer: pointer || "/", expected, actual };
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return here;
    if (expected.length !== actual.length)
      return { ...here, expected: `${expected.length} members`, actual: `${actual.length} members` };
    return first(expected.keys(), (at) => difference(expected[at], actual[at], `${pointer}/${at}`));
  }
  if (isObject(expected)) {
    if (!isObject(actual)) return here;
    const keys = new Set([...Object.keys(expected), ...Object.keys(actual)]);
    return first(keys, (key) => {
      const at = `${pointer}/${escape(key)}`;
      if (!Object.hasOwn(expected, key)) return { pointer: at, expected: undefined, actual: actual[key] };
      if (!Object.hasOwn(actual, key)) return { pointer: at, expected: expected[key], actual: undefined };
      return difference(expected[key], actual[key], at);
    });
  }
  return expected === actual ? null : here;
}

function first(keys, compare) {
  for (const key of keys) {
    const found = compare(key);
    if (found) return found;
  }
  return null;
}

// A record without our facts beside it.
export function plain(record) {
  if (!isObject(record)) return record;
  const { _server, ...rest } = record;
  return rest;
}

// What is wrong with an answer that should be a problem: [{about, expected, actual}].
export function problemFaults(answer, { status, kind, pointer }) {
  const problem = isObject(answer.json) ? answer.json : {};
  const found = [];
  const want = (about, isRight, expected, actual) => isRight || found.push({ about, expected, actual });
  want("Content-Type", answer.type.startsWith("application/problem+json"), "application/problem+json", answer.type);
  want("type", String(problem.type).endsWith(`#${kind}`), `…#${kind}`, problem.type);
  for (const name of ["title", "detail"])
    want(name, Boolean(problem[name]) && typeof problem[name] === "string", "a text", problem[name]);
  want("status", problem.status === status, status, problem.status);
  want("instance", problem.instance === answer.path.split("?")[0], answer.path.split("?")[0], problem.instance);
  want(
    "request_id",
    Boolean(problem.request_id) && problem.request_id === answer.requestId,
    answer.requestId || "the header X-Request-ID",
    problem.request_id,
  );
  want(
    "errors",
    Array.isArray(problem.errors) && problem.errors.every((each) => each.pointer && each.detail && each.code),
    "a list of {pointer, detail, code}",
    problem.errors,
  );
  if (pointer)
    want(
      "errors",
      problem.errors?.some((each) => each.pointer === pointer),
      `an error at ${pointer}`,
      problem.errors,
    );
  return found;
}
