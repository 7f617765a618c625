// „Protokoll": who did what, newest first. Ids and names of people at the practice, no patients.

import * as api from "./api.js";
import { isDay, moment } from "./dates.js";
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
    const rows = page.entries.map((entry) => line(entry, page));
    this.#rows.append(...rows);
    this.#next = page.next;
    this.#more.hidden = !page.next;
    const count = this.#rows.children.length;
    this.#state.textContent = count === 1 ? "1 Eintrag" : `${count ? count : "Keine"} Einträge${page.next ? ", weitere vorhanden" : ""}`;
    if (before) rows[0]?.focus(); // the button was used: go on reading where it led
  }
}

/** The roles stay where the page is too narrow for a table. The codes of an entry are shown by the page's labels for them; one without a label as it is. */
function line(entry, { time_zone: zone, labels }) {
  const { actor } = entry;
  const roles = actor.roles.map((role) => labels.roles[role] ?? role).join(", ");
  const about = [labels.kinds[actor.kind] ?? actor.kind, actor.name ? actor.id : "", roles, entry.proven === false ? "nicht belegt" : ""];
  const changed = entry.changed.map((name) => labels.fields[name] ?? name).join(", ");
  return h(
    "tr",
    { role: "row", tabindex: "-1", "data-testid": "audit-entry" },
    h("td", { role: "cell" }, h("time", { datetime: entry.at }, moment(entry.at, zone))),
    h("td", { role: "cell" }, actor.name ?? actor.id, h("small", { class: "muted" }, about.filter(Boolean).join(" · "))),
    h("td", { role: "cell" }, labels.actions[entry.action] ?? entry.action, changed ? h("small", { class: "muted" }, changed) : null),
    h("td", { role: "cell" }, ...appointments(entry.appointment_ids)),
  );
}

function appointments(ids) {
  if (ids.length > 3) {
    const all = ids.map((id) => h("li", {}, h("code", {}, id)));
    return [h("details", {}, h("summary", {}, `${ids.length} Termine`), h("ul", {}, ...all))];
  }
  return ids.map((id) => h("code", {}, id));
}
