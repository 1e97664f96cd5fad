// Keeps an open page true. A stream says what has changed (where there is none the page asks every two seconds); a region
// is drawn again only when its `data-live` names that: `order/asset/lift-1` an order there, `finding` any finding,
// `values/...` and other stamps what the pulse says of them, `time` a deadline that passes, `pulse` every three seconds.
// Countdowns run on the program's clock, which may be simulated.

const POLL_MS = 2000;
const SLOW_MS = 10000;
const TIME_MS = 60000;
const SILENT_MS = 12000;
const STREAM_AGAIN_MS = 15000;
const FOLLOW_MS = 20000;
const ANSWER_MS = 8000;
const REST_MS = 250;
const body = document.body;
const clock = { now: Number(body.dataset.now), at: performance.now(), rate: Number(body.dataset.rate) };
const units = (body.dataset.units || "d h min s").split(" ");

function span(ms) {
  let seconds = Math.max(0, Math.round(ms / 1000));
  const parts = [];
  [86400, 3600, 60, 1].forEach((size, index) => {
    const amount = Math.floor(seconds / size);
    seconds -= amount * size;
    const follows = parts.length === 1 && parts[0].index === index - 1;
    if (amount && (parts.length === 0 || follows)) parts.push({ index, text: `${amount} ${units[index]}` });
  });
  return parts.length ? parts.map((part) => part.text).join(" ") : `0 ${units[3]}`;
}

function tick() {
  const now = clock.now + (performance.now() - clock.at) * clock.rate;
  let passed = false;
  for (const element of document.querySelectorAll("[data-due]")) {
    const left = Number(element.dataset.due) - now;
    passed ||= left < 0 && !element.classList.contains("over");
    element.textContent = (left < 0 ? body.dataset.over : body.dataset.left).replace("{span}", span(Math.abs(left)));
    element.classList.toggle("over", left < 0);
    element.classList.toggle("soon", left >= 0 && left < 1800000);
  }
  for (const element of document.querySelectorAll("time[data-zone]")) {
    const said = { timeZone: element.dataset.zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    element.textContent = new Date(now).toLocaleTimeString("en-GB", said);
  }
  if (passed) draw((topic) => topic[0] === "time");
}

// --- which regions are to be drawn again, and drawing them ------------------------------------------------------------

const waiting = new Map();
const drawnAt = new Map();
let busy = null;
let restUntil = 0;
let timer = 0;
const isSeen = () => document.visibilityState === "visible";
const topics = (region) => region.dataset.live.split(" ").filter(Boolean).map((topic) => topic.split("/"));

// The regions of which some topic is meant; every region when none is said. Patient: a slow region (plots, a whole
// building's values) waits until it has stood for ten seconds.
function draw(isMeant = () => true, isPatient = false) {
  for (const region of document.querySelectorAll("[data-live]")) {
    const patient = isPatient && region.dataset.slow !== undefined;
    if (topics(region).some(isMeant)) waiting.set(region.id, patient && waiting.get(region.id) !== false);
  }
  drawSoon();
}

const isOld = (id) => performance.now() - (drawnAt.get(id) ?? 0) >= SLOW_MS;

// One at a time; what changes meanwhile is one more after it, and a server that needs long is left in peace the longer. A
// hidden page waits until somebody looks.
function drawSoon() {
  clearTimeout(timer);
  if (busy || !isSeen() || waiting.size === 0) return;
  const due = new Set([...waiting].filter(([id, patient]) => !patient || isOld(id)).map(([id]) => id));
  const rest = restUntil - performance.now();
  if (due.size === 0 || rest > 0) {
    timer = setTimeout(drawSoon, Math.max(rest, due.size ? 0 : 1000));
    return;
  }
  for (const id of due) waiting.delete(id);
  const began = performance.now();
  busy = refresh(due).catch(() => {}).finally(() => {
    busy = null;
    restUntil = performance.now() + Math.max(REST_MS, 2 * (performance.now() - began));
    drawSoon();
  });
}

async function refresh(wanted) {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(2 * ANSWER_MS) });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const old of document.querySelectorAll("[data-live]")) {
    if (old.dataset.slow !== undefined && !wanted.has(old.id)) continue;
    drawnAt.set(old.id, performance.now());
    const next = fresh.getElementById(old.id);
    if (next) unfold(old, next);
    if (!next || stays(old, next)) continue;
    const folded = isFold(document.activeElement) && old.contains(document.activeElement) ? document.activeElement : null;
    old.replaceWith(document.adoptNode(next));
    if (folded) document.getElementById(folded.parentElement.id)?.querySelector("summary").focus({ preventScroll: true });
  }
  tick();
  document.dispatchEvent(new Event("refreshed"));
}

// What somebody unfolded stays so.
function unfold(old, next) {
  for (const each of old.querySelectorAll("details[id]")) {
    const same = next.querySelector(`#${CSS.escape(each.id)}`);
    if (same) same.open = each.open;
  }
}

const isFold = (element) => element?.tagName === "SUMMARY" && Boolean(element.parentElement.id);

// A region somebody is in stays, unless all she is in is a heading that folds; one with forms, also when something was
// typed or nothing happened to its order.
function stays(old, next) {
  if (old.contains(document.activeElement) && !isFold(document.activeElement)) return true;
  if (old.dataset.stamp === undefined) return old.innerHTML === next.innerHTML;
  const typed = [...old.querySelectorAll("textarea, input")].some((each) => each.value !== each.defaultValue);
  return typed || old.dataset.stamp === next.dataset.stamp;
}

document.addEventListener("refresh", () => draw());

// --- what is heard ------------------------------------------------------------------------------------------------------

const offline = document.getElementById("offline");
const isStamp = (topic) => !["order", "finding", "time", "pulse"].includes(topic[0]);
let token = body.dataset.seen || null;
let stamps = {};
let source = null;
let heardAt = 0;

function watched() {
  const named = [...document.querySelectorAll("[data-live]")].flatMap(topics).filter(isStamp).map((topic) => topic.join("/"));
  return named.length ? `?watch=${[...new Set(named)].map(encodeURIComponent).join(",")}` : "";
}

// A pulse: the clock, how far the changes have come, and the stamps of what is watched. `isWhole`: changes before it may
// have gone by unheard.
function hear(state, isWhole) {
  clock.now = state.now_ms;
  clock.at = performance.now();
  heardAt = performance.now();
  offline.hidden = true;
  const missed = isWhole && token !== null && token !== state.token;
  token = state.token;
  const before = stamps;
  stamps = state.stamps;
  const isOther = (topic) => {
    const name = topic.join("/");
    return topic[0] === "pulse" || (name in before && before[name] !== stamps[name]);
  };
  if (missed) draw();
  else draw(isOther, true);
}

function change(one) {
  heardAt = performance.now();
  token = one.token;
  draw(([what, part, ...name]) => one.what === "" || (what === one.what && (!part || one[part] === name.join("/"))));
  document.dispatchEvent(new CustomEvent("changed", { detail: one }));
}

function listen() {
  if (source || !window.EventSource || !isSeen()) return;
  const stream = source = new EventSource(`/events${watched()}`);
  heardAt = performance.now();
  let isFirst = true;
  const leave = (after) => {
    stream.close();
    if (source !== stream) return;
    source = null;
    if (after !== null) setTimeout(listen, after);
  };
  stream.leave = leave;
  stream.onopen = () => { isFirst = true; };
  stream.addEventListener("pulse", (event) => {
    hear(JSON.parse(event.data), isFirst);
    isFirst = false;
  });
  stream.addEventListener("changed", (event) => change(JSON.parse(event.data)));
  stream.addEventListener("bye", (event) => leave(JSON.parse(event.data).again ? 100 : POLL_MS));
  stream.onerror = () => {
    offline.hidden = false;  // it connects again by itself, or not at all: then the page asks
    if (stream.readyState === EventSource.CLOSED) leave(STREAM_AGAIN_MS);
  };
}

async function poll() {
  const silent = performance.now() - heardAt > SILENT_MS;
  if (source && silent) {  // a stream that says nothing is dead, whatever the browser thinks
    offline.hidden = false;
    source.leave(POLL_MS);
  }
  if (isSeen() && (!source || source.readyState !== EventSource.OPEN)) {
    try {
      const answer = await fetch(`/live${watched()}`, { redirect: "error", signal: AbortSignal.timeout(ANSWER_MS) });
      if (!answer.ok) throw new Error(String(answer.status));
      hear(await answer.json(), true);
    } catch (error) {
      offline.hidden = false;
    }
  }
  setTimeout(poll, POLL_MS);
}

// A browser opens six connections to a server: pages nobody looks at give theirs back.
document.addEventListener("visibilitychange", () => {
  if (!isSeen()) {
    source?.leave(null);
    return;
  }
  listen();
  drawSoon();
});

// On a phone the bar of pages is wider than the screen: the page one is on comes into view.
const here = document.querySelector(".bar nav [aria-current]");
if (here) here.parentElement.scrollLeft = here.offsetLeft + here.offsetWidth / 2 - here.parentElement.clientWidth / 2;

tick();
setInterval(tick, 1000);
if (body.dataset.livePage === "yes") {
  listen();
  setTimeout(poll, POLL_MS);
  setInterval(() => draw((topic) => topic[0] === "time"), TIME_MS);
} else if (body.dataset.livePage === "slow") {
  setInterval(() => draw(), FOLLOW_MS);
}
