// One appointment: how its invitation stands and what came before; resend, move, delete.

import * as api from "./api.js";
import { ADDRESS_FIELDS } from "./channels.js";
import { longDay, moment } from "./dates.js";
import { byId, h, icon } from "./dom.js";
import { spokenLanguage } from "./languages.js";
import { Move } from "./move.js";
import { canFollowUp } from "./open_actions.js";
import { ERASE, Removal } from "./removal.js";
import { Resend } from "./resend.js";
import { SendNow } from "./send_now.js";
import { Visit } from "./visit.js";
import { CHANNELS, isNotice, notes, shownState, STATES, stateText, timelineText } from "./words.js";

const HISTORY_AFTER = 200; // milliseconds, so that a burst of events asks once

export class Details {
  #dialog = byId("details");
  #id = "";
  #attempt = 0;
  #shown = ""; // whose it is and when, as it was read last
  #timer = 0;

  /**
   * `onAgain(appointment)`: once more for the same patient; `onMoved(appointment)`, `onRemoved(appointment, operation)`, `onDone(indicator, name)`: as it was
   * seen
   */
  constructor({ desk, dialogs, infoBoxes, onAgain, onMoved, onRemoved, onDone }) {
    this.desk = desk;
    this.infoBoxes = infoBoxes;
    this.dialogs = dialogs;
    dialogs.install(this.#dialog, { onClosed: () => { this.#id = ""; } });
    const close = () => this.#dialog.close();
    this.resend = new Resend({ desk, infoBoxes });
    this.sendNow = new SendNow({ desk, infoBoxes });
    this.move = new Move({ desk, onMoved: (moved) => { close(); onMoved(moved); } });
    this.removal = new Removal({ desk, dialogs, onRemoved: (...removed) => { close(); onRemoved(...removed); } });
    this.visit = new Visit({ reload: () => this.#load() });
    byId("visit-open").addEventListener("click", () => this.visit.start(this.#id));
    byId("follow-up-open").addEventListener("click", () => {
      onDone(this.desk.indicator(this.#id), this.desk.appointment(this.#id).patient_name);
    });
    byId("again-open").addEventListener("click", () => {
      const appointment = this.desk.appointment(this.#id);
      close();
      onAgain(appointment);
    });
    byId("delete-open").addEventListener("click", () => this.removal.open(this.#id));
    byId("erase-open").addEventListener("click", () => this.removal.open(this.#id, ERASE));
    desk.addEventListener("appointment", ({ detail }) => this.#changed(detail.id));
    desk.addEventListener("indicator", ({ detail }) => this.#changed(detail.id));
    desk.addEventListener("deleted", ({ detail }) => {
      if (detail.id !== this.#id) return;
      if (this.removal.deletes(detail.id)) return; // it says so itself
      this.removal.close();
      close();
      infoBoxes.tell(`Jemand hat diesen Termin gelöscht: ${this.#shown}`, { stays: true });
    });
  }

  open(id) {
    if (!this.desk.appointment(id)) return;
    this.#id = id;
    this.#attempt = 0;
    this.#shown = "";
    byId("move-fold").open = false;
    byId("history-fold").open = false;
    byId("history").replaceChildren();
    byId("proof-open").href = `/nachweis/${encodeURIComponent(id)}`;
    this.resend.begin(id);
    this.sendNow.begin(id);
    this.move.begin(id);
    this.visit.begin(id);
    this.#render();
    this.dialogs.open(this.#dialog);
    // Where the appointment before was left says nothing of this one.
    for (const scroller of [this.#dialog, this.#dialog.querySelector(".sheet-body")]) scroller.scrollTop = 0;
    if (!this.resend.focus()) byId("details-title").focus();
    this.#load();
  }

  /** What was begun, or null; `restore` shows it again. Rejects where it is gone. */
  draft() {
    const appointment = this.desk.appointment(this.#id);
    const resend = appointment && this.resend.draft();
    const move = appointment && this.move.draft();
    return resend || move ? { id: this.#id, version: appointment.version, resend, move } : null;
  }

  async restore({ id, version, resend, move }) {
    const found = await this.desk.fetch(id);
    this.open(id);
    if (move) this.move.restore(move);
    if (resend) this.resend.restore(resend);
    return found.version === version;
  }

  shows(id) {
    return id === this.#id;
  }

  #changed(id) {
    if (id !== this.#id) return;
    this.#render();
    const attempt = this.desk.indicator(id)?.attempt ?? 0;
    if (attempt > Math.max(this.#attempt, this.desk.appointment(id).invitation.attempt)) {
      this.#attempt = attempt; // sent again elsewhere, maybe to another address
      this.#load();
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#loadHistory(), HISTORY_AFTER);
  }

  async #load() {
    const id = this.#id;
    try {
      await this.desk.fetch(id);
    } catch {
      this.#loadHistory();
    }
  }

  async #loadHistory() {
    const id = this.#id;
    if (!id) return;
    try {
      const { history, timeline, ...indicator } = await api.indicator(id);
      if (id !== this.#id) return;
      this.desk.indicate(indicator, { fresh: false });
      this.#renderHistory(timeline, indicator.open);
    } catch {
      if (id === this.#id) this.#renderHistory(null);
    }
  }

  #render() {
    const appointment = this.desk.appointment(this.#id);
    if (!appointment) return;
    const when = `${longDay(appointment.date)}, ${appointment.time} Uhr, ${appointment.duration_minutes} Min.`;
    const before = byId("details-when").textContent;
    if (this.#shown && when !== before && !this.move.busy) {
      this.infoBoxes.tell(`Jemand hat diesen Termin verschoben: ${when}`, { detail: `bisher ${before}`, stays: true });
    }
    this.#shown = `${appointment.patient_name}, ${when}`;
    byId("details-title").textContent = appointment.patient_name;
    byId("details-when").textContent = when;
    byId("details-language").replaceChildren("Sprache der Einladung: ", ...spokenLanguage(this.#language(appointment.locale)));
    const reference = byId("details-reference");
    reference.hidden = !appointment.external_reference;
    reference.textContent = `Referenz: ${appointment.external_reference ?? ""}`;
    const indicator = this.desk.indicator(this.#id);
    byId("details-state").replaceChildren(
      ...appointment.channels.map((channel) => this.#channel(appointment, indicator, channel)),
      ...notes(indicator, this.desk.practice.time_zone).filter(({ about }) => about !== "sms-waits").map(({ about, state, text }) =>
        h("p", { class: "note", "data-note": about, "data-state": state }, text)),
    );
    this.#offerFollowUp(indicator);
    // Before the start it is „Erneut senden" that is meant, and one that can't be read says nothing.
    byId("again-place").hidden = Date.parse(appointment.start) > Date.now() || appointment.damaged;
    this.resend.update();
    this.sendNow.update();
    this.move.update();
  }

  #offerFollowUp(indicator) {
    const button = byId("follow-up-open");
    const focused = document.activeElement === button;
    byId("follow-up-place").hidden = !canFollowUp(indicator);
    if (focused && !canFollowUp(indicator)) byId("details-title").focus();
  }

  #language(code) {
    const known = this.desk.practice.languages.find((language) => language.code === code);
    return known ?? { code, name: code };
  }

  #channel(appointment, indicator, channel) {
    const view = indicator?.channels[channel] ?? { state: "pending" };
    const address = appointment[ADDRESS_FIELDS[channel]];
    return h(
      "div",
      { class: "state", "data-state": shownState(view.state), "data-channel": channel },
      icon(STATES[shownState(view.state)].icon),
      h(
        "div",
        {},
        h("p", { class: "state-address" }, `${CHANNELS[channel] ?? channel}${address ? ` an ${address}` : ""}`),
        h("p", { class: "state-text" }, stateText(channel, view, this.desk.practice.time_zone)),
      ),
    );
  }

  #renderHistory(timeline, open) {
    const zone = this.desk.practice.time_zone;
    const told = (timeline ?? [])
      .filter((entry, at) => !isOver(entry, timeline.slice(at + 1)))
      .map((entry) => ({ ...entry, text: timelineText(entry, open, zone) }));
    const lines = told.filter(({ text }) => text).map((entry) =>
      h(
        "li",
        { "data-type": entry.type, "data-about": entry.about },
        h("time", { datetime: entry.at, class: "muted" }, moment(entry.at, zone)),
        h("span", {}, entry.text,
          entry.status_code && entry.channel === "email" ? code(entry.status_code) : null),
      ),
    );
    byId("history").replaceChildren(
      ...(lines.length ? lines : [h("li", { class: "muted" }, timeline ? "Noch nichts." : "Der Verlauf ist gerade nicht abrufbar.")]),
    );
  }
}

/** For whoever looks after the technology. Of an SMS the code is our own name for what became of it. */
function code(status) {
  return h("details", { class: "code" },
    h("summary", {}, "Einzelheiten"),
    h("span", { class: "muted" }, `Antwort des Mailservers: ${status} (RFC 3463)`));
}

/** That a notice is on its way is said until something became of it. */
function isOver(entry, later) {
  return isNotice(entry) && entry.type === "pending"
    && later.some(({ about, channel }) => about === entry.about && channel === entry.channel);
}
