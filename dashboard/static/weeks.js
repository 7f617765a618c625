// „Zustellung in Zahlen": a picture of the weeks, drawn as SVG, and the same as a table.

import { addDays, dayAndMonth } from "./dates.js";
import { h, svg } from "./dom.js";
import { duration, NUMBER } from "./durations.js";

// From left to right; class names of measures.css.
const FATES = [
  { name: "arrived_at_once", drawn: "at-once", label: "sofort angekommen", short: "sofort" },
  { name: "arrived_corrected", drawn: "corrected", label: "nach Berichtigung angekommen", short: "berichtigt" },
  { name: "failed", drawn: "failed", label: "nicht angekommen", short: "nicht" },
  { name: "open", drawn: "open", label: "offen oder nicht bestätigt", short: "offen" },
];

// In percent of the picture's width, so that letters stay as large as they are.
const BARS = { from: 19, width: 38 };
const TIMES = { from: 80, width: 20 };
const LEAST = 1.5;
// In pixels.
const HEAD = 24;
const ROW = 36;
const BAR = 14;
const LINE = 4;
// From a tenth of a second to a day, in milliseconds; a line grows alike with each tenfold time.
const SHORTEST = 100;
const LONGEST = 86_400_000;

const total = (week) => FATES.reduce((sum, { name }) => sum + week[name], 0);
const number = (week) => `KW ${Number(week.week.slice(-2))}`;
const times = (week) => week.request_to_tick_ms_p50;

/** Elements to show, of weeks as the status service tells them. */
export function described(weeks) {
  const known = weeks.slice(weeks.findIndex(total)).reverse(); // the newest is of most interest
  if (!weeks.some(total)) return [h("p", {}, "In den letzten zwölf Wochen wurde niemand eingeladen.")];
  return [
    legend(),
    picture(known),
    h("p", { class: "muted small" }, "Jede Einladung zählt in der Woche, in der sie zuerst gesendet wurde, so wie sie jetzt steht. „Bis zum Haken“: bei der Hälfte höchstens so lange; der Strich darunter wächst mit jeder Verzehnfachung um dasselbe Stück."),
    table(known),
  ];
}

function legend() {
  const sample = (drawn) => svg("svg", { class: "sample", "aria-hidden": "true" }, bar(drawn, "1", "1", { width: "22", height: BAR }));
  return h("ul", { class: "fates" }, ...FATES.map(({ drawn, label }) => h("li", {}, sample(drawn), label)));
}

function picture(weeks) {
  const most = Math.max(...weeks.map(total));
  return svg(
    "svg",
    { class: "weeks", role: "img", "aria-labelledby": "weeks-title weeks-desc", height: HEAD + weeks.length * ROW, "data-testid": "weeks" },
    svg("title", { id: "weeks-title" }, "Einladungen je Woche"),
    svg("desc", { id: "weeks-desc" }, `${sentence(weeks[0])} Alle Wochen stehen in der Tabelle darunter.`),
    svg("text", { x: 0, y: BAR }, "Woche"),
    svg("text", { x: `${BARS.from}%`, y: BAR }, "Einladungen"),
    svg("text", { x: "100%", y: BAR, class: "end" }, "bis zum Haken"),
    ...weeks.map((week, place) => row(week, HEAD + place * ROW, most)),
  );
}

function row(week, top, most) {
  const middle = top + BAR;
  let from = BARS.from;
  const bars = FATES.filter(({ name }) => week[name]).map(({ name, drawn }) => {
    const width = Math.max(LEAST, (BARS.width * week[name]) / most); // few among many are seen, too
    from += width;
    return bar(drawn, `${from - width}%`, top + 3, { width: `${width}%`, height: BAR });
  });
  const time = times(week);
  return svg(
    "g",
    { "data-week": week.week },
    svg("text", { x: 0, y: middle }, number(week)),
    ...bars,
    svg("text", { x: `${from + 1}%`, y: middle }, NUMBER.format(total(week))),
    ...(time === null ? [] : [
      svg("text", { x: `${TIMES.from}%`, y: middle }, duration(time, "narrow")),
      svg("rect", {
        class: "time", x: `${TIMES.from}%`, y: middle + LINE, height: LINE,
        width: `${Math.max(LEAST, TIMES.width * length(time))}%`,
      }),
    ]),
  );
}

const length = (time) => Math.min(1, Math.log(time / SHORTEST) / Math.log(LONGEST / SHORTEST));

function bar(drawn, x, y, size) {
  return svg("rect", { class: `fate ${drawn}`, fill: `url(#fate-${drawn})`, x, y, ...size });
}

function sentence(week) {
  const counts = FATES.filter(({ name }) => week[name]).map(({ name, label }) => `${NUMBER.format(week[name])} ${label}`);
  const all = total(week);
  const time = times(week);
  return [
    `${number(week)}, ${span(week)}: ${all === 1 ? "1 Einladung" : `${NUMBER.format(all)} Einladungen`}`,
    counts.length ? `, davon ${counts.join(", ")}.` : ".",
    time === null ? "" : ` Zeit bis zum Haken bei der Hälfte höchstens ${duration(time)}.`,
  ].join("");
}

/** „23.11. bis 29.11." */
const span = ({ first_day: monday }) => `${dayAndMonth(monday)} bis ${dayAndMonth(addDays(monday, 6))}`;

function table(weeks) {
  const heads = ["Woche", ...FATES.map(({ short }) => short), "Haken, Hälfte", "Haken, 95 %"];
  const names = ["", ...FATES.map(({ label }) => label), "Haken bei der Hälfte nach höchstens", "Haken bei 95 von 100 nach höchstens"];
  const cells = (week) => [
    ...FATES.map(({ name }) => NUMBER.format(week[name])),
    ...[times(week), week.request_to_tick_ms_p95].map((time) => (time === null ? "–" : duration(time, "narrow"))),
  ];
  return h(
    "details",
    { class: "fold" },
    h("summary", { "data-testid": "weeks-as-table" }, "Dieselben Zahlen als Tabelle"),
    h(
      "table",
      { role: "table", class: "weeks-table", "aria-label": "Einladungen je Woche", "data-testid": "weeks-table" },
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...heads.map((name) => h("th", { scope: "col", role: "columnheader" }, name)))),
      h("tbody", { role: "rowgroup" }, ...weeks.map((week) => h(
        "tr",
        { role: "row" },
        h("th", { scope: "row", role: "rowheader" }, number(week), h("small", { class: "muted" }, span(week))),
        ...cells(week).map((text, place) => h("td", { role: "cell", "data-name": names[place + 1] }, text)),
      ))),
    ),
  );
}
