// What may be wrong with a time, said beside it; it can be meant, so nothing is refused for it.

import * as api from "./api.js";
import { isDay } from "./dates.js";
import { byId } from "./dom.js";

const ASK_AFTER = 300; // milliseconds without a further key
const DAY_BEGINS = 7 * 60; // minutes after midnight
const DAY_ENDS = 20 * 60;
const SUNDAY = 0;

/** What is unusual about it: sentences. `others` are the appointments of the day. Pure. */
export function unusual({ date, time, minutes }, others) {
  const start = sinceMidnight(time);
  const said = [];
  if (new Date(`${date}T00:00Z`).getUTCDay() === SUNDAY) said.push("Der Tag ist ein Sonntag.");
  if (start < DAY_BEGINS || start >= DAY_ENDS) said.push(`${time} Uhr liegt außerhalb üblicher Sprechzeiten.`);
  const overlapping = others.filter((one) => {
    const from = sinceMidnight(one.time);
    return from < start + minutes && start < from + one.duration_minutes;
  });
  if (overlapping.length) {
    const named = overlapping.map((one) => `${one.patient_name} (${one.time} Uhr, ${one.duration_minutes} Min.)`);
    said.push(`Zur selben Zeit: ${named.join(", ")}.`);
  }
  return said;
}

export class SlotHint {
  #form;
  #place;
  #timer = 0;
  #turn = 0;

  /** `place` is the id of where it is said; `except()` gives the id of the appointment to be moved. */
  constructor({ desk, form, place, except = () => "" }) {
    this.desk = desk;
    this.except = except;
    this.#form = form;
    this.#place = byId(place);
    for (const type of ["input", "change", "reset"]) form.addEventListener(type, () => this.update());
  }

  update() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), ASK_AFTER);
  }

  async #look() {
    const turn = ++this.#turn;
    const { date: { value: date }, time: { value: time }, duration_minutes: duration } = this.#form.elements;
    const minutes = duration.valueAsNumber || 0;
    if (!isDay(date) || !time) return this.#say([]);
    const others = await this.#others(date);
    if (turn === this.#turn) this.#say(unusual({ date, time, minutes }, others));
  }

  async #others(date) {
    const { desk } = this;
    try {
      const found = desk.loaded === date ? desk.rows.map((id) => desk.appointment(id)) : (await api.day(date)).appointments;
      return found.filter((one) => one && one.id !== this.except());
    } catch {
      return []; // it is no more than a hint
    }
  }

  #say(sentences) {
    const text = sentences.join(" ");
    if (this.#place.textContent === text) return;
    keepInPlace(document.activeElement, () => {
      this.#place.textContent = text;
    });
  }
}

/** Do what makes something above taller or shorter; what has the focus stays where it is seen. */
function keepInPlace(focused, act) {
  const before = focused.getBoundingClientRect().top;
  act();
  const moved = focused.getBoundingClientRect().top - before;
  for (const scroller of [".sheet-body", "dialog"]) focused.closest(scroller)?.scrollBy(0, moved);
}

function sinceMidnight(time) {
  const [hours, minutes] = time.split(":").map(Number);
  return 60 * hours + minutes;
}
