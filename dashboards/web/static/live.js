// Keeps an open page true: asks every two seconds whether anything changed, replaces the marked regions, and lets
// countdowns run on the program's clock (which may be simulated).

const POLL_MS = 2000;
const SLOW_MS = 10000;
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
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
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

document.addEventListener("refresh", () => refresh().catch(() => {}));

async function poll() {
  if (document.visibilityState === "visible") {
    try {
      const answer = await fetch("/live", { redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const state = await answer.json();
      clock.now = state.now_ms;
      clock.at = performance.now();
      document.getElementById("offline").hidden = true;
      if (token !== null && token !== state.token) await refresh();
      token = state.token;
    } catch (error) {
      document.getElementById("offline").hidden = false;
    }
  }
  setTimeout(poll, POLL_MS);
}

tick();
setInterval(tick, 1000);
if (body.dataset.livePage === "yes") poll();
