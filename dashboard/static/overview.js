// The Terminübersicht: the appointments of a day or a week, each with its indicator at the right.

import { addDays, dayIn, isDay, longDay, longWeek, time, today, weekOf } from "./dates.js";
import { DAY, WEEK } from "./desk.js";
import { byId, h, setText } from "./dom.js";
import { MarkFilter } from "./mark_filter.js";
import { appointmentRow, fillRow } from "./rows.js";
import { appointmentCount } from "./words.js";

const MINUTE = 60_000;
const MARKED = 4000; // milliseconds for which a new row stands out
const DAYS = 7; // of a week
const FIRST = "2000-01-01"; // while a year is typed, „2026" begins as the years 2, 20 and 202
const STEPS = { [DAY]: ["Vorheriger Tag", "Nächster Tag"], [WEEK]: ["Vorherige Woche", "Nächste Woche"] };

export class Overview {
  #list = byId("rows");
  #input = byId("day-input");
  #items = new Map(); // id, or day of a week -> <li>
  #counting = false;
  #shown = ""; // the days that were shown last
  #wanted = ""; // id of the row to be marked once it is there
  #typed = false; // a day, since the focus came into its field
  #today; // as it was when the day was shown last

  /** `onOpen(id)`, `onShow(date, span, {instead})`; `isBusy()`: in the middle of something else */
  constructor({ desk, onOpen, onShow, isBusy }) {
    this.desk = desk;
    this.onOpen = onOpen;
    this.onShow = onShow;
    this.isBusy = isBusy;
    this.#today = today(desk.practice.time_zone);
    const step = (count) => () => onShow(addDays(desk.date, desk.span === WEEK ? count * DAYS : count), desk.span);
    byId("day-before").addEventListener("click", step(-1));
    byId("day-after").addEventListener("click", step(1));
    byId("day-today").addEventListener("click", () => onShow(today(desk.practice.time_zone), desk.span));
    for (const span of [DAY, WEEK]) byId(`span-${span}`).addEventListener("click", () => onShow(desk.date, span));
    this.#input.addEventListener("change", () => {
      if (!isDay(this.#input.value) || this.#input.value < FIRST) return;
      onShow(this.#input.value, desk.span, { instead: this.#typed });
      this.#typed = true;
    });
    this.#input.addEventListener("blur", () => {
      this.#typed = false;
    });
    this.filter = new MarkFilter({ desk, onChange: () => this.#render() });
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
    this.filter.showAll();
    this.#wanted = id;
    this.#markWanted();
  }

  #render() {
    this.#followMidnight();
    const { desk } = this;
    const { date, span } = desk;
    const now = today(desk.practice.time_zone);
    if (desk.days.join() !== this.#shown) this.filter.startOver();
    this.#shown = desk.days.join();
    setText(byId("day-title"), span === WEEK ? longWeek(date) : longDay(date));
    if (document.activeElement !== this.#input) this.#input.value = date;
    byId("day-today").disabled = this.#shows(now);
    for (const one of [DAY, WEEK]) byId(`span-${one}`).setAttribute("aria-pressed", String(one === span));
    ["day-before", "day-after"].forEach((id, at) => byId(id).setAttribute("aria-label", STEPS[span][at]));
    const loaded = desk.isLoaded;
    byId("day-fault").textContent = this.#trouble(loaded);
    this.#list.setAttribute("aria-busy", String(!loaded && !desk.fault));
    this.#renderRows(loaded);
    this.#renderEmpty(loaded);
    this.#summarise(loaded);
    this.#markWanted();
  }

  /** Whoever was shown today is shown the new day, once they are at nothing else. */
  #followMidnight() {
    const now = today(this.desk.practice.time_zone);
    if (now === this.#today) return;
    const follows = this.#shows(this.#today);
    if (follows && this.isBusy()) return; // the next time that the day is loaded
    this.#today = now;
    if (!follows) return;
    this.#input.value = now; // also where it has had the focus since yesterday
    this.onShow(now, this.desk.span, { instead: true });
  }

  #shows(day) {
    const { date, span } = this.desk;
    return span === WEEK ? weekOf(date)[0] === weekOf(day)[0] : date === day;
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
  #renderRows(loaded) {
    const keys = loaded && this.desk.span === WEEK ? this.#byDay() : this.desk.rows;
    const stays = new Set(keys);
    for (const [key, item] of this.#items) {
      if (stays.has(key)) continue;
      item.remove();
      this.#items.delete(key);
    }
    keys.forEach((key, at) => {
      if (!this.#items.has(key)) this.#items.set(key, isDay(key) ? dayHead(key) : appointmentRow(key));
      const item = this.#items.get(key);
      if (this.#list.children[at] !== item) this.#list.insertBefore(item, this.#list.children[at] ?? null);
      if (isDay(key)) this.#fillHead(item, key);
      else this.#fill(item, key);
    });
  }

  /** Each day of the week, and behind it the ids of its appointments. */
  #byDay() {
    const { desk } = this;
    const [monday] = desk.days;
    return Array.from({ length: DAYS }, (_, count) => addDays(monday, count))
      .flatMap((day) => [day, ...desk.rows.filter((id) => desk.appointment(id)?.date === day)]);
  }

  #fillHead(item, day) {
    const ids = this.desk.rows.filter((id) => this.desk.appointment(id)?.date === day);
    setText(item.querySelector(".muted"), this.#counted(ids) || "keine Termine");
  }

  /** „7 Termine, 5 davon ausgeblendet"; "" for none. */
  #counted(ids) {
    if (!ids.length) return "";
    const hidden = ids.filter((id) => !this.filter.shows(id)).length;
    return appointmentCount(ids.length) + (hidden ? `, ${hidden} davon ausgeblendet` : "");
  }

  #fill(item, id) {
    fillRow(item, this.desk, id);
    item.hidden = !this.filter.shows(id);
  }

  #renderEmpty(loaded) {
    const { desk } = this;
    const none = desk.rows.length === 0;
    const hidden = !none && desk.rows.every((id) => !this.filter.shows(id));
    byId("day-empty").hidden = !loaded || !(none || hidden);
    setText(byId("day-empty-text"), hidden ? "Keine Termine mit diesem Zeichen." : desk.span === WEEK ? "Keine Termine in dieser Woche." : "Keine Termine an diesem Tag.");
    const way = byId("day-next-start");
    way.hidden = !none || !desk.nextStart;
    if (way.hidden) return;
    const { time_zone: zone } = desk.practice;
    const day = dayIn(desk.nextStart, zone);
    way.href = `#/termine/${day}`;
    setText(way, `Nächster Termin: ${longDay(day)}, ${time(desk.nextStart, zone)} Uhr`);
  }

  #refresh(id) {
    const item = this.#items.get(id);
    if (!item) return;
    this.#fill(item, id);
    if (this.#counting) return; // with the others of this moment
    this.#counting = true;
    queueMicrotask(() => {
      this.#counting = false;
      for (const [key, head] of this.#items) if (isDay(key)) this.#fillHead(head, key);
      this.#renderEmpty(this.desk.isLoaded);
      this.#summarise(this.desk.isLoaded);
    });
  }

  #summarise(loaded) {
    const { rows } = this.desk;
    this.filter.render(loaded ? rows : []);
    setText(byId("day-summary"), loaded ? this.#counted(rows) : "");
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

function dayHead(day) {
  return h(
    "li",
    { class: "day-head", "data-testid": "day-head", "data-day": day },
    h("h3", {}, h("a", { href: `#/termine/${day}` }, longDay(day))),
    h("span", { class: "muted" }),
  );
}
