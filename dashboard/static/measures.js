// „Zustellung in Zahlen": how fast the tick comes and how often it was wrong, as measured.

import * as api from "./api.js";
import { byId, h } from "./dom.js";

const NUMBER = new Intl.NumberFormat("de-DE");
const TENTHS = new Intl.NumberFormat("de-DE", { maximumFractionDigits: 1 });
const PERCENT = new Intl.NumberFormat("de-DE", { style: "percent", maximumFractionDigits: 1 });

export class Measures {
  #dialog = byId("measures");
  #days = byId("measures-days");
  #shown = byId("measures-shown");

  constructor({ dialogs }) {
    this.dialogs = dialogs;
    dialogs.install(this.#dialog);
    this.#days.addEventListener("change", () => this.#load());
    for (const button of document.querySelectorAll('[data-opens="measures"]')) {
      button.addEventListener("click", () => this.open());
    }
  }

  open() {
    this.dialogs.open(this.#dialog);
    byId("measures-title").focus();
    this.#load();
  }

  async #load() {
    const days = this.#days.value;
    this.#shown.setAttribute("aria-busy", "true");
    let lines;
    try {
      lines = described(await api.measures(days));
    } catch {
      lines = [h("p", {}, "Die Zahlen sind gerade nicht abrufbar. Bitte versuchen Sie es später noch einmal.")];
    }
    if (days !== this.#days.value) return;
    this.#shown.replaceChildren(...lines);
    this.#shown.setAttribute("aria-busy", "false");
  }
}

function described({ ticks, proven_wrong: wrong, share_proven_wrong: share, ...times }) {
  if (!ticks) return [h("p", {}, "In diesem Zeitraum wurde keine Einladung zugestellt.")];
  const half = duration(times.request_to_tick_ms_p50);
  const most = duration(times.request_to_tick_ms_p95);
  return [
    h(
      "dl",
      { class: "figures" },
      ...figure("Grüne Haken", NUMBER.format(ticks), "E-Mail und SMS einzeln gezählt"),
      ...figure("Zeit vom Einladen bis zum Haken", half, "oder weniger bei der Hälfte"),
      ...figure("", most, "oder weniger bei 95 von 100"),
      ...figure("Haken, die sich später als falsch erwiesen", wrong ? `${NUMBER.format(wrong)} (${PERCENT.format(share)})` : "keiner",
        wrong ? "Die Nachricht kam doch noch zurück." : ""),
    ),
  ];
}

function figure(name, value, meaning) {
  const said = h("dd", {}, h("strong", {}, value), " ", h("span", { class: "muted" }, meaning));
  return name ? [h("dt", {}, name), said] : [said];
}

/** „0,8 Sekunden", „3 Minuten", „2,5 Stunden" */
function duration(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 0.05) return "weniger als 0,1 Sekunden";
  const [value, one, many] =
    seconds < 100
      ? [seconds, "Sekunde", "Sekunden"]
      : seconds < 6000
        ? [seconds / 60, "Minute", "Minuten"]
        : [seconds / 3600, "Stunde", "Stunden"];
  const shown = TENTHS.format(value);
  return `${shown} ${shown === "1" ? one : many}`;
}
