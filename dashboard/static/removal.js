// „Termin löschen" and „Daten löschen": asked for once more, since the patient's link dies with it.

import * as api from "./api.js";
import { comparison } from "./conflict.js";
import { longDay } from "./dates.js";
import { differences } from "./differences.js";
import { byId } from "./dom.js";
import { Fields } from "./fields.js";

const DELETE = {
  title: "Termin löschen",
  text: "Der Link in der Einladung wird sofort ungültig. Das lässt sich nicht rückgängig machen.",
  send: (id, version, onRetry) => api.remove(id, version, byId("confirm-notify").checked, onRetry),
};

/** On a patient's request: nothing of the appointment is kept. */
export const ERASE = {
  title: "Daten löschen",
  text:
    "Der Termin wird gelöscht und mit ihm alles, was dazu gespeichert ist: Name, Adressen, " +
    "Zustellungen und Verlauf. Der Link in der Einladung wird sofort ungültig; bereits gesendete " +
    "Nachrichten bleiben beim Empfänger. Das lässt sich nicht rückgängig machen.",
  send: (id, version, onRetry) => api.erase(id, version, onRetry),
};

export class Removal {
  #dialog = byId("confirm");
  #form = byId("confirm-form");
  #fields = new Fields(this.#form);
  #changes = byId("confirm-changes");
  #seen = null; // the appointment as it was described: what it became since is not removed unseen
  #operation = DELETE;
  #sending = ""; // id of what is being deleted from here, or was

  /** `onRemoved(appointment, operation)` */
  constructor({ desk, dialogs, onRemoved }) {
    this.desk = desk;
    this.dialogs = dialogs;
    this.onRemoved = onRemoved;
    dialogs.install(this.#dialog);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  open(id, operation = DELETE) {
    this.#operation = operation;
    byId("confirm-title").textContent = `${operation.title}?`;
    byId("confirm-submit").textContent = operation.title;
    this.#fields.clear();
    byId("confirm-notify").checked = true;
    // Of a patient who asked for it, nothing is kept that a message could be sent with.
    byId("confirm-notify-field").hidden = operation === ERASE;
    this.#changes.replaceChildren();
    this.#describe(this.desk.appointment(id));
    this.dialogs.open(this.#dialog);
  }

  /** Whether it is deleted from here. */
  deletes(id) {
    return id === this.#sending;
  }

  close() {
    this.#dialog.close();
  }

  #describe(appointment) {
    this.#seen = appointment;
    const { patient_name: name, date, time } = appointment;
    const { followed_up_at: done, overall } = this.desk.indicator(appointment.id) ?? {};
    // What no message ever told the patient, none takes back.
    const call = done && overall === "failed" ? " Die Einladung kam nicht an; wen Sie angerufen haben, dem sagen Sie bitte auch telefonisch ab." : "";
    byId("confirm-text").textContent =
      `${name}, ${longDay(date)}, ${time} Uhr. ${this.#operation.text}${call}`;
  }

  async #send() {
    const seen = this.#seen;
    const { id } = seen;
    this.#sending = id;
    const done = await this.#fields.submit(async (onRetry) => {
      try {
        await this.#operation.send(id, seen.version, onRetry);
      } catch (error) {
        if (error instanceof api.Refused && error.status === 412) {
          const stored = await this.desk.fetch(id);
          this.#changes.replaceChildren(comparison(differences(seen, seen, stored, this.desk.practice), "Bisher"));
          this.#describe(stored);
        }
        throw error;
      }
    });
    if (!done) {
      this.#sending = "";
      return;
    }
    this.close();
    this.onRemoved(seen, this.#operation);
    this.desk.forget(id);
  }
}
