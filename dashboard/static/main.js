// Wiring of the page.

import * as api from "./api.js";
import { AuditLog } from "./audit.js";
import { isDay, longDay, today } from "./dates.js";
import { DaySheet } from "./day_sheet.js";
import { DAY, Desk, WEEK } from "./desk.js";
import { Details } from "./details.js";
import { Dialogs } from "./dialogs.js";
import { byId } from "./dom.js";
import { Drafts } from "./drafts.js";
import { FollowUp } from "./follow_up.js";
import { CreateForm } from "./form.js";
import { Head, VIEWS } from "./head.js";
import { InfoBoxes } from "./info_boxes.js";
import { Live } from "./live.js";
import { Measures } from "./measures.js";
import { Offen } from "./offen.js";
import { OpenList } from "./open_list.js";
import { RETRY } from "./outages.js";
import { Overview } from "./overview.js";
import { Patients } from "./patients.js";
import { Proofs } from "./proofs.js";
import { ERASE } from "./removal.js";
import { Rescue } from "./rescue.js";
import { introduceUser, watchActivity } from "./session.js";
import { Stream } from "./stream.js";
import { CHANNELS, reason, unsent } from "./words.js";

const REFRESH = 60_000; // milliseconds; finds what no event is sent for, as a corrected name
const REFRESH_IN_TROUBLE = 5_000; // milliseconds
const HOME_AFTER = 1_500; // milliseconds in which the page may find out where its home is
const NEWS_TEXTS = {
  delivered: (channel, name) => `${channel} erfolgreich zugestellt an ${name}`,
  failed: (channel, name) => `${channel} konnte nicht zugestellt werden ${name}`,
  unconfirmed: (channel, name) => `${channel} nicht bestätigt, bitte anrufen: ${name}`,
};

const desk = new Desk();
const openList = new OpenList(desk);
const head = new Head({ desk, openList });
const live = new Live({ desk, openList });
const infoBoxes = new InfoBoxes({
  onLook: () => {
    dialogs.closeAll();
    location.hash = "#/offen";
  },
});
const dialogs = new Dialogs(infoBoxes);
/** `instead` of the day that is shown: there is no way back to that, and the view stays what it is. */
const goTo = (day, span = desk.span, { instead = false } = {}) => {
  const address = `#/termine/${day}${span === WEEK ? "/woche" : ""}`;
  if (!instead) location.hash = address;
  else if (isDay(location.hash.split("/")[2])) {
    history.replaceState(null, "", address);
    route(true);
  } else desk.show(day, span);
};

const followUp = new FollowUp({
  dialogs,
  onDone: (id) => {
    infoBoxes.drop(id);
    infoBoxes.announce("Als erledigt markiert.");
  },
});
const details = new Details({
  desk,
  dialogs,
  infoBoxes,
  onDone: (indicator, name) => followUp.open(indicator, name),
  onAgain: (appointment) => create.openFor(appointment),
  onMoved: (moved) => {
    infoBoxes.tell(`Verschoben: ${moved.patient_name}, ${longDay(moved.date)}, ${moved.time} Uhr, ${moved.duration_minutes} Min.`);
    goTo(moved.date);
    overview.mark(moved.id);
  },
  onRemoved: ({ patient_name: name, date, time }, operation) => {
    // Of whom nothing is to be kept, nothing is told either.
    infoBoxes.tell(operation === ERASE
      ? "Gelöscht, mit allen Daten. Der Link ist ungültig."
      : `Gelöscht: ${name}, ${longDay(date)}, ${time} Uhr. Der Link ist ungültig.`);
    setTimeout(() => document.querySelector("main > :not([hidden]) h1").focus());
  },
});
const overview = new Overview({
  desk,
  onOpen: (id) => {
    infoBoxes.drop(id); // its dialog says it all
    details.open(id);
  },
  onShow: goTo,
  isBusy: () => dialogs.any,
});
new Patients({
  desk,
  onOpen: (id) => {
    infoBoxes.drop(id);
    details.open(id);
  },
});
const rescue = new Rescue({ desk, infoBoxes, onOpen: (id) => details.open(id) });
new Offen({
  desk,
  openList,
  onOpen: (id) => {
    infoBoxes.drop(id);
    details.open(id);
  },
  onSend: (appointment, channel) => rescue.send(appointment, channel),
  onDone: (indicator, name) => followUp.open(indicator, name),
});
const auditLog = new AuditLog();
const create = new CreateForm({
  desk,
  dialogs,
  onCreated: (created) => {
    infoBoxes.announce("Der Termin ist erstellt, die Einladung wird versendet.");
    goTo(created.date);
    overview.mark(created.id);
    desk.awaitArrival(created);
  },
});
const drafts = new Drafts();
api.beforeLeaving(() => {
  const draft = { begun: create.draft(), details: details.draft() };
  return drafts.keep(draft.begun || draft.details ? draft : null);
});

/** What was being entered as the session ended. */
async function resume() {
  const draft = await drafts.take();
  if (!draft) return;
  try {
    const same = draft.details ? await details.restore(draft.details) : true;
    if (draft.begun) create.restore(draft.begun);
    infoBoxes.tell("Ihre Eingaben von vorhin sind wieder da.", {
      detail: same ? "" : "Der Termin wurde inzwischen geändert; bitte prüfen Sie die Angaben.",
    });
  } catch {
    infoBoxes.tell("Ihre Eingaben von vorhin gehörten zu einem Termin, den es nicht mehr gibt.", { stays: true });
  }
}

new DaySheet({ desk, openList });
new Measures({ desk, dialogs });
new Proofs({ desk, dialogs, infoBoxes });
for (const button of document.querySelectorAll('[data-opens="create"]')) {
  button.addEventListener("click", () => create.open());
}
byId("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address belongs to the views
  byId("main").focus();
});

desk.addEventListener("news", ({ detail }) => {
  if (detail.state !== "delivered") infoBoxes.hideCenter();
  const { appointment, state } = detail;
  const channel = CHANNELS[detail.channel] ?? detail.channel;
  const view = desk.indicator(appointment.id)?.channels[detail.channel];
  const text = view?.address_changed && state === "unconfirmed"
    ? `${channel}: ${unsent(detail.channel)}: ${appointment.patient_name}`
    : NEWS_TEXTS[state](channel, appointment.patient_name);
  infoBoxes.infobox(state, text, {
    id: appointment.id,
    channel: detail.channel,
    detail: state === "failed" && view ? reason(detail.channel, view) : "",
    actions: rescue.actions(appointment, state),
  });
});
desk.addEventListener("indicator", ({ detail: { id } }) => {
  const { channels = {}, followed_up_at: done } = desk.indicator(id) ?? {};
  // Nobody has to be told what another desk has dealt with.
  infoBoxes.review(id, (channel, state) => channels[channel]?.state === state && !(done && state !== "delivered"));
});
desk.addEventListener("deleted", ({ detail }) => infoBoxes.drop(detail.id));
desk.addEventListener("sent", ({ detail }) => {
  // In the middle of work on another appointment it would seem to be about that one.
  if (!dialogs.any || details.shows(detail.id)) infoBoxes.center("Einladung erfolgreich versendet");
});

const stream = new Stream({
  onIndicator: (indicator) => {
    if (indicator.cancelled) desk.forget(indicator.appointment_id); // what is still to be done is in „Offen"
    else desk.indicate(indicator, { fresh: true });
  },
  onDeleted: (id) => desk.forget(id),
  onMoved: (id) => desk.renew(id),
  onOpenCount: (count) => openList.counted(count),
  onReset: () => {
    desk.startOver();
    openList.ask();
  },
  onState: (state) => {
    openList.hear(state);
    live.hear(state);
    if (state === "lost") refreshNow(); // finds out what is away
    if (state !== "live") return;
    desk.catchUp();
    openList.ask();
  },
});

let home = "termine"; // the view of an address that names none

/** „Offen" is where the desk begins while something is. */
async function findHome() {
  await Promise.race([openList.ask(), new Promise((resolve) => setTimeout(resolve, HOME_AFTER))]);
  if (openList.count) home = "offen";
}

/** A way to an appointment, as the log has; in the address stays the day alone. */
async function lead(day, id) {
  history.replaceState(null, "", `#/termine/${day}`);
  try {
    const found = await desk.fetch(id);
    if (found.date !== day) goTo(found.date); // moved meanwhile
    details.open(id);
  } catch (error) {
    infoBoxes.tell(error instanceof api.Refused && error.status === 404
      ? "Diesen Termin gibt es nicht mehr."
      : "Der Termin konnte nicht geladen werden. Bitte versuchen Sie es noch einmal.");
  }
}

function route(focus) {
  const [, name, day, part] = location.hash.split("/");
  const view = name in VIEWS ? name : home;
  for (const one of Object.keys(VIEWS)) byId(`view-${one}`).hidden = one !== view;
  head.show(view);
  const changed = document.body.dataset.view !== view;
  document.body.dataset.view = view;
  if (focus && changed) byId(`${view}-title`).focus();
  if (changed && view === "protokoll") auditLog.show();
  if (changed && view === "offen") openList.ask();
  const wanted = isDay(day) ? day : desk.date || today(desk.practice.time_zone);
  const span = part === "woche" ? WEEK : DAY;
  const shown = isDay(day) ? span : desk.span;
  if (wanted !== desk.date || shown !== desk.span) desk.show(wanted, shown);
  if (view === "termine" && isDay(day) && part && span === DAY) lead(day, part);
}

async function introduce() {
  try {
    await drafts.unlock(await introduceUser());
    desk.introduce(await api.practice());
    byId("practice-name").textContent = desk.practice.name;
    if (document.body.dataset.view) route(false);
  } catch (error) {
    if (error instanceof api.Refused && error.status === 403) location.replace("/kein-zugang");
    else setTimeout(introduce, REFRESH_IN_TROUBLE);
  }
}

/** What is open stands in the title, which is read also while another tab is seen. */
function refreshNow() {
  openList.ask();
  if (document.visibilityState === "visible") desk.reload();
}

function refreshForever() {
  setTimeout(() => {
    refreshNow();
    refreshForever();
  }, desk.fault || desk.blind || !openList.certain ? REFRESH_IN_TROUBLE : REFRESH);
}

/** A browser has six connections to a server: tabs that nobody sees must not hold them all. */
function streamWhileSeen() {
  if (document.visibilityState === "visible") stream.open();
  else stream.close();
}

/** The computer says so, before any beat is missed. */
function noticeOffline() {
  if (document.visibilityState === "visible") stream.lose();
}

window.addEventListener(RETRY, refreshNow);
window.addEventListener("hashchange", () => route(true));
document.addEventListener("visibilitychange", () => {
  streamWhileSeen();
  refreshNow();
});
window.addEventListener("online", () => {
  streamWhileSeen();
  refreshNow();
});
window.addEventListener("offline", noticeOffline);
window.addEventListener("pagehide", () => stream.close());
window.addEventListener("pageshow", (event) => {
  if (event.persisted) stream.open();
});

watchActivity();
byId("page").focus({ preventScroll: true }); // what scrolls has to have it for the keyboard to scroll
await introduce();
await findHome();
route(false);
resume();
streamWhileSeen();
refreshForever();
