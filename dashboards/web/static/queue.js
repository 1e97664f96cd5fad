// What a technician does is kept on the phone first and sent once: with no signal it waits, with signal it goes out in
// order. Each action has a key of its own, so that sending it twice does nothing; a refusal is shown with its reason.

const body = document.body;
const words = document.getElementById("waiting").dataset;
const RETRY_MS = 15000;

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
    });
  } finally {
    db.close();
  }
}

const every = () => store("readonly", (actions) => actions.getAll());
const keep = (action) => store("readwrite", (actions) => actions.put(action));
const drop = (id) => store("readwrite", (actions) => actions.delete(id));

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function send(action) {
  const late = Date.now() - action.at > 60000;
  const done = words.done.replace("{time}", new Date(action.at).toLocaleTimeString(body.dataset.lang === "zh" ? "zh-CN" : "en-GB"));
  const said = { ...action.said };
  if (late) said.note = [said.note, done].filter(Boolean).join(" ");
  if (action.fixed) Object.assign(said, action.fixed);
  else if (late) {
    action.fixed = { note: said.note };  // the same text at every try, else the key would stand for another call
    await keep(action);
  }
  return fetch(`/api/work-orders/${action.order}/${action.verb}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": action.key },
    body: JSON.stringify(said),
  });
}

let busy = false;

async function flush() {
  if (busy) return;
  busy = true;
  try {
    for (const action of await every()) {
      if (action.refused) continue;
      let answer;
      try {
        answer = await send(action);
      } catch {
        break;  // no signal: the rest keeps its order
      }
      if (answer.ok) {
        await drop(action.id);
        body.dispatchEvent(new CustomEvent("sent", { detail: action }));
      } else if (answer.status === 401) {
        action.refused = words.signin;
        await keep(action);
      } else if (answer.status >= 500 || answer.status === 429) {
        break;
      } else {
        const said = await answer.json().catch(() => ({}));
        const detail = said.detail || {};
        action.refused = [detail.what, detail.hint].filter(Boolean).join(" ") || String(answer.status);
        await keep(action);
      }
    }
  } finally {
    busy = false;
  }
  await show();
}

async function show() {
  const actions = await every();
  const box = document.getElementById("waiting");
  const list = box.querySelector("ul");
  box.hidden = actions.length === 0;
  list.replaceChildren(...actions.map(line));
  const last = new Map(actions.filter((each) => !each.refused).map((each) => [each.order, each.verb]));
  for (const form of document.querySelectorAll("form[data-queue]")) foresee(form, last.get(form.dataset.queue));
}

// What waits counts as done: the next step can be taken in the shaft too, and is sent behind the one before.
const AFTER = { acknowledge: "arrive", arrive: "complete", resume: "complete" };

function foresee(form, verb) {
  const next = AFTER[verb];
  const primary = form.querySelector("button.primary");
  if (!next || !primary) return;
  primary.dataset.verb = next;
  primary.textContent = words[next];
  primary.formAction = `/work-orders/${form.dataset.queue}/${next}`;
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

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const order = form.dataset.queue;
  if (!order || !event.submitter || !window.indexedDB) return;
  event.preventDefault();
  const given = new FormData(form);
  const verb = event.submitter.dataset.verb;
  const note = String(given.get("note") || "").trim();
  const said = {};
  if (verb === "reassign") said.to = note.split("\n")[0].slice(0, 200);
  if (verb === "accept" && given.get("override")) said.override = note;
  else if (note) said.note = note;
  if (verb === "hold") said.reason = String(given.get("reason") || "");
  const action = {
    key: newKey(), order, verb, said, number: form.dataset.number, label: event.submitter.textContent.trim(), at: Date.now(),
  };
  for (const each of form.querySelectorAll("button")) each.disabled = true;
  action.id = await keep(action);
  let sent = false;
  body.addEventListener("sent", (one) => { sent = sent || one.detail.key === action.key; });
  await flush();
  if (sent) {
    location.assign(location.pathname === "/my" ? "/my" : `/work-orders/${order}?done=${verb}`);
    return;
  }
  for (const each of form.querySelectorAll("button")) each.disabled = false;
  document.getElementById("waiting").scrollIntoView({ block: "nearest" });
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
setInterval(flush, RETRY_MS);
flush();
if ("serviceWorker" in navigator) keepPages().catch(() => {});
