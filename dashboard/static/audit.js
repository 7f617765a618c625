// „Protokoll": who did what, newest first. Ids and names of people at the practice, no patients.

import * as api from "./api.js";
import { isDay, moment, shortDate } from "./dates.js";
import { byId, h } from "./dom.js";
import { save } from "./files.js";

export class AuditLog {
  #rows = byId("audit-rows");
  #more = byId("audit-more");
  #state = byId("audit-state");
  #wanted = new URLSearchParams();
  #next = null;
  #turn = 0;

  constructor() {
    byId("audit-filter").addEventListener("submit", (event) => {
      event.preventDefault();
      this.show();
    });
    this.#more.addEventListener("click", () => this.#load(this.#next));
    byId("audit-export").addEventListener("click", (event) => this.#export(event.currentTarget));
  }

  /** Load the newest entries that the filter asks for. */
  async show() {
    this.#wanted = new URLSearchParams();
    for (const [name, id] of [["from", "audit-from"], ["to", "audit-to"]]) {
      const day = byId(id).value;
      if (isDay(day)) this.#wanted.set(name, day);
    }
    this.#rows.replaceChildren();
    await this.#load(null);
  }

  async #export(button) {
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    try {
      const response = await api.auditFile(this.#wanted);
      await save(response, "protokoll.csv");
    } catch {
      this.#state.textContent = "Die Datei konnte nicht erstellt werden. Bitte versuchen Sie es noch einmal.";
    } finally {
      button.removeAttribute("aria-disabled");
    }
  }

  async #load(before) {
    const turn = ++this.#turn;
    const query = new URLSearchParams(this.#wanted);
    if (before) query.set("before", before);
    this.#more.hidden = true;
    this.#state.textContent = "Wird geladen …";
    let page;
    try {
      page = await api.audit(query);
    } catch {
      if (turn !== this.#turn) return;
      this.#state.textContent = "Das Protokoll konnte nicht geladen werden. Bitte versuchen Sie es noch einmal.";
      this.#more.hidden = !before;
      return;
    }
    if (turn !== this.#turn) return;
    const known = new Map(page.appointments.map((one) => [one.id, one]));
    const rows = page.entries.map((entry) => line(entry, known, page));
    this.#rows.append(...rows);
    this.#next = page.next;
    this.#more.hidden = !page.next;
    const count = this.#rows.children.length;
    this.#state.textContent = count === 1 ? "1 Eintrag" : `${count ? count : "Keine"} Einträge${page.next ? ", weitere vorhanden" : ""}`;
    if (before) rows[0]?.focus(); // the button was used: go on reading where it led
  }
}

/** The codes of an entry are shown by the page's labels for them; one without a label as it is. */
function line(entry, known, { time_zone: zone, labels }) {
  const { actor } = entry;
  const roles = actor.roles.map((role) => labels.roles[role] ?? role).join(", ");
  const about = [labels.kinds[actor.kind] ?? actor.kind, roles].filter(Boolean).join(" · ");
  const changed = entry.changed.map((name) => labels.fields[name] ?? name).join(", ");
  return h(
    "tr",
    { role: "row", tabindex: "-1", "data-testid": "audit-entry" },
    h("td", { role: "cell" }, h("time", { datetime: entry.at }, moment(entry.at, zone))),
    h("td", { role: "cell" }, actor.name ?? actor.id, h("small", { class: "muted" }, about)),
    h("td", { role: "cell" }, labels.actions[entry.action] ?? entry.action, changed ? h("small", { class: "muted" }, changed) : null),
    h("td", { role: "cell" }, ...appointments(entry.appointment_ids, known), technicalities(entry)),
  );
}

const FEW = 3; // appointments

/** Each by its day and time, the soonest first; the page knows nothing of those whose data are gone. */
function appointments(ids, known) {
  const when = (id) => known.get(id)?.start ?? "";
  const all = [...ids].sort((one, other) => when(one).localeCompare(when(other))).map((id) => appointment(known.get(id)));
  if (all.length <= FEW) return all.map((one) => h("p", {}, one));
  return [h("details", {}, h("summary", {}, `${all.length} Termine`), h("ul", {}, ...all.map((one) => h("li", {}, one))))];
}

function appointment(found) {
  if (!found) return h("span", { class: "muted" }, "gelöscht");
  const when = `${shortDate(found.date)}, ${found.time}\u00a0Uhr`;
  if (found.deleted) return h("span", { class: "muted" }, `${when}, gelöscht`);
  return h("a", { href: `#/termine/${found.date}/${found.id}`, "data-testid": "audit-appointment" }, when);
}

/** For whoever looks after the technology. */
function technicalities({ actor, appointment_ids: ids, trace_id: trace, number }) {
  const lines = [
    ["Termin", ids],
    ["Kennung", [actor.id]],
    ["Vorgang", trace ? [trace] : []],
    ["Nummer", number ? [number] : []],
  ];
  return h(
    "details",
    { class: "technicalities" },
    h("summary", {}, "Einzelheiten"),
    h("dl", {}, ...lines.filter(([, values]) => values.length).flatMap(([name, values]) => [
      h("dt", {}, name), ...values.map((value) => h("dd", {}, h("code", {}, value))),
    ])),
  );
}
