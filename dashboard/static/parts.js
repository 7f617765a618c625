// A page of which a script or a style sheet did not come says so, and comes anew once that does: a
// part that is missing would leave it without all that it is to show. It stands first in the page,
// and is no module, so that no other part is needed for it.

const RETRY = 5_000; // milliseconds, and how long one try may take
let missing = false;

addEventListener(
  "error",
  ({ target }) => {
    const part = { LINK: target.href, SCRIPT: target.src }[target.tagName];
    if (part && !missing) miss(part);
  },
  true, // such events do not bubble
);

function miss(part) {
  missing = true;
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", show);
  else show();
  setInterval(async () => {
    const signal = AbortSignal.timeout(RETRY);
    const answer = await fetch(part, { cache: "no-store", signal }).catch(() => null);
    if (answer?.ok) location.reload();
  }, RETRY);
}

function show() {
  const live = document.getElementById("live");
  live.textContent = "Keine Verbindung";
  live.dataset.state = "lost";
}
