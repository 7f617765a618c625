// The Terminübersicht: one day's appointments, each with its indicator at the right.

import { addDays, isDay, longDay, today } from "./dates.js";
import { byId, h, icon } from "./dom.js";
import { CHANNELS, notes, shownState, STATES } from "./words.js";

const MINUTE = 60_000;
const MARKED = 4000; // milliseconds for which a new row stands out

export class Overview {
  #list = byId("rows");
  #input = byId("day-input");
  #items = new Map(); // id -> <li>
  #wanted = ""; // id of the row to be marked once it is there

  /** `onOpen(id)`, `onDay(date)` */
  constructor({ desk, onOpen, onDay }) {
    this.desk = desk;
    this.onOpen = onOpen;
    const step = (days) => () => onDay(addDays(desk.date, days));
    byId("day-before").addEventListener("click", step(-1));
    byId("day-after").addEventListener("click", step(1));
    byId("day-today").addEventListener("click", () => onDay(today(desk.practice.time_zone)));
    this.#input.addEventListener("change", () => {
      if (isDay(this.#input.value)) onDay(this.#input.value);
    });
    desk.addEventListener("day", () => this.#render());
    desk.addEventListener("indicator", ({ detail }) => this.#refresh(detail.id));
    desk.addEventListener("appointment", ({ detail }) => this.#refresh(detail.id));
    // What is said of tomorrow is another thing after midnight.
    setInterval(() => {
      for (const note of this.#list.querySelectorAll('[data-note="sms-waits"]')) {
        this.#refresh(note.closest("[data-appointment-id]").dataset.appointmentId);
      }
    }, MINUTE);
    this.#list.addEventListener("click", (event) => {
      const row = event.target.closest("[data-appointment-id]");
      if (row) this.onOpen(row.dataset.appointmentId);
    });
  }

  /** Mark and focus this row as soon as it is there. */
  mark(id) {
    this.#wanted = id;
    this.#markWanted();
  }

  #render() {
    const { desk } = this;
    byId("day-title").textContent = longDay(desk.date);
    if (document.activeElement !== this.#input) this.#input.value = desk.date;
    byId("day-today").disabled = desk.date === today(desk.practice.time_zone);
    const loaded = desk.loaded === desk.date;
    byId("day-fault").textContent = this.#trouble(loaded);
    byId("day-empty").hidden = !loaded || desk.rows.length > 0;
    this.#list.setAttribute("aria-busy", String(!loaded && !desk.fault));
    this.#renderRows();
    this.#summarise(loaded);
    this.#markWanted();
  }

  #trouble(loaded) {
    if (this.desk.fault) {
      return loaded
        ? "Die Termine konnten nicht neu geladen werden – Anzeige kann veraltet sein."
        : "Die Termine konnten nicht geladen werden. Es wird weiter versucht.";
    }
    return this.desk.blind
      ? "Der Stand der Zustellung ist gerade nicht abrufbar – Anzeige kann veraltet sein."
      : "";
  }

  // Rows are kept where they can be, so that focus and a screen reader's place are, too.
  #renderRows() {
    const { rows } = this.desk;
    for (const [id, item] of this.#items) {
      if (!rows.includes(id)) {
        item.remove();
        this.#items.delete(id);
      }
    }
    rows.forEach((id, at) => {
      if (!this.#items.has(id)) this.#items.set(id, row(id));
      const item = this.#items.get(id);
      if (this.#list.children[at] !== item) this.#list.insertBefore(item, this.#list.children[at] ?? null);
      this.#fill(item, id);
    });
  }

  #fill(item, id) {
    const appointment = this.desk.appointment(id);
    if (!appointment) return;
    const indicator = this.desk.indicator(id);
    // Without an indicator that says so nothing is green.
    const state = shownState(indicator?.overall);
    const label = !indicator && this.desk.blind ? "Stand unbekannt" : STATES[state].label;
    setText(item.querySelector(".time"), appointment.time);
    setText(item.querySelector(".minutes"), `${appointment.duration_minutes} Min.`);
    setText(item.querySelector(".name"), appointment.patient_name);
    const channels = item.querySelector(".channels");
    const listed = appointment.channels.join();
    if (channels.dataset.channels !== listed) {
      channels.dataset.channels = listed;
      channels.replaceChildren(
        ...appointment.channels.map((one) => h("span", { class: "channel" }, icon(one), CHANNELS[one] ?? one)),
      );
    }
    fillNotes(item.querySelector(".notes"), notes(indicator, this.desk.practice.time_zone));
    const shown = item.querySelector(".indicator");
    if (shown.dataset.state !== state) {
      shown.dataset.state = state;
      shown.querySelector(".icon").replaceWith(icon(STATES[state].icon));
    }
    setText(shown.querySelector(".label"), label);
  }

  #refresh(id) {
    const item = this.#items.get(id);
    if (!item) return;
    this.#fill(item, id);
    this.#summarise(this.desk.loaded === this.desk.date);
  }

  #summarise(loaded) {
    const { rows } = this.desk;
    const count = (state) => rows.filter((id) => this.desk.indicator(id)?.overall === state).length;
    const parts = [];
    if (loaded && rows.length) {
      parts.push(rows.length === 1 ? "1 Termin" : `${rows.length} Termine`);
      if (count("failed")) parts.push(`${count("failed")} nicht zugestellt`);
      if (count("unconfirmed")) parts.push(`${count("unconfirmed")} bitte anrufen`);
    }
    setText(byId("day-summary"), parts.join(" · "));
  }

  #markWanted() {
    const item = this.#items.get(this.#wanted);
    if (!item) return;
    this.#wanted = "";
    item.classList.add("marked");
    item.querySelector("button").focus();
    item.scrollIntoView({ block: "nearest" });
    setTimeout(() => item.classList.remove("marked"), MARKED);
  }
}

function row(id) {
  return h(
    "li",
    { "data-testid": "appointment-row", "data-appointment-id": id },
    h(
      "button",
      { type: "button", class: "row", "aria-haspopup": "dialog" },
      h("span", { class: "when" }, h("span", { class: "time" }), " ", h("span", { class: "minutes muted" })),
      " ",
      h("span", { class: "who" }, h("span", { class: "name" }), " ", h("span", { class: "channels muted", "data-channels": "" }), " ", h("span", { class: "notes" })),
      " ",
      h("span", { class: "indicator", "data-testid": "indicator", "data-state": "" }, icon("clock"), h("span", { class: "label" })),
    ),
  );
}

function fillNotes(list, found) {
  const said = JSON.stringify(found);
  if ((list.dataset.said ?? "[]") === said) return;
  list.dataset.said = said;
  list.replaceChildren(...found.map(({ about, state, text }) =>
    h("span", { class: "note", "data-note": about, "data-state": state }, text)));
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
