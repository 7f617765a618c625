// The Terminübersicht's day, or week, on paper: in words alone, made when it is printed.

import { longDay, longWeek, moment } from "./dates.js";
import { WEEK } from "./desk.js";
import { byId, h } from "./dom.js";
import { appointmentCount, CHANNELS, notes, shownState, STATES, stateText } from "./words.js";

const URGENT = ["failed", "unconfirmed"];

export class DaySheet {
  #sheet = byId("day-sheet");

  constructor({ desk, openList }) {
    this.desk = desk;
    this.openList = openList;
    // Also when it is the browser's menu that prints.
    window.addEventListener("beforeprint", () => this.#fill());
    byId("day-print").addEventListener("click", () => window.print());
  }

  #fill() {
    const { desk } = this;
    const { practice } = desk;
    const printed = `Gedruckt am ${moment(new Date().toISOString(), practice.time_zone)} Uhr`;
    const day = desk.span === WEEK ? longWeek(desk.date) : longDay(desk.date);
    const loaded = desk.isLoaded;
    this.#sheet.replaceChildren(
      h("h1", {}, day),
      h("p", { class: "day-sheet-practice" }, practice.name),
      h("p", {}, [...this.#count(loaded), printed].join(" · ")),
      ...this.#doubts(loaded).map((text) => h("p", {}, h("strong", {}, text))),
      ...(loaded && desk.rows.length ? [this.#table(`${day} · ${practice.name} · ${printed}`)] : []),
    );
  }

  #count(loaded) {
    const { length } = this.desk.rows;
    if (!loaded) return [];
    return [length ? appointmentCount(length) : "Keine Termine"];
  }

  #doubts(loaded) {
    const { fault, blind } = this.desk;
    if (!loaded) return ["Die Termine waren beim Drucken nicht geladen."];
    return [
      ...(fault ? ["Die Termine konnten nicht neu geladen werden, der Ausdruck kann veraltet sein."] : []),
      ...(blind ? ["Der Stand der Zustellung war nicht abrufbar und kann veraltet sein."] : []),
      ...(blind || this.openList.certain ? [] : ["Der Stand der Zustellung kann veraltet sein."]),
    ];
  }

  /** The foot is on each sheet: they may come apart. */
  #table(foot) {
    const head = ["Uhrzeit", "Name", "Einladung"].map((name) => h("th", { scope: "col" }, name));
    return h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...head)),
      h("tfoot", {}, h("tr", {}, h("td", { colspan: "3" }, foot))),
      h("tbody", {}, ...this.desk.rows.flatMap((id, at) => [...this.#newDay(id, at), this.#row(id)])),
    );
  }

  /** Of a week, the day before the first of its appointments. */
  #newDay(id, at) {
    const { desk } = this;
    const { date } = desk.appointment(id);
    if (desk.span !== WEEK || (at && desk.appointment(desk.rows[at - 1]).date === date)) return [];
    return [h("tr", { class: "day" }, h("th", { scope: "colgroup", colspan: "3" }, longDay(date)))];
  }

  #row(id) {
    const { desk } = this;
    const appointment = desk.appointment(id);
    const indicator = desk.indicator(id);
    const urgent = URGENT.includes(indicator?.overall);
    const told = [
      ...appointment.channels.map((channel) => this.#told(channel, indicator)),
      ...notes(indicator, desk.practice.time_zone).map(({ text }) => text),
    ];
    return h(
      "tr",
      {},
      h("td", {}, h("strong", {}, appointment.time), ` · ${appointment.duration_minutes} Min.`),
      h("td", {}, appointment.patient_name),
      h("td", {}, h(urgent ? "strong" : "span", {}, told.join(" · "))),
    );
  }

  #told(channel, indicator) {
    const view = indicator?.channels[channel] ?? { state: "pending" };
    const state = shownState(view.state);
    let text = stateText(channel, { ...view, state });
    if (!indicator && this.desk.blind) text = "Stand unbekannt";
    else if (state === "delivered") text = STATES.delivered.label; // how it is proven is for the screen
    return `${CHANNELS[channel] ?? channel}:\u00a0${text}`;
  }
}
