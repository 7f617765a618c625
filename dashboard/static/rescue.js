// What is offered where something failed: the form for the right address, or the other channel.

import * as api from "./api.js";
import { ADDRESS_FIELDS } from "./channels.js";
import { sentence } from "./errors.js";
import { CHANNELS } from "./words.js";

/**
 * The channel that could reach the patient instead: the practice may use it, the address is there,
 * and nothing was sent over it in this attempt. Consent covers both channels. Undefined if none.
 */
export function otherChannel(practice, appointment, indicator) {
  return Object.keys(ADDRESS_FIELDS).find(
    (channel) =>
      practice.channels.includes(channel) && appointment[ADDRESS_FIELDS[channel]] && !(channel in indicator.channels),
  );
}

export class Rescue {
  #keys = new api.Keys();

  /** `onOpen(id)` shows the appointment with the address to be corrected. */
  constructor({ desk, infoBoxes, onOpen }) {
    this.desk = desk;
    this.infoBoxes = infoBoxes;
    this.onOpen = onOpen;
  }

  /** The actions for an info box about this appointment, as [{label, about, act}]. */
  actions(appointment, state) {
    if (state !== "failed" && state !== "unconfirmed") return [];
    const { id, patient_name: about, invitation } = appointment;
    const actions = [{ label: "Erneut senden", about, act: () => this.#open(id) }];
    const indicator = this.desk.indicator(id);
    const other = indicator && otherChannel(this.desk.practice, appointment, indicator);
    if (other) {
      const label = `Stattdessen per ${CHANNELS[other]} senden`;
      // Another attempt than the one that is told of is none that anybody here has seen fail.
      const seen = () => {
        const present = this.desk.appointment(id);
        return present?.invitation.attempt === invitation.attempt ? present : appointment;
      };
      actions.push({ label, about, act: () => this.send(seen(), other) });
    }
    return actions;
  }

  #open(id) {
    this.infoBoxes.drop(id); // its dialog says it all
    this.onOpen(id);
  }

  /** Send over this channel instead, what was seen of the appointment being still so. */
  async send({ id, version }, channel) {
    const body = { channels: [channel] };
    try {
      const sent = await api.resend(id, body, this.#keys.for([id, body, version]), version);
      this.#keys.done();
      this.infoBoxes.drop(id);
      this.infoBoxes.announce("Die Einladung wird erneut versendet.");
      await this.desk.awaitArrival(sent);
    } catch (error) {
      this.infoBoxes.announce(sentence(error));
      this.#open(id);
    }
  }
}
