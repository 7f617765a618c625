// A form's fields: what is wrong with them, shown at the field and together at the top.

import { forgetMeant, forgetSendAnyway, offerMeant, offerSendAnyway } from "./addresses.js";
import { Refused, Unreachable } from "./api.js";
import { describe, h } from "./dom.js";
import { sentence } from "./errors.js";
import { clearOffsets, offerOffsets } from "./offsets.js";

export class Fields {
  #form;
  #summary;
  #progress;
  #busy = false;

  constructor(form) {
    this.#form = form;
    this.#summary = form.querySelector("[data-summary]");
    this.#progress = form.querySelector("[data-progress]");
  }

  get busy() {
    return this.#busy;
  }

  /**
   * Do `work` once at a time and show what comes of it. `explain(error)` may say more about an
   * error than `sentence` does, `saying` is what is under way. Resolves to true when it was done.
   */
  async submit(work, explain = sentence, saying = "Wird gesendet …") {
    if (this.#busy) return false;
    this.clear();
    this.#occupy(true, saying);
    try {
      await work(() => this.#say("Verbindung unterbrochen – neuer Versuch …"));
      return true;
    } catch (error) {
      const known = error instanceof Refused ? error.errors : [];
      if (!(error instanceof Refused || error instanceof Unreachable)) console.error(error);
      this.show(known, known.length ? "" : explain(error));
      return false;
    } finally {
      this.#occupy(false);
    }
  }

  clear() {
    this.#summary.hidden = true;
    this.#summary.replaceChildren();
    forgetSendAnyway(this.#form);
    forgetMeant(this.#form);
    for (const field of this.#form.querySelectorAll("[data-field]")) {
      field.classList.remove("wrong");
      field.querySelector(":scope > .error")?.remove();
      for (const input of field.querySelectorAll("[aria-invalid]")) {
        input.removeAttribute("aria-invalid");
        describe(input, this.#errorId(field), false);
      }
    }
  }

  show(errors, text = "") {
    const items = errors.map((error) => this.#item(error));
    const title = text || (errors.length === 1 ? "Bitte prüfen Sie diese Angabe:" : "Bitte prüfen Sie diese Angaben:");
    this.#summary.replaceChildren(h("p", { class: "summary-title" }, title));
    if (items.length) this.#summary.append(h("ul", {}, ...items));
    this.#summary.hidden = false;
    this.#summary.focus();
  }

  #item(error) {
    const field = this.#field(error.field);
    if (!field) return h("li", {}, error.message);
    let target = field.querySelector("input, select");
    this.#mark(field, error.message);
    if (error.code === "ambiguous_time" && error.options?.length) {
      target = offerOffsets(this.#form, error.options);
    }
    if (error.code === "dead_address") offerSendAnyway(field);
    if (error.code === "typographic_apostrophe") offerMeant(field, error.options);
    const link = h("button", { type: "button", class: "link" }, `${label(field)}${error.message}`);
    link.addEventListener("click", () => target.focus());
    return h("li", {}, link);
  }

  #mark(field, message) {
    if (field.classList.contains("wrong")) return;
    const id = this.#errorId(field);
    field.classList.add("wrong");
    const fold = field.closest("details");
    if (fold) fold.open = true;
    field.append(h("p", { class: "error", id }, message));
    for (const input of field.querySelectorAll("input, select")) {
      input.setAttribute("aria-invalid", "true");
      describe(input, id, true);
    }
  }

  #errorId(field) {
    return `error-${this.#form.id}-${field.dataset.field}`;
  }

  #field(name) {
    // utc_offset and channels.0 belong to the time and to the channels
    const known = name === "utc_offset" ? "time" : String(name).split(".")[0];
    const field = this.#form.querySelector(`[data-field="${CSS.escape(known)}"]`);
    return field?.hidden ? null : field;
  }

  #occupy(busy, saying = "") {
    this.#busy = busy;
    this.#form.setAttribute("aria-busy", String(busy));
    this.#form.querySelector('[type="submit"]').setAttribute("aria-disabled", String(busy));
    this.#say(saying);
  }

  #say(text) {
    this.#progress.textContent = text;
  }
}

/** A doubled hour was chosen for one time of one day: another one asks anew. */
export function forgetOffsetOnChange(form) {
  for (const name of ["date", "time"]) {
    form.elements[name].addEventListener("input", () => clearOffsets(form));
  }
}

/** The whole number in a number input; null where it is empty or none, so that all faults are told at once. */
export function number(input) {
  return Number.isSafeInteger(input.valueAsNumber) ? input.valueAsNumber : null;
}

function label(field) {
  const text = field.querySelector(":scope > label:not(.check), :scope > legend");
  return text ? `${text.firstChild.textContent}: ` : "";
}
