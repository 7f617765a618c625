// What everything that is told beside the work has in common.

import { h, icon } from "./dom.js";

/** A live region is heard when its content changes, so it has to be there before. */
export function sayLater(region, text) {
  setTimeout(() => {
    region.textContent = text;
  }, 50);
}

export function dismissal(act) {
  const button = h("button", { type: "button", class: "plain square", "aria-label": "Meldung schließen" });
  button.append(icon("close"));
  button.addEventListener("click", act);
  return button;
}

/** Nothing goes away under the pointer or the keyboard's focus. Returns what calls it off. */
export function leaveLater(element, stay, act) {
  let timer = 0;
  const wait = (delay) => {
    timer = setTimeout(() => {
      if (element.matches(":hover, :focus-within")) wait(stay / 3);
      else act();
    }, delay);
  };
  wait(stay);
  return () => clearTimeout(timer);
}
