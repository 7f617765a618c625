// The live stream of indicators, and the truth about whether it is alive.

const PATH = "/api/status/indicators/stream";
const LONGEST_PAUSE = 20_000; // milliseconds between tries

/**
 * Calls `onIndicator(indicator)`, `onDeleted(appointmentId)`, `onMoved(appointmentId)`,
 * `onState("live" | "lost")`.
 * After a break it goes on where it was (Last-Event-ID); each "live" is the moment to reload.
 * `onReset()`: the service knows less than it did, as after a restored backup, and its versions
 * begin anew.
 */
export class Stream {
  #source = null;
  #last = "";
  #tries = 0;
  #timer = 0;

  constructor(handlers) {
    this.handlers = handlers;
  }

  open() {
    this.close();
    // An EventSource that comes back by itself sends the id as a header, a new one can't.
    const query = this.#last ? `?last_event_id=${encodeURIComponent(this.#last)}` : "";
    const source = new EventSource(PATH + query);
    this.#source = source;
    source.addEventListener("open", () => {
      this.#tries = 0;
      this.handlers.onState("live");
    });
    source.addEventListener("error", () => {
      this.handlers.onState("lost");
      if (source.readyState === EventSource.CLOSED) this.#later();
    });
    source.addEventListener("renew", () => this.open()); // a new token, nothing is amiss
    source.addEventListener("ready", (event) => {
      const again = this.#last !== "";
      this.#seen(event);
      if (again) this.handlers.onReset();
    });
    source.addEventListener("indicator", (event) => {
      this.#seen(event);
      this.handlers.onIndicator(JSON.parse(event.data));
    });
    source.addEventListener("deleted", (event) => {
      this.#seen(event);
      this.handlers.onDeleted(JSON.parse(event.data).appointment_id);
    });
    source.addEventListener("moved", (event) => {
      this.#seen(event);
      this.handlers.onMoved(JSON.parse(event.data).appointment_id);
    });
  }

  close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #seen(event) {
    this.#last = event.lastEventId;
  }

  // The browser gives up for good when the response is an error, as while a service restarts.
  #later() {
    const pause = Math.min(LONGEST_PAUSE, 1000 * 2 ** this.#tries) * (0.5 + Math.random() / 2);
    this.#tries += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.open(), pause);
  }
}
