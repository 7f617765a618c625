// The patient's language: what it is called, and the choice of one.

import { h } from "./dom.js";

const GERMAN_NAMES = new Intl.DisplayNames(["de"], { type: "language" });

/** „Türkisch – Türkçe": whoever chooses need not read the patient's language. */
export function shownLanguage({ code, name }) {
  return /^de\b/.test(code) || code === name ? name : `${GERMAN_NAMES.of(code)} – ${name}`;
}

/** The same as nodes: the language's own name is read out in that language. */
export function spokenLanguage({ code, name }) {
  return [shownLanguage({ code, name }).slice(0, -name.length), h("span", { lang: code }, name)];
}

/** Fill an empty choice once the practice's languages are known. */
export function offerLanguages(select, { language, languages }) {
  if (select.options.length) return;
  select.append(
    ...languages.map((one) => h("option", { value: one.code, selected: one.code === language }, shownLanguage(one))),
  );
}

/** Choose this one, be it none that is offered any more. */
export function chooseLanguage(select, code) {
  if (![...select.options].some((option) => option.value === code)) {
    select.append(h("option", { value: code, lang: code }, code));
  }
  select.value = code;
}
