// The live stream of indicators, and the truth about whether it is alive.

const PATH = "/api/status/indicators/stream";
const LONGEST_PAUSE = 20_000; // milliseconds between tries
const FIRST_BEAT = 5_000; // milliseconds between two beats, until the stream has said it
const BEATS_MISSED = 2.5; // in silence, and it is lost
const CONNECT_TIMEOUT = 20_000; // milliseconds; longer than the server waits for the service
const LOOK_EVERY = 250; // milliseconds

/**
 * Calls `onIndicator(indicator)`, `onDeleted(appointmentId)`, `onMoved(appointmentId)`,
 * `onOpenCount(count)` with how many appointments need a person,
 * `onState("connecting" | "live" | "lost")`.
 * After a break it goes on where it was (Last-Event-ID); each "live" is the moment to reload.
 * `onReset()`: the service knows less than it did, as after a restored backup, and its versions
 * begin anew.
 */
export class Stream {
  #source = null;
  #last = "";
  #tries = 0;
  #timer = 0; // until the next try
  #watch = 0; // looks whether anything was heard
  #heardAt = 0; // milliseconds since the epoch: a timer would stand still while the computer sleeps
  #beat = FIRST_BEAT;
  #state = "connecting";

  constructor(handlers) {
    this.handlers = handlers;
  }

  open() {
    this.#drop();
    // An EventSource that comes back by itself sends the id as a header, a new one can't.
    const query = this.#last ? `?last_event_id=${encodeURIComponent(this.#last)}` : "";
    const source = new EventSource(PATH + query);
    this.#source = source;
    this.#heard();
    this.#watch = setInterval(() => this.#look(), LOOK_EVERY);
    source.addEventListener("open_count", (event) => {
      this.#heard();
      this.handlers.onOpenCount(JSON.parse(event.data).open_count);
    });
    source.addEventListener("open", () => {
      this.#heard();
      this.#tries = 0;
      this.#tell("live");
    });
    source.addEventListener("error", () => {
      this.#heard();
      this.#tell("lost");
      if (source.readyState === EventSource.CLOSED) this.#later();
    });
    source.addEventListener("renew", () => this.open()); // a new token, nothing is amiss
    source.addEventListener("beat", (event) => {
      this.#heard();
      this.#beat = JSON.parse(event.data).interval_seconds * 1000;
    });
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

  /** Nobody looks; what comes meanwhile is fetched by `open`. */
  close() {
    this.#drop();
    this.#tell("connecting");
  }

  /** There is no connection, whatever the stream seems to be; try again later. */
  lose() {
    this.#drop();
    this.#tell("lost");
    this.#later();
  }

  #drop() {
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    this.#source?.close();
    this.#source = null;
  }

  #heard() {
    this.#heardAt = Date.now();
  }

  #seen(event) {
    this.#heard();
    this.#last = event.lastEventId;
  }

  // A connection is left time to come about, but nothing is called live meanwhile.
  #look() {
    const silent = Math.abs(Date.now() - this.#heardAt); // or the clock was put back
    const most = BEATS_MISSED * this.#beat;
    const open = this.#source.readyState === EventSource.OPEN;
    if (silent > (open ? most : CONNECT_TIMEOUT)) this.lose();
    else if (silent > most) this.#tell("lost");
  }

  #tell(state) {
    if (state !== "live" && state === this.#state) return;
    this.#state = state;
    this.handlers.onState(state);
  }

  // The browser gives up for good when the response is an error, as while a service restarts.
  #later() {
    clearInterval(this.#watch);
    const pause = Math.min(LONGEST_PAUSE, 1000 * 2 ** this.#tries) * (0.5 + Math.random() / 2);
    this.#tries += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.open(), pause);
  }
}
