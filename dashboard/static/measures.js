// „Zustellung in Zahlen": how fast the tick comes and how often it was wrong, as measured.

import * as api from "./api.js";
import { byId, h } from "./dom.js";
import { duration, NUMBER } from "./durations.js";
import * as weeks from "./weeks.js";

const PERCENT = new Intl.NumberFormat("de-DE", { style: "percent", maximumFractionDigits: 1 });

export class Measures {
  #dialog = byId("measures");
  #days = byId("measures-days");
  #shown = byId("measures-shown");
  #weeks = byId("measures-weeks");

  constructor({ desk, dialogs }) {
    this.desk = desk;
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
    this.#loadWeeks();
  }

  async #loadWeeks() {
    this.#weeks.setAttribute("aria-busy", "true");
    let shown;
    try {
      shown = weeks.described((await api.measuredWeeks(this.desk.practice.time_zone)).weeks);
    } catch {
      shown = [h("p", {}, "Die Wochen sind gerade nicht abrufbar. Bitte versuchen Sie es später noch einmal.")];
    }
    this.#weeks.replaceChildren(...shown);
    this.#weeks.setAttribute("aria-busy", "false");
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
