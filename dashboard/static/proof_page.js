// A proof as a page: it can be printed, and goes with the session.

import * as api from "./api.js";
import { byId } from "./dom.js";

const LOOK_EVERY = 60_000; // milliseconds

/** Once the session is over nothing of a patient stays on the screen (`api`). */
function look() {
  api.session().catch(() => {}); // not to be reached: what is shown was true when it was made
}

byId("print").addEventListener("click", () => window.print());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") look();
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) look();
});
setInterval(look, LOOK_EVERY);
