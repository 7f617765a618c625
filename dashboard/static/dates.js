// Days are "YYYY-MM-DD" in the practice's zone; moments are ISO 8601 in UTC.

const DAY = 24 * 60 * 60 * 1000;
const LONG = new Intl.DateTimeFormat("de-DE", {
  weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC",
});
const WEEK = new Intl.DateTimeFormat("de-DE", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
const SHORT = new Intl.DateTimeFormat("de-DE", {
  weekday: "short", day: "2-digit", month: "2-digit", year: "numeric", timeZone: "UTC",
});

export function isDay(text) {
  return /^\d{4}-\d{2}-\d{2}$/.test(text ?? "") && !Number.isNaN(Date.parse(text));
}

export function today(zone) {
  return dayIn(Date.now(), zone);
}

export function addDays(day, count) {
  return new Date(Date.parse(day) + count * DAY).toISOString().slice(0, 10);
}

/** „Dienstag, 1. Dezember 2026" */
export function longDay(day) {
  return LONG.format(new Date(day));
}

/** Monday and Sunday of this day's week. */
export function weekOf(day) {
  const sinceMonday = (new Date(day).getUTCDay() + 6) % 7;
  const monday = addDays(day, -sinceMonday);
  return [monday, addDays(monday, 6)];
}

/** „30. November – 6. Dezember 2026" */
export function longWeek(day) {
  const [monday, sunday] = weekOf(day);
  return WEEK.formatRange(new Date(monday), new Date(sunday));
}

/** The day of this moment on the practice's calendar */
export function dayIn(iso, zone) {
  return new Intl.DateTimeFormat("sv-SE", { timeZone: zone }).format(new Date(iso));
}

/** „Di., 01.12.2026" */
export function shortDate(day) {
  return SHORT.format(new Date(day));
}

/** „01.12." */
export function dayAndMonth(day) {
  return `${day.slice(8)}.${day.slice(5, 7)}.`;
}

/** „01.12.2026, 14:30:05" on the practice's clock */
export function moment(iso, zone) {
  return new Intl.DateTimeFormat("de-DE", {
    dateStyle: "medium", timeStyle: "medium", timeZone: zone,
  }).format(new Date(iso));
}

/** „01.12.2026" */
export function numericDay(day) {
  return new Intl.DateTimeFormat("de-DE", { dateStyle: "medium", timeZone: "UTC" }).format(new Date(day));
}

const clock = (zone) => new Intl.DateTimeFormat("de-DE", { timeStyle: "short", timeZone: zone });
const shortDay = (zone) => new Intl.DateTimeFormat("de-DE", { weekday: "short", day: "2-digit", month: "2-digit", timeZone: zone });

/** „14:30" on the practice's clock */
export function time(iso, zone) {
  return clock(zone).format(new Date(iso));
}

/** „heute um 8:00 Uhr", „morgen …" or „am Mo., 30.11. …" on the practice's clock */
export function soon(iso, zone) {
  const now = today(zone);
  const named = { [now]: "heute", [addDays(now, 1)]: "morgen" }[dayIn(iso, zone)] ?? `am ${dayOf(iso, zone)}`;
  return `${named} um ${time(iso, zone).replace(/^0/, "")} Uhr`;
}

/** „Di., 01.12." on the practice's calendar */
export function dayOf(iso, zone) {
  return shortDay(zone).format(new Date(iso));
}
