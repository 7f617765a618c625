// Moving, shortening, lengthening.

import * as api from "./api.js";
import { byId } from "./dom.js";
import { sentence } from "./errors.js";
import { Fields, forgetOffsetOnChange, number } from "./fields.js";
import { chosenOffset, clearOffsets } from "./offsets.js";

const NAMES = ["date", "time", "duration_minutes"];

export class Move {
  #form = byId("move");
  #fields = new Fields(this.#form);
  #id = "";
  #typed = false;
  #version = 0; // that was seen when typing began: who moves it meanwhile is not overruled

  /** `reload()` fetches the appointment anew, `onMoved(appointment)`. */
  constructor({ desk, reload, onMoved }) {
    this.desk = desk;
    this.reload = reload;
    this.onMoved = onMoved;
    forgetOffsetOnChange(this.#form);
    this.#form.addEventListener("input", () => {
      if (!this.#typed) this.#version = this.desk.appointment(this.#id)?.version ?? 0;
      this.#typed = true;
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  begin(id) {
    this.#id = id;
    this.#typed = false;
    this.#fields.clear();
    this.#form.elements.notify.checked = true;
    clearOffsets(this.#form);
    this.update();
  }

  update() {
    const appointment = this.desk.appointment(this.#id);
    if (this.#typed || !appointment) return;
    for (const name of NAMES) this.#form.elements[name].value = appointment[name];
  }

  async #send() {
    const id = this.#id;
    const { elements } = this.#form;
    const present = this.desk.appointment(id);
    const change = { duration_minutes: number(elements.duration_minutes), notify: elements.notify.checked };
    const offset = chosenOffset(this.#form);
    // A start that stays is left out: in a doubled hour it would be asked for again.
    if (offset || elements.date.value !== present.date || elements.time.value !== present.time) {
      Object.assign(change, { date: elements.date.value, time: elements.time.value, utc_offset: offset });
    }
    let moved = null;
    const done = await this.#fields.submit(async () => {
      try {
        moved = await api.change(id, change, this.#typed ? this.#version : present.version);
      } catch (error) {
        if (error instanceof api.Refused && error.status === 412) {
          this.#typed = false;
          await this.reload();
        }
        throw error;
      }
    }, explain);
    if (!done) return;
    this.#typed = false;
    this.desk.keep(moved);
    this.onMoved(moved);
  }
}

function explain(error) {
  const quietly = error.type === api.TOO_MANY_MESSAGES ? " Ohne Benachrichtigung lässt der Termin sich verschieben." : "";
  return sentence(error) + quietly;
}
