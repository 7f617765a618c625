// „Erneut senden": to a corrected address, over another channel, under another name, in another
// language; asked for where something did not arrive, and offered at any time before the start.

import { sendAnyway, TypingHint } from "./addresses.js";
import * as api from "./api.js";
import { ADDRESS_FIELDS } from "./channels.js";
import { hideConflict, showConflict } from "./conflict.js";
import { CONTACT, renewsLink, same } from "./contact.js";
import { adaptAddresses, chosenChannels } from "./contact_fields.js";
import { differences } from "./differences.js";
import { byId, describe, setText } from "./dom.js";
import { enter, values } from "./drafts.js";
import { sentence } from "./errors.js";
import { Fields } from "./fields.js";
import { KnownAddresses } from "./known_addresses.js";
import { chooseLanguage, offerLanguages } from "./languages.js";
import { SmsTime } from "./sms_time.js";
import { CHANNELS, isNotLetIn, isWrongAddress, stateText } from "./words.js";

const NOT_TWICE = " Ein neuer Versuch ist ungefährlich: Es wird nicht doppelt gesendet.";
const LINK_STAYS = "Der Link bleibt gültig.";
const LINK_ENDS = "Der alte Link gilt nicht mehr, sobald Sie senden; die neue Einladung bringt einen neuen.";

export class Resend {
  #fold = byId("resend-fold");
  #form = byId("resend");
  #fields = new Fields(this.#form);
  #keys = new api.Keys();
  #hint = new TypingHint(this.#form.elements.email);
  #conflict = byId("resend-conflict");
  #other = byId("resend-other");
  #id = "";
  #seen = null; // the appointment that the form was filled from, or that it was compared with
  #typed = false;
  #failing = false;

  constructor({ desk, infoBoxes }) {
    this.desk = desk;
    this.infoBoxes = infoBoxes;
    this.knownAddresses = new KnownAddresses({ form: this.#form, own: () => this.#seen });
    this.smsTime = new SmsTime({
      desk,
      form: this.#form,
      slot: () => desk.appointment(this.#id) ?? { date: "", time: "" },
    });
    this.#fold.addEventListener("toggle", () => this.smsTime.update({ anew: true }));
    this.#form.addEventListener("input", () => {
      this.#typed = true;
      this.#settle(); // who goes on typing has seen both
      this.#adapt();
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#other.addEventListener("click", () => this.#sendOver(this.#other.dataset.channel));
  }

  begin(id) {
    this.#id = id;
    this.#startOver();
    this.#fold.open = false;
    this.#failing = false;
    byId("resend-more").open = false;
  }

  draft() {
    return this.#typed ? values(this.#form) : null;
  }

  restore(draft) {
    this.#fold.open = true;
    enter(this.#form, draft);
  }

  /** Show what the state asks for; what is being typed stays. */
  update() {
    const appointment = this.desk.appointment(this.#id);
    if (!appointment) return;
    this.#fold.hidden = Date.parse(appointment.start) <= Date.now();
    if (this.#fold.hidden) return;
    byId("resend-text").textContent = this.#text(appointment);
    const failing = this.#missing(appointment).length > 0;
    if (failing !== this.#failing && !this.#typed) this.#fold.open = failing;
    this.#failing = failing;
    if (!this.#typed) this.#fill(appointment);
    this.#explain();
    this.#adapt();
  }

  /** Put the focus into the address to be corrected, and both into view; false if nothing has failed. */
  focus() {
    const indicator = this.desk.indicator(this.#id);
    if (this.#fold.hidden || indicator?.overall !== "failed") return false;
    const failed = Object.keys(ADDRESS_FIELDS).find((one) => indicator.channels[one]?.state === "failed");
    const input = this.#form.elements[ADDRESS_FIELDS[failed]];
    input.focus({ preventScroll: true });
    input.select();
    input.closest("[data-field]").scrollIntoView({ block: "nearest" }); // of the state above it stays what can
    return true;
  }

  /** What is wrong with an address is said at it, too: the state may be out of view. */
  #explain() {
    const channels = this.desk.indicator(this.#id)?.channels ?? {};
    for (const [channel, name] of Object.entries(ADDRESS_FIELDS)) {
      const why = byId(`resend-${name}-why`);
      why.hidden = channels[channel]?.state !== "failed";
      setText(why, why.hidden ? "" : `${CHANNELS[channel]}: ${stateText(channel, channels[channel])}`);
      describe(this.#form.elements[name], why.id, !why.hidden);
    }
  }

  #startOver() {
    this.#typed = false;
    this.knownAddresses.forget();
    this.#fields.clear();
    this.#settle();
  }

  #fill(appointment) {
    const { elements } = this.#form;
    const { practice } = this.desk;
    this.#seen = appointment;
    const missing = this.#missing(appointment);
    const chosen = missing.length ? missing : appointment.channels;
    for (const channel of Object.keys(ADDRESS_FIELDS)) {
      const possible = practice.channels.includes(channel);
      elements[`channel-${channel}`].checked = possible && chosen.includes(channel);
      elements[`channel-${channel}`].closest("label").hidden = !possible;
    }
    for (const name of ["patient_name", "email", "phone"]) elements[name].value = appointment[name] ?? "";
    offerLanguages(elements.locale, practice);
    chooseLanguage(elements.locale, appointment.locale);
  }

  /** What follows from what is entered. */
  #adapt() {
    adaptAddresses(this.#form, this.desk.practice);
    const entered = this.#entered();
    const renews = this.#seen?.invitation?.renews_link || renewsLink(this.#seen, entered);
    setText(byId("resend-link"), renews ? LINK_ENDS : LINK_STAYS);
    const other = this.#failing && this.#spare(entered);
    this.#other.hidden = !other;
    if (!other) return;
    this.#other.dataset.channel = other;
    setText(this.#other, `Stattdessen per ${CHANNELS[other]} senden`);
  }

  /** A channel that this attempt did not use, with an address that is stored or just entered. */
  #spare(entered) {
    const used = this.desk.indicator(this.#id)?.channels ?? {};
    return Object.keys(ADDRESS_FIELDS).find(
      (channel) =>
        this.desk.practice.channels.includes(channel) && entered[ADDRESS_FIELDS[channel]] && !(channel in used),
    );
  }

  /** What the form holds; of what is not shown, what is stored. */
  #entered() {
    const { elements } = this.#form;
    const entered = {};
    for (const name of CONTACT) {
      const hidden = this.#form.querySelector(`[data-field="${name}"]`).hidden;
      entered[name] = (hidden ? this.#seen[name] : elements[name].value.trim()) || null;
    }
    return entered;
  }

  /**
   * The channels to send over again: all that have not arrived, since a new attempt takes the
   * place of what is still under way.
   */
  #missing(appointment) {
    const indicator = this.desk.indicator(this.#id);
    if (!indicator || !["failed", "unconfirmed"].includes(indicator.overall)) return [];
    return appointment.channels.filter((one) => indicator.channels[one]?.state !== "delivered");
  }

  #text(appointment) {
    const { channels, overall } = this.desk.indicator(this.#id) ?? { overall: "pending" };
    if (overall === "delivered") {
      return "Die Einladung ist zugestellt. Gehört die Adresse oder Nummer jemand anderem, oder soll sie noch einmal ankommen? Berichtigen Sie die Angaben, und senden Sie erneut.";
    }
    if (overall === "unconfirmed" && Object.values(channels).some((view) => view.address_changed)) {
      return "Eine Adresse oder Nummer wurde geändert, und dorthin wurde noch nichts gesendet. Bitte senden Sie die Einladung erneut.";
    }
    if (overall === "unconfirmed") {
      return "Ob die Einladung ankam, ist nicht sicher. Bitte rufen Sie an, oder senden Sie sie erneut.";
    }
    if (overall !== "failed") {
      return "Die Einladung ist unterwegs. Was Sie jetzt senden, tritt an ihre Stelle.";
    }
    const missing = this.#missing(appointment);
    if (missing.some((one) => channels[one]?.category === "technical")) {
      return "Der Versand ist an einer technischen Störung gescheitert; Adresse oder Nummer können richtig sein.";
    }
    if (missing.length > 1) return "Bitte prüfen Sie die Angaben und senden Sie die Einladung erneut.";
    if (isNotLetIn(channels[missing[0]] ?? {})) {
      return missing[0] === "sms"
        ? "Die Mobilnummer kann richtig sein, das Mobilfunknetz nimmt die SMS aber nicht an; noch einmal dasselbe zu senden hilft selten. Bitte rufen Sie an, oder senden Sie per E-Mail."
        : "Die Adresse kann richtig sein, der E-Mail-Anbieter des Empfängers lässt die Einladung aber nicht zu; noch einmal dasselbe zu senden hilft selten. Bitte rufen Sie an, senden Sie per SMS, oder geben Sie eine andere Adresse an. Kommt das öfter vor, sagen Sie es Ihrer technischen Betreuung.";
    }
    const asked = missing[0] === "sms" ? "Mobilnummer" : "Adresse";
    return isWrongAddress(channels[missing[0]] ?? {})
      ? `Wie lautet die richtige ${asked}? Bitte prüfen und erneut senden.`
      : `Die ${asked} kann trotzdem richtig sein. Bitte prüfen oder eine andere angeben, und erneut senden.`;
  }

  #sendOver(channel) {
    for (const one of Object.keys(ADDRESS_FIELDS)) {
      this.#form.elements[`channel-${one}`].checked = one === channel;
    }
    this.#typed = true;
    this.#adapt();
    this.#send();
  }

  async #send() {
    if (this.#hint.holdsUp()) return;
    const channels = chosenChannels(this.#form);
    const id = this.#id;
    const seen = this.#seen;
    const entered = this.#entered();
    const body = { channels, send_anyway: sendAnyway(this.#form), send_now: this.smsTime.sendNow };
    for (const name of CONTACT) {
      if (!same(name, entered[name], seen[name])) body[name] = entered[name] ?? "";
    }
    let sent = null;
    let stored = null;
    const done = await this.#fields.submit(
      async (onRetry) => {
        try {
          sent = await api.resend(id, body, this.#keys.for([id, body, seen.version]), seen.version, onRetry);
        } catch (error) {
          if (!(error instanceof api.Refused && error.status === 412)) throw error;
          this.#typed = true; // what is entered stays
          stored = await this.desk.fetch(id);
        }
      },
      (error) => sentence(error) + (error instanceof api.Unreachable ? NOT_TWICE : ""),
    );
    if (!done) return;
    if (stored) {
      if (id === this.#id) this.#compare({ ...seen, ...entered, channels }, seen, stored);
      return;
    }
    this.#keys.done();
    if (id === this.#id) {
      this.#startOver();
      this.#fold.open = false;
      byId("details-title").focus(); // the form goes away under the focus
    }
    const renewed = sent.invitation.link_version > seen.invitation.link_version;
    this.infoBoxes.announce(`Die Einladung wird erneut versendet.${renewed ? " Der alte Link gilt nicht mehr." : ""}`);
    await this.desk.awaitArrival(sent);
  }

  /** A colleague was faster: what is entered stays, beside what is stored. */
  #compare(mine, seen, stored) {
    this.#seen = stored;
    this.#adapt();
    this.#form.classList.add("conflicting");
    const what = stored.invitation.attempt > seen.invitation.attempt ? "diese Einladung inzwischen erneut gesendet" : "diesen Termin inzwischen geändert";
    showConflict(this.#conflict, {
      text: `Jemand hat ${what}. Von hier wurde noch nichts gesendet; bitte entscheiden Sie.`,
      rows: differences(mine, seen, stored, this.desk.practice),
      mine: "Meine Angaben senden",
      onMine: () => this.#send(),
      onStored: () => {
        this.#startOver();
        this.update();
        byId("details-title").focus();
      },
    });
  }

  #settle() {
    hideConflict(this.#conflict);
    this.#form.classList.remove("conflicting");
  }
}
