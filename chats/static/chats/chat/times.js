// Times as the page shows them: in the time zone that was chosen under Settings, else in the browser's.

function zoneOf(name) {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return name;
  } catch {
    // The server knows a zone that this browser does not.
    return undefined;
  }
}

const timeZone = zoneOf(document.documentElement.dataset.zone || undefined);
const TIME = { hour: "2-digit", minute: "2-digit", timeZone };
const clock = new Intl.DateTimeFormat(undefined, TIME);
const long = new Intl.DateTimeFormat(undefined, {
  ...{ year: "numeric", month: "short", day: "numeric" },
  ...TIME,
  timeZoneName: "short",
});
const day = new Intl.DateTimeFormat("en", { year: "numeric", month: "2-digit", day: "2-digit", timeZone });

export const showClock = (date) => clock.format(date);

// With the date, and the name of the time zone.
export const showTime = (date) => long.format(date);

export const isToday = (date) => day.format(date) === day.format(new Date());
