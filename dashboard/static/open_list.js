// Which coming appointments need a person, and how certain that is. No DOM.
//
// Events: "change" whenever anything of it has changed.

import * as api from "./api.js";
import { serverNow } from "./server_clock.js";

const PAGE = 50; // appointments
const MOST = 500; // that are kept loaded; there is work for longer than this list is right
const ASK_AFTER = 250; // milliseconds, so that a burst of events asks once
const LATE = 1_000; // milliseconds after which the service's clock surely agrees that one has begun
const FRESH = 300_000; // milliseconds that the service may be behind
const LONGEST_WAIT = 3_600_000; // milliseconds

export class OpenList extends EventTarget {
  rows = []; // [{indicator, appointment}], what can least wait first; without an appointment where it is not known
  count = null; // of all; null as long as nothing is known
  awaited = 0; // of how many appointments something is on its way
  asOf = null; // until when all that was told is in it, as the service says
  more = false; // there are further ones than `rows`

  #failed = false; // the newest question had no answer
  #lost = false; // nothing would be heard of a change
  #names = new Map(); // id -> appointment
  #pages = 1;
  #asking = null;
  #again = false;
  #telling = false;
  #soon = 0; // timer
  #next = 0; // timer, until one begins or ends

  constructor(desk) {
    super();
    this.desk = desk;
    for (const type of ["indicator", "appointment"]) {
      desk.addEventListener(type, ({ detail }) => {
        if (!this.#telling && this.#concerns(detail.id)) this.askSoon();
      });
    }
    desk.addEventListener("deleted", () => this.askSoon());
  }

  /** Whether the list may be taken for how things are. */
  get certain() {
    return this.count !== null && !this.#failed && !this.#lost && this.#fresh;
  }

  /** Nothing was heard yet, and nothing has failed. */
  get unknown() {
    return this.count === null && !this.#failed && !this.#lost;
  }

  /** The stream is heard, or not. */
  hear(state) {
    this.#lost = state === "lost";
    this.#dispatch();
  }

  /** The stream said how many there are. */
  counted(count) {
    if (count !== this.count) this.askSoon();
  }

  askSoon() {
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => this.ask(), ASK_AFTER);
  }

  /** Ask anew; one question at a time, and once more for what came meanwhile. Never throws. */
  ask() {
    if (this.#asking) {
      this.#again = true;
      return this.#asking;
    }
    this.#asking = this.#ask().finally(() => {
      this.#asking = null;
      if (this.#again) this.ask();
      this.#again = false;
    });
    return this.#asking;
  }

  loadMore() {
    this.#pages += 1;
    return this.ask();
  }

  get #fresh() {
    return this.asOf !== null && serverNow() - Date.parse(this.asOf) < FRESH;
  }

  async #ask() {
    try {
      const pages = [];
      let cursor = null;
      do {
        pages.push(await api.open(cursor, PAGE));
        cursor = pages.at(-1).next;
      } while (cursor && pages.length < Math.min(this.#pages, MOST / PAGE));
      const indicators = pages.flatMap((page) => page.indicators);
      await this.#name(indicators);
      this.count = pages.at(-1).open_count;
      this.awaited = pages.at(-1).awaited_count ?? 0;
      this.asOf = pages[0].as_of ?? this.asOf;
      this.more = cursor !== null && pages.length < MOST / PAGE;
      this.rows = indicators.map((indicator) => ({ indicator, appointment: this.#names.get(indicator.appointment_id) }));
      this.#failed = false;
      this.#tell(indicators);
      this.#watchClock();
    } catch {
      this.#failed = true;
    }
    this.#dispatch();
  }

  // The desk shows them, too; what it says of that is no news here.
  #tell(indicators) {
    this.#telling = true;
    for (const one of indicators) if (!one.cancelled) this.desk.indicate(one, { fresh: false });
    this.#telling = false;
  }

  // Names are asked for once, and anew where an appointment may have changed.
  async #name(indicators) {
    const ids = indicators.map((one) => one.appointment_id);
    const fresh = new Map();
    for (const { appointment_id: id, attempt, starts_at: startsAt } of indicators) {
      const known = this.desk.appointment(id) ?? this.#names.get(id);
      const same = known && known.invitation.attempt === attempt && Date.parse(known.start) === Date.parse(startsAt);
      if (same) fresh.set(id, known);
    }
    const wanted = ids.filter((id) => !fresh.has(id));
    try {
      for (let from = 0; from < wanted.length; from += PAGE) {
        const { appointments } = await api.named(wanted.slice(from, from + PAGE));
        for (const one of appointments) fresh.set(one.id, one);
        this.desk.know(appointments.filter((one) => !one.cancelled));
      }
    } catch {
      for (const id of wanted) if (this.#names.has(id)) fresh.set(id, this.#names.get(id));
    }
    this.#names = fresh;
  }

  #concerns(id) {
    const { open = [], overall } = this.desk.indicator(id) ?? {};
    if (this.#names.has(id) || open.length > 0) return true;
    // Where nothing is open it is said whether something is on its way.
    return this.count === 0 && (overall === "pending") !== (this.awaited > 0);
  }

  // That one begins, or is over, nobody tells.
  #watchClock() {
    clearTimeout(this.#next);
    const now = Date.now();
    const times = this.rows.flatMap(({ indicator, appointment }) => {
      const start = Date.parse(indicator.starts_at); // NaN, which is no time to come, where it is not known
      return [start, start + 60_000 * (appointment?.duration_minutes ?? 0)];
    });
    const next = Math.min(...times.filter((time) => time + LATE > now), now + LONGEST_WAIT);
    this.#next = setTimeout(() => this.ask(), next + LATE - now);
  }

  #dispatch() {
    this.dispatchEvent(new Event("change"));
  }
}
