// The choice of a patient's language.

import { h } from "./dom.js";

/** Fill an empty choice once the practice's languages are known. */
export function offerLanguages(select, { language, languages }) {
  if (select.options.length) return;
  select.append(
    ...languages.map(({ code, name }) =>
      h("option", { value: code, lang: code, selected: code === language }, name),
    ),
  );
}

/** Choose this one, be it none that is offered any more. */
export function chooseLanguage(select, code) {
  if (![...select.options].some((option) => option.value === code)) {
    select.append(h("option", { value: code, lang: code }, code));
  }
  select.value = code;
}
