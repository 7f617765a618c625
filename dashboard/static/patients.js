// „Patienten": the appointments of a patient, looked for by name over all that is stored.

import * as api from "./api.js";
import { shortDate } from "./dates.js";
import { byId, setText } from "./dom.js";
import { appointmentRow, fillRow } from "./rows.js";
import { appointmentCount } from "./words.js";

const PAGE = 50; // appointments
const MOST_ASKED = 10; // pages for one click: of so many names each that an empty one is not the end

export class Patients {
  #form = byId("find");
  #query = byId("find-query");
  #state = byId("find-state");
  #list = byId("find-rows");
  #more = byId("find-more");
  #items = new Map(); // id -> <li>, in the order of the list
  #looked = ""; // for whom
  #next = null;
  #turn = 0;

  /** `onOpen(id)` */
  constructor({ desk, onOpen }) {
    this.desk = desk;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#find();
    });
    this.#more.addEventListener("click", () => this.#goOn());
    this.#list.addEventListener("click", (event) => {
      const row = event.target.closest("[data-appointment-id]");
      if (row) onOpen(row.dataset.appointmentId);
    });
    for (const type of ["indicator", "appointment"]) {
      desk.addEventListener(type, ({ detail }) => this.#refresh(detail.id));
    }
    desk.addEventListener("day", () => { // also whether states could be asked for
      for (const id of this.#items.keys()) this.#refresh(id);
    });
    desk.addEventListener("deleted", ({ detail }) => this.#drop(detail.id));
  }

  async #find() {
    this.#looked = this.#query.value;
    this.#items.clear();
    this.#list.replaceChildren();
    this.#next = null;
    await this.#load();
  }

  async #goOn() {
    const before = this.#list.children.length;
    await this.#load();
    this.#list.children[before]?.querySelector("button").focus(); // go on reading where it led
  }

  async #load() {
    const turn = ++this.#turn;
    const wanted = this.#items.size + PAGE;
    this.#more.hidden = true;
    this.#say("Wird gesucht …");
    try {
      let pages = 0;
      do {
        const page = await api.search({ query: this.#looked, limit: wanted - this.#items.size, cursor: this.#next });
        if (turn !== this.#turn) return;
        this.#next = page.next;
        this.#show(page.appointments);
        pages += 1;
      } while (this.#next && this.#items.size < wanted && pages < MOST_ASKED);
      this.#say(this.#found());
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#say(error.errors?.[0]?.message ?? "Die Suche ist gerade nicht möglich. Bitte versuchen Sie es gleich noch einmal.", { wrong: true });
    }
    this.#more.hidden = !this.#next;
  }

  #show(appointments) {
    for (const { id } of appointments) {
      if (!this.#items.has(id)) this.#items.set(id, appointmentRow(id, "found-row"));
    }
    this.desk.meet(appointments);
    for (const { id } of appointments) this.#refresh(id);
    this.#list.append(...appointments.map(({ id }) => this.#items.get(id)));
  }

  #refresh(id) {
    const item = this.#items.get(id);
    const appointment = this.desk.appointment(id);
    if (item && appointment) fillRow(item, this.desk, id, shortDate(appointment.date));
  }

  #drop(id) {
    const item = this.#items.get(id);
    if (!item) return;
    item.remove();
    this.#items.delete(id);
    this.#say(this.#found());
  }

  #found() {
    const count = this.#items.size;
    if (count) return `${appointmentCount(count)}${this.#next ? ", weitere vorhanden" : ""}`;
    return this.#next ? "Bisher nichts gefunden." : "Kein Termin gefunden. Gesucht wird nach dem Anfang von Vorname oder Nachname, in allen gespeicherten Terminen.";
  }

  #say(text, { wrong = false } = {}) {
    setText(this.#state, text);
    this.#state.classList.toggle("error", wrong);
    this.#query.setAttribute("aria-invalid", String(wrong));
  }
}
