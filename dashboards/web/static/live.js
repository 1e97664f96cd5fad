// Keeps an open page true: a stream tells it when something has changed (where there is none it asks every two seconds),
// the marked regions are replaced, and countdowns run on the program's clock (which may be simulated).

const POLL_MS = 2000;
const SLOW_MS = 10000;
const SILENT_MS = 12000;
const STREAM_AGAIN_MS = 15000;
const FOLLOW_MS = 20000;
const ANSWER_MS = 8000;
const body = document.body;
const clock = { now: Number(body.dataset.now), at: performance.now(), rate: Number(body.dataset.rate) };
const units = body.dataset.lang === "zh" ? ["天", "小时", "分", "秒"] : ["d", "h", "min", "s"];

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
  for (const element of document.querySelectorAll("[data-due]")) {
    const left = Number(element.dataset.due) - now;
    element.textContent = (left < 0 ? body.dataset.over : body.dataset.left).replace("{span}", span(Math.abs(left)));
    element.classList.toggle("over", left < 0);
    element.classList.toggle("soon", left >= 0 && left < 1800000);
  }
}

let token = null;
let slowAt = 0;

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(2 * ANSWER_MS) });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const slow = performance.now() - slowAt > SLOW_MS;
  if (slow) slowAt = performance.now();
  for (const old of document.querySelectorAll("[data-live]")) {
    if (old.dataset.live === "slow" && !slow) continue;
    const next = fresh.getElementById(old.id);
    if (!next || stays(old, next)) continue;
    old.replaceWith(document.adoptNode(next));
  }
  tick();
  document.dispatchEvent(new Event("refreshed"));
}

// A region somebody is in stays; one with forms, also when something was typed or nothing happened to its order.
function stays(old, next) {
  if (old.contains(document.activeElement)) return true;
  if (old.dataset.live !== "form") return old.innerHTML === next.innerHTML;
  const typed = [...old.querySelectorAll("textarea, input")].some((each) => each.value !== each.defaultValue);
  return typed || old.dataset.stamp === next.dataset.stamp;
}

document.addEventListener("refresh", () => refreshSoon());

const offline = document.getElementById("offline");
const isSeen = () => document.visibilityState === "visible";
let wanted = false;
let busy = null;

// One refresh at a time; what changes meanwhile is one more after it. A hidden page waits until somebody looks.
function refreshSoon() {
  wanted = true;
  if (busy || !isSeen()) return;
  wanted = false;
  busy = refresh().catch(() => {}).finally(() => {
    busy = null;
    if (wanted) refreshSoon();
  });
}

function hear(state) {
  clock.now = state.now_ms;
  clock.at = performance.now();
  heardAt = performance.now();
  offline.hidden = true;
  if (token !== null && token !== state.token) refreshSoon();
  token = state.token;
}

let source = null;
let heardAt = 0;

function listen() {
  if (source || !window.EventSource || !isSeen()) return;
  const stream = source = new EventSource("/events");
  heardAt = performance.now();
  const leave = (after) => {
    stream.close();
    if (source !== stream) return;
    source = null;
    if (after !== null) setTimeout(listen, after);
  };
  stream.leave = leave;
  stream.addEventListener("pulse", (event) => hear(JSON.parse(event.data)));
  stream.addEventListener("changed", (event) => {
    heardAt = performance.now();
    refreshSoon();
    document.dispatchEvent(new CustomEvent("changed", { detail: JSON.parse(event.data) }));
  });
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
      const answer = await fetch("/live", { redirect: "error", signal: AbortSignal.timeout(ANSWER_MS) });
      if (!answer.ok) throw new Error(String(answer.status));
      hear(await answer.json());
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
  if (wanted) refreshSoon();
});

tick();
setInterval(tick, 1000);
if (body.dataset.livePage === "yes") {
  listen();
  setTimeout(poll, POLL_MS);
} else if (body.dataset.livePage === "slow") {
  setInterval(() => { if (isSeen()) refresh().catch(() => {}); }, FOLLOW_MS);
}
