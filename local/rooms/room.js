// Who is coming stands in the fragment, as JSON, as jitsi-meet reads it.

const known = {};
for (const part of location.hash.slice(1).split("&")) {
  const [name, value] = part.split("=");
  try {
    known[name] = JSON.parse(decodeURIComponent(value));
  } catch {
    // not said
  }
}

const answer = await fetch(location.pathname, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ token: known.jwt ?? "" }),
});
document.getElementById(answer.ok ? "room" : "refused").hidden = false;
if (answer.ok) {
  const { name, leads } = await answer.json();
  document.getElementById("name").textContent = name ?? known["userInfo.displayName"] ?? "";
  document.getElementById("role").textContent = leads ? "Leitung der Videosprechstunde" : "Gast";
  document.getElementById("name-of-room").textContent = location.pathname.slice(1);
}
