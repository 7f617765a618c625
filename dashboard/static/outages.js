// What is away, in plain German at the top of the page, until it answers again.

import { byId, setText } from "./dom.js";

const AWAY = {
  session: "Die Anmeldung lässt sich gerade nicht prüfen.",
  scheduling: "Termine lassen sich gerade nicht laden oder ändern.",
  status: "Ob Einladungen angekommen sind, lässt sich gerade nicht abrufen.",
};
const ALL_AWAY = "Das System ist gerade nicht verfügbar.";
const BUSY = "Es ist gerade sehr viel los.";
const SAFE = "Was schon erstellt ist, geht nicht verloren. Es wird von selbst weiter versucht.";

const KEPT = 15_000; // milliseconds after which what nobody asked again is not said any more
const AGAIN = 5_000; // milliseconds
export const RETRY = "outage-retry"; // an event of the window: look whether it is over

const away = new Map(); // service -> { until, busy }
let timer = 0;

/** A service of ours answered a request to `path`; `problem` is what it said, if it did. */
export function note(path, status, problem) {
  const service = path.split(/[/?]/)[1];
  if (!(service in AWAY)) return;
  if ([502, 503, 504].includes(status)) {
    away.set(service, { until: Date.now() + KEPT, busy: problem?.code === "too-busy" });
  } else away.delete(service);
  show();
}

function sentence() {
  if (!away.size) return "";
  if ([...away.values()].every(({ busy }) => busy)) return `${BUSY} ${SAFE}`;
  if (away.has("scheduling") && away.size > 1) return `${ALL_AWAY} ${SAFE}`;
  return [...[...away.keys()].map((service) => AWAY[service]), SAFE].join(" ");
}

function show() {
  for (const [service, { until }] of away) if (until < Date.now()) away.delete(service);
  const text = sentence();
  setText(byId("outage"), text);
  if (!away.size) {
    clearInterval(timer);
    timer = 0;
  } else if (!timer) {
    timer = setInterval(() => {
      window.dispatchEvent(new Event(RETRY));
      show();
    }, AGAIN);
  }
}
