// Who is logged in, what they may do, and that somebody is there.

import * as api from "./api.js";
import { byId, h } from "./dom.js";
import { forgetDrafts } from "./drafts.js";

const REPORT_EVERY = 60_000; // milliseconds
const DELETE = "appointments:delete";
const AUDIT = "audit:read";
const HOST = "visits:host";

let reportedAt = 0; // milliseconds since the epoch

/** Show who is logged in, and only what they may do. Resolves to the key of their drafts. Throws as `api` does. */
export async function introduceUser() {
  const { name, rights, draft_key: draftKey, demo_links: demoLinks } = await api.session();
  byId("user").textContent = name;
  for (const id of ["delete-open", "erasure"]) byId(id).hidden = !rights.includes(DELETE);
  byId("nav-protokoll").hidden = !rights.includes(AUDIT);
  byId("visit-open").hidden = !rights.includes(HOST);
  showDemo(demoLinks);
  return draftKey;
}

/** That nothing of this is real, and where to see what arrived. */
function showDemo(links) {
  const places = Object.entries(links).map(([name, href]) => h("a", { href, target: "_blank", rel: "noopener" }, name));
  byId("demo").hidden = places.length === 0;
  byId("demo").replaceChildren("Zum Ausprobieren: Nichts verlässt diesen Rechner. Was ankommt, sehen Sie hier: ",
    ...places.flatMap((place, at) => (at ? [", ", place] : [place])));
}

/** The session lasts while somebody is at the page; that it reloads itself does not count. */
export function watchActivity() {
  for (const sign of ["pointerdown", "keydown"]) {
    document.addEventListener(sign, noteActivity, { passive: true });
  }
  byId("log-out").addEventListener("click", logOut);
}

function noteActivity() {
  if (Date.now() - reportedAt < REPORT_EVERY) return;
  reportedAt = Date.now();
  api.noteActivity().catch(() => {
    reportedAt = 0;
  });
}

async function logOut() {
  try {
    await api.logOut();
    forgetDrafts();
  } catch {
    byId("connection").textContent = "Abmelden ist gerade nicht möglich. Bitte versuchen Sie es noch einmal.";
  }
}
