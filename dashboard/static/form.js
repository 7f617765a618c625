// „Termin erstellen"

import { sendAnyway, TypingHint } from "./addresses.js";
import * as api from "./api.js";
import { ADDRESS_FIELDS } from "./channels.js";
import { adaptAddresses, chosenChannels } from "./contact_fields.js";
import { today } from "./dates.js";
import { byId, describe } from "./dom.js";
import { enter, values } from "./drafts.js";
import { sentence } from "./errors.js";
import { Fields, forgetOffsetOnChange, number } from "./fields.js";
import { KnownAddresses } from "./known_addresses.js";
import { chooseLanguage, offerLanguages } from "./languages.js";
import { chosenOffset, clearOffsets } from "./offsets.js";
import { SlotHint } from "./slot_hint.js";
import { SmsPreview } from "./sms_preview.js";
import { SmsTime } from "./sms_time.js";

const NOT_TWICE =
  " Versuchen Sie es unverändert noch einmal: Der Termin wird dadurch nicht doppelt angelegt.";

export class CreateForm {
  #dialog = byId("create");
  #form = byId("create-form");
  #fields = new Fields(this.#form);
  #keys = new api.Keys();
  #hint = new TypingHint(this.#form.elements.email);

  /** `onCreated(appointment)` */
  constructor({ desk, dialogs, onCreated }) {
    this.desk = desk;
    this.dialogs = dialogs;
    this.onCreated = onCreated;
    dialogs.install(this.#dialog);
    this.preview = new SmsPreview({ desk, form: this.#form });
    desk.addEventListener("practice", () => this.#offer());
    this.slotHint = new SlotHint({ desk, form: this.#form, place: "create-slot-hint" });
    this.knownAddresses = new KnownAddresses({ form: this.#form });
    const { date, time } = this.#form.elements;
    this.smsTime = new SmsTime({
      desk,
      form: this.#form,
      slot: () => ({ date: date.value, time: time.value, offset: chosenOffset(this.#form) }),
    });
    forgetOffsetOnChange(this.#form);
    this.#form.addEventListener("change", () => this.#adapt());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    // Escape keeps what was typed, „Abbrechen" is meant.
    this.#dialog.querySelector(".sheet-foot [data-close]").addEventListener("click", () => {
      if (!this.#fields.busy) this.#reset();
    });
    window.addEventListener("beforeunload", (event) => {
      if (!api.isLeaving() && (this.#fields.busy || this.#begun())) event.preventDefault();
    });
  }

  open() {
    const { date } = this.#form.elements;
    const now = today(this.desk.practice.time_zone);
    if (!date.value) date.value = this.desk.date > now ? this.desk.date : now;
    this.#offer();
    this.dialogs.open(this.#dialog);
    this.slotHint.update();
    this.smsTime.update({ anew: true });
    this.#form.elements.patient_name.focus();
  }

  /** A new appointment for the patient of an earlier one; consent is asked for anew. */
  openFor({ patient_name, channels, email, phone, locale, duration_minutes }) {
    this.#reset();
    const { elements } = this.#form;
    for (const channel of Object.keys(ADDRESS_FIELDS)) elements[`channel-${channel}`].checked = channels.includes(channel);
    const known = { patient_name, email: email ?? "", phone: phone ?? "", duration_minutes };
    for (const [name, value] of Object.entries(known)) elements[name].value = value;
    this.open();
    if (this.desk.practice.languages.length) chooseLanguage(elements.locale, locale);
    this.preview.update();
    elements.date.focus(); // what is not known yet
  }

  /** What was begun, or null; `restore` shows it again. */
  draft() {
    return this.#begun() ? values(this.#form) : null;
  }

  restore(draft) {
    this.open();
    enter(this.#form, draft);
  }

  /** What this practice can choose from; again when it becomes known under an open form. */
  #offer() {
    this.#offerLanguages();
    this.#adapt();
    this.preview.update();
  }

  /** The practice's own language is chosen, also again after a reset, and while none is offered. */
  #offerLanguages() {
    byId("field-locale").hidden = this.desk.practice.languages.length === 0;
    offerLanguages(this.#form.elements.locale, this.desk.practice);
  }

  #begun() {
    return this.#dialog.open && this.#form.elements.patient_name.value.trim() !== "";
  }

  #reset() {
    this.#form.reset();
    clearOffsets(this.#form);
    this.#fields.clear();
    this.#adapt();
  }

  /** Only channels of this practice can be chosen; only the chosen ones need their address. */
  #adapt() {
    const { practice } = this.desk;
    for (const channel of Object.keys(ADDRESS_FIELDS)) {
      const box = this.#form.elements[`channel-${channel}`];
      box.disabled = !practice.channels.includes(channel);
      if (box.disabled) box.checked = false;
    }
    adaptAddresses(this.#form, practice);
    const hint = byId("sms-hint");
    const box = this.#form.elements["channel-sms"];
    hint.hidden = !box.disabled;
    describe(box, hint.id, box.disabled);
    if (box.disabled) hint.textContent = this.#whyNoSms();
  }

  #whyNoSms() {
    const { introduced, practice } = this.desk;
    if (!introduced) return "SMS ist gerade nicht wählbar: Der Server ist nicht erreichbar.";
    return practice.tariff_channels.includes("sms")
      ? "SMS ist in dieser Installation nicht eingerichtet."
      : "SMS gibt es in den Tarifen Standard und Premium.";
  }

  #content() {
    const { elements } = this.#form;
    const address = (name) => (byId(`field-${name}`).hidden ? null : elements[name].value.trim() || null);
    return {
      patient_name: elements.patient_name.value,
      channels: chosenChannels(this.#form),
      email: address("email"),
      phone: address("phone"),
      date: elements.date.value,
      time: elements.time.value,
      utc_offset: chosenOffset(this.#form),
      duration_minutes: number(elements.duration_minutes),
      consent: elements.consent.checked,
      locale: elements.locale.value || null,
      send_anyway: sendAnyway(this.#form),
      send_now: this.smsTime.sendNow,
    };
  }

  async #send() {
    if (this.#hint.holdsUp()) return;
    let created = null;
    const content = this.#content();
    const done = await this.#fields.submit(
      async (onRetry) => {
        created = await api.create(content, this.#keys.for(content), onRetry);
      },
      (error) => sentence(error) + (error instanceof api.Unreachable ? NOT_TWICE : ""),
    );
    if (!done) return;
    this.#keys.done();
    this.#reset();
    this.#dialog.close();
    this.onCreated(created);
  }
}
