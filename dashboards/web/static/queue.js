// What a technician does is kept on the phone first and sent once: with no signal it waits, with signal it goes out in
// order. Each action has a key of its own, so that sending it twice does nothing; a refusal is shown with its reason,
// beside the field when its form is still open, else in the list of what waits.

const body = document.body;
const words = document.getElementById("waiting").dataset;
const RETRY_MS = 15000;
const LATE_MS = 60000;

function open() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open("plantroom", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("actions", { keyPath: "id", autoIncrement: true });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

async function store(mode, act) {
  const db = await open();
  try {
    return await new Promise((resolve, reject) => {
      const change = db.transaction("actions", mode);
      const asked = act(change.objectStore("actions"));
      change.oncomplete = () => resolve(asked.result);
      change.onerror = () => reject(change.error);
      change.onabort = () => reject(change.error);
    });
  } finally {
    db.close();
  }
}

const every = () => store("readonly", (actions) => actions.getAll());
const get = (id) => store("readonly", (actions) => actions.get(id));
const keep = (action) => store("readwrite", (actions) => actions.put(action));
const drop = (id) => store("readwrite", (actions) => actions.delete(id));

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function send(action) {
  const path = action.path || `/api/work-orders/${action.order}/${action.verb}`;
  const headers = { "Idempotency-Key": action.key };
  if (action.blob) {
    headers["Content-Type"] = action.blob.type || "application/octet-stream";
    return fetch(path, { method: "POST", headers, body: action.blob });
  }
  if (!action.fixed && action.noted !== false && Date.now() - action.at > LATE_MS) {
    const time = new Date(action.at).toLocaleTimeString(body.dataset.lang === "zh" ? "zh-CN" : "en-GB");
    const note = [action.said.note, words.done.replace("{time}", time)].filter(Boolean).join(" ");
    action.fixed = { note };  // the same text at every try, else the key would stand for another call
    await keep(action);
  }
  headers["Content-Type"] = "application/json";
  return fetch(path, { method: "POST", headers, body: JSON.stringify({ ...action.said, ...action.fixed }) });
}

const lock = (act) => (navigator.locks ? navigator.locks.request("plantroom-queue", act) : act());  // two tabs, one sender
let running = null;

function flush() {
  running = running || lock(sendAll).finally(() => { running = null; });
  return running;
}

async function sendAll() {
  const lost = new Set();
  for (const { id } of await every()) {
    const action = await get(id);  // as it is now: the answer to one before may have filled it in
    if (!action) continue;
    if (action.refused) {
      lost.add(action.key);
      continue;
    }
    if (action.after && lost.has(action.after)) {  // what it builds on was refused
      action.refused = words.before;
      lost.add(action.key);
      await keep(action);
      continue;
    }
    let answer;
    try {
      answer = await send(action);
    } catch {
      break;  // no signal: the rest keeps its order
    }
    if (answer.ok) {
      await passOn(action, await answer.json().catch(() => ({})));
      await drop(action.id);
      body.dispatchEvent(new CustomEvent("sent", { detail: action }));
    } else if (answer.status >= 500 || answer.status === 429) {
      break;
    } else {
      const said = await answer.json().catch(() => ({}));
      const detail = said.detail || {};
      const reason = [detail.what, detail.hint].filter(Boolean).join(" ") || String(answer.status);
      action.refused = answer.status === 401 ? words.signin : reason;
      lost.add(action.key);
      await keep(action);
    }
  }
  await show();
}

// An answer that names a photo needs the name the server gave it.
async function passOn(action, made) {
  for (const other of await every()) {
    if (other.after !== action.key) continue;
    if (other.fill) other.said[other.fill] = made.id;
    delete other.after;
    await keep(other);
  }
}

async function show() {
  const actions = await every();
  const box = document.getElementById("waiting");
  box.hidden = actions.length === 0;
  box.querySelector("ul").replaceChildren(...actions.map(line));
  for (const region of document.querySelectorAll("[data-order]")) {
    foresee(region, actions.filter((each) => !each.refused && each.order === region.dataset.order));
  }
}

// What waits counts as done: the next step can be taken in the shaft too, and is sent behind the one before.
const LEADS_TO = { acknowledge: "acknowledged", arrive: "arrived", hold: "held", resume: "arrived", complete: "completed", cancel: "cancelled" };
const NEXT = { open: "acknowledge", acknowledged: "arrive", arrived: "complete", held: "resume" };

function foresee(region, waiting) {
  let status = region.dataset.status;
  for (const action of waiting) status = LEADS_TO[action.verb] || status;
  if (status === region.dataset.status && !region.dataset.foreseen) return;
  region.dataset.foreseen = status;
  for (const part of region.querySelectorAll("[data-when]")) part.hidden = !part.dataset.when.split(" ").includes(status);
  const primary = region.querySelector("form.next button");
  if (!primary) return;
  const verb = NEXT[status];
  primary.form.hidden = !verb;
  if (!verb) return;
  primary.dataset.verb = verb;
  primary.textContent = words[verb];
  primary.form.action = `/work-orders/${region.dataset.order}/${verb}`;
}

function line(action) {
  const item = document.createElement("li");
  const what = document.createElement("b");
  what.textContent = `${action.number} · ${action.label}`;
  const state = document.createElement("span");
  state.className = "sub";
  state.textContent = action.refused ? `${words.refused} ${action.refused}` : words.waiting;
  const text = document.createElement("div");
  text.append(what, state);
  item.append(text);
  if (action.refused) {
    const again = button(words.again, async () => {
      delete action.refused;
      await keep(action);
      await flush();
    });
    item.append(again, button(words.discard, async () => {
      await drop(action.id);
      await show();
    }));
  }
  return item;
}

function button(label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "chip";
  made.textContent = label;
  made.addEventListener("click", act);
  return made;
}

// What a form of a verb says. Other forms (check list, parts, photos ...) are the work of work.js, where it is loaded.
function verbAction(form, submitter) {
  const given = new FormData(form);
  const verb = submitter.dataset.verb;
  const text = (name) => String(given.get(name) || "").trim();
  const note = [text("diagnosis"), ...given.getAll("checked"), text("note")].filter(Boolean).join(". ");
  const said = {};
  if (verb === "reassign") said.to = (text("reason") || note.split("\n")[0]).slice(0, 200);
  if (verb === "complete" && text("reason")) said.override = text("reason");
  if (verb === "hold") Object.assign(said, { reason: text("reason"), proof: text("proof") });
  if (verb === "accept" && given.get("override")) said.override = note;
  else if (note) said.note = note;
  return [{ verb, said, label: submitter.textContent.trim() }];
}

function complain(form, reason) {
  const error = form.querySelector(".field-error");
  if (!error) return false;
  error.textContent = reason;
  error.hidden = !reason;
  const field = form.querySelector(`[aria-describedby~='${error.id}']`);
  field?.toggleAttribute("aria-invalid", Boolean(reason));
  if (reason) field?.focus();
  return true;
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const order = form.dataset.queue;
  if (!order || !window.indexedDB) return;
  event.preventDefault();
  const submitter = event.submitter || form.querySelector("button");
  const buttons = [...form.querySelectorAll("button")].filter((each) => !each.disabled);
  for (const each of buttons) each.disabled = true;
  complain(form, "");
  const made = [];
  const sent = new Set();
  const onSent = (one) => sent.add(one.detail.key);
  body.addEventListener("sent", onSent);
  try {
    const prepare = form.dataset.kind ? window.plantroomPrepare : verbAction;
    for (const part of await prepare(form, submitter)) {
      const action = { key: newKey(), order, number: form.dataset.number, at: Date.now(), said: {}, ...part };
      action.id = await keep(action);
      made.push(action);
    }
    await running;  // one that set out before these were kept would leave them behind
    await flush();
    const left = new Map((await every()).map((each) => [each.key, each]));
    const refused = made.map((each) => left.get(each.key)).filter((each) => each?.refused);
    if (refused.length && complain(form, refused[0].refused)) {
      for (const each of refused) await drop(each.id);
      await show();
    }
  } catch (error) {
    complain(form, error.message);  // nothing was kept: a picture that cannot be read, a phone that is full
  } finally {
    body.removeEventListener("sent", onSent);
    for (const each of buttons) each.disabled = false;
  }
  const all = made.length > 0 && made.every((each) => sent.has(each.key));
  if (all && made[0].verb) {
    location.assign(location.pathname === "/my" ? "/my" : `/work-orders/${order}?done=${made[0].verb}`);
  } else if (made.length) {
    form.dispatchEvent(new CustomEvent("kept", { bubbles: true, detail: { sent: all, refused: form.querySelector("[aria-invalid]") !== null } }));
    if (!all) document.getElementById("waiting").scrollIntoView({ block: "nearest" });
  }
});

async function keepPages() {
  const worker = await navigator.serviceWorker.register("/sw.js");
  await navigator.serviceWorker.ready;
  const links = [...document.querySelectorAll("#mine .job-what")].slice(0, 12).map((link) => link.pathname);
  if (location.pathname === "/my" && worker.active) worker.active.postMessage({ keep: ["/my", ...links] });
}

document.querySelector("form[action='/logout']")?.addEventListener("submit", async (event) => {
  if (event.target.dataset.sure) return;
  event.preventDefault();
  const waiting = await every();
  if (waiting.length && !confirm(words.leave)) return;
  for (const name of await (window.caches ? caches.keys() : [])) await caches.delete(name);
  event.target.dataset.sure = "yes";
  event.target.submit();
});

window.addEventListener("online", flush);
document.addEventListener("refreshed", show);
setInterval(flush, RETRY_MS);
flush();
// Behind the first load: what is kept for the shaft must not slow what she looks at.
if ("serviceWorker" in navigator) {
  const later = window.requestIdleCallback || ((act) => setTimeout(act, 500));
  window.addEventListener("load", () => later(() => keepPages().catch(() => {})));
  if (document.readyState === "complete") later(() => keepPages().catch(() => {}));
}
