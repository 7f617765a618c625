// „Nachweis als Datei": what was sent for the appointments of some days, and what became of it.

import * as api from "./api.js";
import { addDays, isDay, today } from "./dates.js";
import { byId } from "./dom.js";
import { sentence } from "./errors.js";
import { Fields } from "./fields.js";
import { save } from "./files.js";

const DAYS = 30; // offered at first: the days before today
const MISSING = "Bitte füllen Sie dieses Feld aus.";
const BROKEN = "Die Datei konnte nicht erstellt werden. Bitte versuchen Sie es noch einmal.";

export class Proofs {
  #dialog = byId("proofs");
  #form = byId("proofs-form");
  #fields = new Fields(this.#form);

  constructor({ desk, dialogs, infoBoxes }) {
    this.desk = desk;
    this.dialogs = dialogs;
    this.infoBoxes = infoBoxes;
    dialogs.install(this.#dialog);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#make();
    });
    for (const button of document.querySelectorAll('[data-opens="proofs"]')) {
      button.addEventListener("click", () => this.open());
    }
  }

  open() {
    const { from, to } = this.#form.elements;
    const now = today(this.desk.practice.time_zone);
    if (!from.value) from.value = addDays(now, -DAYS);
    if (!to.value) to.value = now;
    this.#fields.clear();
    this.dialogs.open(this.#dialog);
    byId("proofs-title").focus();
  }

  async #make() {
    const { from, to } = this.#form.elements;
    const missing = [from, to].filter((input) => !isDay(input.value));
    if (missing.length) {
      this.#fields.clear();
      this.#fields.show(missing.map(({ name }) => ({ field: name, message: MISSING })));
      return;
    }
    const query = new URLSearchParams({ from: from.value, to: to.value });
    const done = await this.#fields.submit(
      async () => {
        const response = await api.proofFile(query);
        try {
          await save(response, "nachweis.csv");
        } catch {
          throw new api.Unreachable(); // it broke off: what came is not the whole
        }
      },
      (error) => sentence(error, { unreachable: BROKEN, invalid: BROKEN }),
      "Die Datei wird erstellt …",
    );
    if (!done) return;
    this.#dialog.close();
    this.infoBoxes.announce("Die Datei ist erstellt.");
  }
}
