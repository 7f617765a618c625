// The services' public APIs, by way of the dashboard's server.

import { note } from "./outages.js";
import { heard } from "./server_clock.js";

const TIMEOUT = 25_000; // milliseconds; longer than the server waits for a service
const FILE_TIMEOUT = 300_000; // milliseconds for the whole of it
const MOST_LISTED = 5000; // appointments; there is no page that could show more
const FAREWELL = 1_000; // milliseconds
const PAUSES = [500, 1500, 4000]; // milliseconds before the 2nd, 3rd and 4th try

export const TOO_MANY_MESSAGES = "too-many-messages";

/** The service said no. `errors` is the list of field errors, maybe empty. */
export class Refused extends Error {
  constructor(status, problem) {
    super(`HTTP ${status}`);
    this.status = status;
    this.code = problem?.code ?? "";
    this.detail = problem?.detail ?? "";
    this.errors = Array.isArray(problem?.errors) ? problem.errors : [];
  }
}

/** No response from the service: whether the request was carried out is not known. */
export class Unreachable extends Error {}

let leaving = false; // the browser is on its way to another page

/** As Unreachable, after a long wait: the server is there and says nothing. */
export class TimedOut extends Unreachable {}

const noResponse = (error) => (error?.name === "TimeoutError" ? new TimedOut() : new Unreachable());

let farewell = async () => {};

/** What is to be done before the page goes because the session is over; it has a moment. */
export function beforeLeaving(act) {
  farewell = act;
}

export const isLeaving = () => leaving;

/** The session is over: nothing of a patient stays on the screen. Never resolves. */
async function leave() {
  if (!leaving) {
    leaving = true;
    const moment = new Promise((resolve) => setTimeout(resolve, FAREWELL));
    await Promise.race([Promise.resolve().then(farewell).catch(console.error), moment]);
    location.replace(`/abgelaufen?zurueck=${encodeURIComponent(location.hash)}`);
  }
  return new Promise(() => {});
}

/** One request. Resolves to the JSON of the response, or null. Throws Refused or Unreachable. */
export async function request(method, path, { body, key, version } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  let response;
  let content;
  try {
    response = await fetch(`/api${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT),
      redirect: "error",
      credentials: "same-origin",
    });
    content = await response.text();
  } catch (error) {
    throw noResponse(error);
  }
  heard(response.headers.get("Date"));
  if (response.status === 401) return leave();
  let data = null;
  try {
    data = content ? JSON.parse(content) : null;
  } catch {
    if (response.ok) throw new Unreachable();
  }
  note(path, response.status, data);
  // Too many letters are for hours; too many requests are over within a moment.
  const bounded = data?.code === TOO_MANY_MESSAGES;
  if (!bounded && [429, 500, 502, 503, 504].includes(response.status)) throw new Unreachable();
  if (!response.ok) throw new Refused(response.status, data);
  return data;
}

/**
 * A request that may safely be made again: reading, deleting, or writing under a key.
 * `onRetry()` is called before each further try.
 */
export async function patiently(method, path, options = {}, onRetry = () => {}) {
  for (const pause of PAUSES) {
    try {
      return await request(method, path, options);
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      onRetry();
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return request(method, path, options);
}

/** Keeps one Idempotency-Key for as long as the content stays the same. */
export class Keys {
  #content = null;
  #key = null;

  for(body) {
    const content = JSON.stringify(body);
    if (content !== this.#content) {
      this.#content = content;
      this.#key = newKey();
    }
    return this.#key;
  }

  /** It was carried out: the same content again is a new request. */
  done() {
    this.#content = null;
  }
}

function newKey() {
  // randomUUID is there in secure contexts only
  if (crypto.randomUUID) return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

const encode = encodeURIComponent;

export const session = () => request("GET", "/session");
export const noteActivity = () => request("POST", "/session/activity");
export const practice = () => request("GET", "/scheduling/practice");
export const day = (date) => request("GET", `/scheduling/appointments?date=${encode(date)}`);
/** All that start on these days, both included, by start. */
export async function days(from, to) {
  const query = new URLSearchParams({ from, to, limit: "500" });
  const found = [];
  for (;;) {
    const page = await request("GET", `/scheduling/appointments?${query}`);
    found.push(...page.appointments);
    if (!page.next || found.length >= MOST_LISTED) return { appointments: found };
    query.set("cursor", page.next);
  }
}

/** Appointments of patients with such a name, a page of them. A body, so that no name stands in an address. */
export const search = (body) => request("POST", "/scheduling/appointments/search", { body });
export const appointment = (id) => patiently("GET", `/scheduling/appointments/${encode(id)}`);
export const create = (body, key, onRetry) =>
  patiently("POST", "/scheduling/appointments", { body, key }, onRetry);
export const resend = (id, body, key, version, onRetry) =>
  patiently("POST", `/scheduling/appointments/${encode(id)}/invitations`, { body, key, version }, onRetry);
/** That somebody has dealt with what stood behind `causes`. */
export const followUp = (id, causes, key, onRetry) =>
  patiently("POST", `/scheduling/appointments/${encode(id)}/follow-ups`, { body: { causes }, key }, onRetry);
/** What this practice knows of addresses that are typed. */
export const knownAddresses = (body) => request("POST", "/scheduling/addresses/lookup", { body });
/** What waits for the morning goes out now. */
export const sendNow = (id) => patiently("POST", `/scheduling/appointments/${encode(id)}/send-now`);
/** Until when an SMS that is requested now would wait. */
export const smsTime = (query) => request("GET", `/scheduling/sms-time?${query}`);
export const change = (id, body, version) =>
  request("PATCH", `/scheduling/appointments/${encode(id)}`, { body, version });
export const smsPreview = (query) => request("GET", `/notification/previews/sms?${query}`);
export const measures = (days) => request("GET", `/status/measures?days=${encode(days)}`);
/** By weeks that begin in this zone. */
export const measuredWeeks = (zone) => request("GET", `/status/measures/weeks?time_zone=${encode(zone)}`);
export const audit = (query) => request("GET", `/scheduling/audit?${query}`);

/** Have a file made, which the log says. Resolves to the response, still to be read. */
async function file(path, query) {
  let response;
  try {
    response = await fetch(`/api${path}?${query}`, {
      method: "POST",
      signal: AbortSignal.timeout(FILE_TIMEOUT),
      redirect: "error",
      credentials: "same-origin",
    });
  } catch (error) {
    throw noResponse(error);
  }
  if (response.status === 401) return leave();
  if (response.ok) return response;
  if (response.status >= 500 || response.status === 429) throw new Unreachable();
  throw new Refused(response.status, await response.json().catch(() => null));
}

export const auditFile = (query) => file("/scheduling/audit/export", query);
export const proofFile = (query) => file("/nachweis", query);
export const room = (id) => request("POST", `/scheduling/appointments/${encode(id)}/room`);
export const indicator = (id) => request("GET", `/status/indicators/${encode(id)}`);

/** Log out. What is still under way finds no session any more, and must not stop us. */
export async function logOut() {
  leaving = true;
  try {
    const { location: next } = await request("DELETE", "/session");
    location.assign(next);
  } catch (error) {
    leaving = false;
    throw error;
  }
}

/** 404 means that it is gone, which is what was wanted. */
export async function remove(id, version, notify, onRetry) {
  try {
    const path = `/scheduling/appointments/${encode(id)}?notify=${notify}`;
    await patiently("DELETE", path, { version }, onRetry);
  } catch (error) {
    if (!(error instanceof Refused && error.status === 404)) throw error;
  }
}

/** As `remove`, with all that is held of the appointment. */
export async function erase(id, version, onRetry) {
  try {
    await patiently("POST", `/scheduling/appointments/${encode(id)}/erasure`, { version }, onRetry);
  } catch (error) {
    if (!(error instanceof Refused && error.status === 404)) throw error;
  }
}

const MAX_IDS = 100; // of one request: an address of some 6 kB

/** A page of the coming appointments that need a person, what can least wait first. */
export function open(cursor, limit) {
  const query = new URLSearchParams({ open: "true", limit });
  if (cursor) query.set("cursor", cursor);
  return request("GET", `/status/indicators?${query}`);
}

/** These appointments, as far as they are there; at most 100. */
export const named = (ids) => request("GET", `/scheduling/appointments?${ids.map((id) => `id=${encode(id)}`).join("&")}`);

/** The indicators of these appointments, as far as they have one. */
export async function indicators(ids) {
  const pages = [];
  for (let from = 0; from < ids.length; from += MAX_IDS) {
    const query = ids.slice(from, from + MAX_IDS).map((id) => `appointment_id=${encode(id)}`);
    pages.push(request("GET", `/status/indicators?${query.join("&")}`));
  }
  return (await Promise.all(pages)).flatMap((page) => page.indicators);
}
