// Moving, shortening, lengthening.

import * as api from "./api.js";
import { hideConflict, showConflict } from "./conflict.js";
import { differences } from "./differences.js";
import { byId } from "./dom.js";
import { enter, values } from "./drafts.js";
import { sentence } from "./errors.js";
import { Fields, forgetOffsetOnChange, number } from "./fields.js";
import { chosenOffset, clearOffsets } from "./offsets.js";
import { SlotHint } from "./slot_hint.js";

const NAMES = ["date", "time", "duration_minutes"];

export class Move {
  #form = byId("move");
  #fields = new Fields(this.#form);
  #id = "";
  #conflict = byId("move-conflict");
  #typed = false;
  #seen = null; // that the form was filled from: who moves it meanwhile is not overruled

  /** `onMoved(appointment)` */
  constructor({ desk, onMoved }) {
    this.desk = desk;
    this.onMoved = onMoved;
    new SlotHint({ desk, form: this.#form, place: "move-slot-hint", except: () => this.#id });
    forgetOffsetOnChange(this.#form);
    this.#form.addEventListener("input", () => {
      this.#typed = true;
      this.#settle(); // who goes on typing has seen both
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  begin(id) {
    this.#id = id;
    this.#startOver();
  }

  /** Whether what changes now is changed from here. */
  get busy() {
    return this.#fields.busy;
  }

  draft() {
    return this.#typed ? values(this.#form) : null;
  }

  restore(draft) {
    byId("move-fold").open = true;
    enter(this.#form, draft);
  }

  update() {
    const appointment = this.desk.appointment(this.#id);
    if (this.#typed || !appointment) return;
    this.#seen = appointment;
    for (const name of NAMES) this.#form.elements[name].value = appointment[name];
  }

  #startOver() {
    this.#typed = false;
    this.#fields.clear();
    this.#form.elements.notify.checked = true;
    clearOffsets(this.#form);
    this.#settle();
    this.update();
  }

  #settle() {
    hideConflict(this.#conflict);
    this.#form.classList.remove("conflicting");
  }

  async #send() {
    const id = this.#id;
    const { elements } = this.#form;
    const seen = this.#seen;
    const change = { duration_minutes: number(elements.duration_minutes), notify: elements.notify.checked };
    const offset = chosenOffset(this.#form);
    // A start that stays is left out: in a doubled hour it would be asked for again.
    if (offset || elements.date.value !== seen.date || elements.time.value !== seen.time) {
      Object.assign(change, { date: elements.date.value, time: elements.time.value, utc_offset: offset });
    }
    let moved = null;
    let stored = null;
    const done = await this.#fields.submit(async () => {
      try {
        moved = await api.change(id, change, seen.version);
        this.#typed = false;
        this.desk.keep(moved);
      } catch (error) {
        if (!(error instanceof api.Refused && error.status === 412)) throw error;
        this.#typed = true; // what is entered stays
        stored = await this.desk.fetch(id);
      }
    }, explain);
    if (!done) return;
    if (stored) {
      if (id === this.#id) this.#compare(seen, stored);
      return;
    }
    this.onMoved(moved);
  }

  /** A colleague was faster: what is entered stays, beside what is stored. */
  #compare(seen, stored) {
    const { date, time, duration_minutes: minutes } = this.#form.elements;
    const mine = { ...seen, date: date.value, time: time.value, duration_minutes: number(minutes) };
    this.#seen = stored;
    this.#form.classList.add("conflicting");
    showConflict(this.#conflict, {
      text: "Jemand hat diesen Termin inzwischen geändert. Von hier wurde noch nichts verschoben; bitte entscheiden Sie.",
      rows: differences(mine, seen, stored, this.desk.practice),
      mine: "Meine Angaben übernehmen",
      onMine: () => this.#send(),
      onStored: () => {
        this.#startOver();
        byId("details-title").focus();
      },
    });
  }
}

function explain(error) {
  const quietly = error.code === api.TOO_MANY_MESSAGES ? " Ohne Benachrichtigung lässt der Termin sich verschieben." : "";
  return sentence(error) + quietly;
}
