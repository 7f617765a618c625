// A page of which a script or a style sheet did not come says so, and comes anew once that does: a
// part that is missing would leave it without all that it is to show. It stands first in the page,
// and is no module, so that no other part is needed for it.

let missing = null;

addEventListener(
  "error",
  ({ target }) => {
    const part = { LINK: target.href, SCRIPT: target.src }[target.tagName];
    if (part && !missing) miss(part);
  },
  true, // such events do not bubble
);

function miss(part) {
  missing = part;
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", show);
  else show();
  setInterval(async () => {
    const answer = await fetch(part, { cache: "no-store" }).catch(() => null);
    if (answer?.ok) location.reload();
  }, 5_000);
}

function show() {
  const live = document.getElementById("live");
  live.textContent = "Keine Verbindung";
  live.dataset.state = "lost";
}
