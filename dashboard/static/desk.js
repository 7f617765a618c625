// What the page knows: appointments, indicators, the day that is shown. No DOM.
//
// Events: "practice", "day" (the list of the day or week), "indicator" {id}, "appointment" {id}, "deleted" {id},
// "news" {appointment, channel, state} for an info box, "sent" {id} for the notice.

import * as api from "./api.js";
import { weekOf } from "./dates.js";
import { arrived, news } from "./news.js";

const RELOAD_AFTER = 250; // milliseconds, so that a burst of events reloads once
const MOST_INDICATORS = 5000;
const MOST_LOOKED_AT = 500; // of those that are shown elsewhere than in the day

export const DAY = "day";
export const WEEK = "week";

// As long as the scheduling service has not said more: enough to begin an appointment with.
const UNKNOWN_PRACTICE = {
  name: "Praxis",
  time_zone: "Europe/Berlin",
  channels: ["email"],
  tariff_channels: ["email"],
  languages: [],
};

/** Told only of what was sent from this page: of others' there is the tick. */
const isGood = (change) => change.state === "delivered";

export class Desk extends EventTarget {
  practice = UNKNOWN_PRACTICE;
  date = "";
  span = DAY; // what is shown of it: the day, or its week
  rows = []; // ids of its appointments in their order
  loaded = ""; // what `rows` belongs to: a day, or a week by its days
  nextStart = null; // when the next appointment starts, of a day that has none
  fault = false; // it could not be loaded
  blind = false; // the indicators could not be loaded

  #appointments = new Map();
  #indicators = new Map();
  #quiet = new Set(); // ids of indicators that a look met first, so that nothing was told of them
  #unseen = new Set(); // ids whose indicators were asked for in vain
  #deleted = new Set();
  #awaited = new Map(); // id -> attempt that was sent from this page
  #own = new Map(); // the same, also when it has arrived
  #asked = new Map(); // id -> promise of an appointment
  #turn = 0;
  #timer = 0;

  get introduced() {
    return this.practice !== UNKNOWN_PRACTICE;
  }

  /** Whose desk it is. */
  introduce(practice) {
    this.practice = practice;
    this.#dispatch("practice");
  }

  appointment(id) {
    return this.#appointments.get(id);
  }

  /** The indicator of the newest attempt; what is known of an earlier one says nothing about it. */
  indicator(id) {
    const indicator = this.#indicators.get(id);
    const attempt = this.#appointments.get(id)?.invitation.attempt ?? 0;
    return indicator && indicator.attempt >= attempt ? indicator : undefined;
  }

  /** The first and the last day that is shown. */
  get days() {
    return this.span === WEEK ? weekOf(this.date) : [this.date, this.date];
  }

  /** Whether `rows` are those of what is shown. */
  get isLoaded() {
    return Boolean(this.date) && this.loaded === this.#wanted;
  }

  /** Show another day, or week. */
  async show(date, span = DAY) {
    if (date !== this.date || span !== this.span) {
      const before = this.#wanted;
      this.date = date;
      this.span = span;
      if (this.#wanted !== before) this.rows = [];
      this.#dispatch("day");
    }
    await this.reload();
  }

  /** Load the day and its indicators anew. */
  async reload() {
    const turn = ++this.#turn;
    const wanted = this.#wanted;
    if (!this.date) return;
    try {
      const { appointments, next_start: nextStart } = await (this.span === WEEK ? week(...this.days) : api.day(this.date));
      if (turn !== this.#turn) return;
      for (const one of appointments) this.#keep(one);
      this.rows = appointments.map((one) => one.id).filter((id) => !this.#deleted.has(id));
      this.loaded = wanted;
      this.nextStart = nextStart ?? null;
      this.fault = false;
    } catch {
      if (turn !== this.#turn) return;
      this.fault = true;
    }
    this.#dispatch("day");
    await this.#look([...new Set([...this.rows, ...this.#awaited.keys(), ...this.#unseen])]);
  }

  reloadSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.reload(), RELOAD_AFTER);
  }

  /** After a break of the stream: everything the page may show or announce. */
  async catchUp() {
    await this.reload();
    await this.#look([...this.#indicators.keys()].slice(-MOST_LOOKED_AT));
  }

  /** Forget what was shown: its versions say nothing any more. */
  async startOver() {
    for (const id of [...this.#indicators.keys()].slice(-MOST_LOOKED_AT)) this.#unseen.add(id);
    this.#indicators.clear();
    this.#quiet.clear();
    await this.reload();
  }

  /** A response of the scheduling service. */
  keep(appointment) {
    this.#keep(appointment);
    this.#dispatch("appointment", { id: appointment.id });
    this.reloadSoon();
  }

  /** Appointments that are shown elsewhere than in the day. */
  know(appointments) {
    for (const one of appointments) this.#keep(one);
  }

  /** The same, with their indicators. */
  async meet(appointments) {
    this.know(appointments);
    await this.#look(appointments.map((one) => one.id));
  }

  /** As it is stored now. Throws as the API does; what is gone is forgotten. */
  async fetch(id) {
    try {
      const found = await api.appointment(id);
      this.keep(found);
      return found;
    } catch (error) {
      if (error instanceof api.Refused && error.status === 404) this.forget(id);
      throw error;
    }
  }

  /** An invitation was sent from this page; its arrival is waited for. */
  async awaitArrival(appointment) {
    const { id, invitation } = appointment;
    const before = this.#indicators.get(id);
    this.#awaited.set(id, invitation.attempt);
    this.#own.set(id, invitation.attempt);
    this.keep(appointment);
    // The mail may be faster than the response that says that it is ours.
    if (before?.attempt === invitation.attempt) this.#report(id, news(undefined, before, { fresh: true }).filter(isGood));
    this.#settle(id);
    await this.#look([id]);
  }

  /** `fresh`: this has just happened, it comes from the stream. */
  indicate(indicator, { fresh }) {
    const id = indicator.appointment_id;
    let previous = this.#indicators.get(id);
    if (fresh && this.#quiet.has(id) && previous.version === indicator.version) {
      previous = undefined; // a look was faster than the stream: it is news all the same
    }
    const known = previous && previous.version >= indicator.version && !changedByTime(previous, indicator);
    if (this.#deleted.has(id) || known) return;
    const told = fresh || this.#awaited.has(id);
    if (!previous && !told) this.#quiet.add(id);
    else this.#quiet.delete(id);
    this.#indicators.delete(id); // to the end of the map: the oldest go first
    this.#indicators.set(id, indicator);
    if (this.#indicators.size > MOST_INDICATORS) {
      const [oldest] = this.#indicators.keys();
      this.#indicators.delete(oldest);
      this.#quiet.delete(oldest);
    }
    this.#dispatch("indicator", { id });
    const own = this.#own.get(id) === indicator.attempt;
    const changes = news(previous, indicator, { fresh: told }).filter((change) => own || !isGood(change));
    this.#settle(id);
    if (changes.length || !this.#appointments.has(id)) this.#report(id, changes);
  }

  /** Moved, here or elsewhere: it may stand on another day now, or in another place of this one. */
  async renew(id) {
    const shown = this.rows.includes(id);
    if (shown) this.reloadSoon();
    const found = await this.#ask(id); // anew: a response under way may be from before
    if (!found || this.#deleted.has(id)) return;
    this.#dispatch("appointment", { id });
    if (this.#covers(found.date) && !shown) this.reloadSoon();
  }

  forget(id) {
    this.#deleted.add(id);
    this.#appointments.delete(id);
    this.#indicators.delete(id);
    this.#quiet.delete(id);
    this.#awaited.delete(id);
    this.#own.delete(id);
    this.rows = this.rows.filter((row) => row !== id);
    this.#dispatch("deleted", { id });
    this.#dispatch("day");
  }

  async #report(id, changes) {
    const appointment = await this.#named(id);
    if (!appointment || this.#deleted.has(id)) return;
    if (this.#covers(appointment.date) && !this.rows.includes(id)) this.reloadSoon();
    for (const change of changes) this.#dispatch("news", { appointment, ...change });
  }

  /** The appointment, asked for once if this page has not met it. */
  async #named(id) {
    if (this.#appointments.has(id)) return this.#appointments.get(id);
    if (!this.#asked.has(id)) {
      this.#asked.set(id, this.#ask(id).finally(() => this.#asked.delete(id)));
    }
    return this.#asked.get(id);
  }

  #ask(id) {
    return api.appointment(id).then(
      (found) => this.#keep(found),
      () => null,
    );
  }

  async #look(ids) {
    if (!ids.length) return;
    const blind = this.blind;
    try {
      for (const one of await api.indicators(ids)) this.indicate(one, { fresh: false });
      for (const id of ids) this.#unseen.delete(id);
      this.blind = this.#unseen.size > 0;
    } catch {
      for (const id of ids) this.#unseen.add(id);
      this.blind = true;
    }
    if (blind !== this.blind) this.#dispatch("day");
  }

  // „2026-12-01", or of a week „2026-11-30/2026-12-06"
  get #wanted() {
    return this.span === WEEK ? this.days.join("/") : this.date;
  }

  #covers(date) {
    const [first, last] = this.days;
    return first <= date && date <= last;
  }

  #settle(id) {
    const attempt = this.#awaited.get(id);
    const indicator = this.#indicators.get(id);
    if (attempt === undefined || !indicator || indicator.attempt < attempt) return;
    if (arrived(indicator, attempt)) {
      this.#awaited.delete(id);
      this.#dispatch("sent", { id });
    }
  }

  #keep(appointment) {
    const known = this.#appointments.get(appointment.id);
    if (known && known.version > appointment.version) return known;
    this.#appointments.set(appointment.id, appointment);
    return appointment;
  }

  #dispatch(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** A week's appointments; of one that has none, when the next one starts. */
async function week(monday, sunday) {
  const found = await api.days(monday, sunday);
  return found.appointments.length ? found : api.day(sunday);
}

/** Whether time alone has changed what an indicator of the same version says. */
function changedByTime(previous, next) {
  if (previous.version !== next.version) return false;
  return Boolean(previous.waiting_since && !next.waiting_since) || String(previous.open) !== String(next.open);
}
