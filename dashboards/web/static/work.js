// The forms of the work on the spot: what the check list, parts, labour, photos and the signature say to the server,
// made small on the phone first. queue.js keeps and sends it. Listens at the document, so that a page may be refreshed.

const PLACE_MS = 8000;

const makers = { check: checked, labour, part, photo: photos, sign: signature, arrive: arrived };
window.plantroomPrepare = (form, submitter) => makers[form.dataset.kind](form, submitter, new FormData(form));

const order = (form) => form.dataset.queue;
const attachments = (form, kind) => `/api/work-orders/${order(form)}/attachments?kind=${kind}`;

function newName() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function checked(form, submitter, given) {
  const path = `/api/work-orders/${order(form)}/checklist`;
  const said = { item: Number(form.dataset.item), note: String(given.get("note") || "").trim() };
  const label = form.dataset.label;
  const file = given.get("file");
  if (file instanceof File) {
    if (!file.size) throw new Error(form.dataset.missing);
    const key = newName();
    const photo = { key, path: attachments(form, "photo"), blob: await shrink(file, form), label };
    return [photo, { path, said, after: key, fill: "value", label }];
  }
  if (form.querySelector("canvas")) {
    const [drawn] = await signature(form, submitter, given);
    return [drawn, { path, said, after: drawn.key, fill: "value", label }];
  }
  said.value = String(submitter.value || given.get("value") || "").trim();
  if (!said.value) throw new Error(form.dataset.missing);
  return [{ path, said, label }];
}

async function labour(form, submitter, given) {
  const minutes = Number(given.get("minutes"));
  if (!(minutes >= 1 && minutes <= 1440)) throw new Error(form.dataset.missing);
  const label = `${submitter.textContent.trim()} · ${minutes} min`;
  if (form.dataset.book !== "yes") return [{ verb: "repair", said: { note: `${form.dataset.label} ${minutes} min` }, label }];
  const said = { order: order(form), kind: "labour", quantity: (minutes / 60).toFixed(2) };
  return [{ path: "/api/costs", noted: false, said, label }];
}

async function part(form, submitter, given) {
  const quantity = String(Number(given.get("quantity")));
  const said = { order: order(form), kind: "part", part_id: String(given.get("part")), quantity };
  const name = form.querySelector("select").selectedOptions[0].dataset.name;
  return [{ path: "/api/costs", noted: false, said, label: `${name} × ${quantity}` }];
}

async function photos(form, submitter, given) {
  const files = given.getAll("file").filter((each) => each instanceof File && each.size);
  if (!files.length) throw new Error(form.dataset.missing);
  const made = [];
  for (const file of files) {
    made.push({ path: attachments(form, "photo"), blob: await shrink(file, form), label: form.dataset.label });
  }
  return made;
}

async function signature(form, submitter, given) {
  const name = String(given.get("name") || "").trim();
  if (!name) throw new Error(form.dataset.missing);
  const canvas = form.querySelector("canvas");
  if (!canvas.dataset.drawn) clear(canvas);
  write(canvas, name);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  return [{ key: newName(), path: attachments(form, "signature"), blob, label: `${form.dataset.label} · ${name}` }];
}

async function arrived(form, submitter, given) {
  const note = [String(given.get("note") || "").trim(), given.get("place") ? await place(form) : ""];
  const said = { note: note.filter(Boolean).join(" ") };
  return [{ verb: "arrive", said: said.note ? said : {}, label: submitter.textContent.trim() }];
}

// Where she is, when she allows it; arriving never waits for more than a moment for it.
function place(form) {
  return new Promise((resolve) => {
    if (!navigator.geolocation) return resolve("");
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve(form.dataset.place
        .replace("{place}", `${coords.latitude.toFixed(5)}, ${coords.longitude.toFixed(5)}`)
        .replace("{metres}", String(Math.round(coords.accuracy)))),
      () => resolve(""),
      { timeout: PLACE_MS, maximumAge: 60000, enableHighAccuracy: false },
    );
  });
}

// A photo of at most 1600 pixels as JPEG: some hundred kilobytes instead of several megabytes.
async function shrink(file, form) {
  try {
    return await window.plantroomShrink(file);
  } catch {
    throw new Error(form.dataset.unreadable);
  }
}

function clear(canvas) {
  const paint = canvas.getContext("2d");
  paint.fillStyle = "#fff";
  paint.fillRect(0, 0, canvas.width, canvas.height);
  delete canvas.dataset.drawn;
}

// Under what was drawn stands in letters who signed; who signs by keyboard, or cannot draw, signs by the name alone.
function write(canvas, name) {
  const paint = canvas.getContext("2d");
  const small = Boolean(canvas.dataset.drawn);
  paint.fillStyle = "#17212b";
  paint.font = small ? "18px sans-serif" : "italic 44px serif";
  paint.fillText(name, 16, small ? canvas.height - 12 : canvas.height / 2 + 14, canvas.width - 32);
}

let pen = null;

function at(canvas, event) {
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) * canvas.width / box.width, (event.clientY - box.top) * canvas.height / box.height];
}

document.addEventListener("pointerdown", (event) => {
  const canvas = event.target.closest?.("canvas[data-sign]");
  if (!canvas) return;
  if (!canvas.dataset.drawn) clear(canvas);
  canvas.setPointerCapture(event.pointerId);
  pen = { canvas, id: event.pointerId, from: at(canvas, event) };
});

document.addEventListener("pointermove", (event) => {
  if (!pen || event.pointerId !== pen.id) return;
  const paint = pen.canvas.getContext("2d");
  const to = at(pen.canvas, event);
  paint.strokeStyle = "#17212b";
  paint.lineWidth = 3;
  paint.lineCap = "round";
  paint.beginPath();
  paint.moveTo(...pen.from);
  paint.lineTo(...to);
  paint.stroke();
  pen.from = to;
  pen.canvas.dataset.drawn = "yes";
});

for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => { pen = null; });

document.addEventListener("click", (event) => {
  const again = event.target.closest?.("[data-clear]");
  if (again) clear(again.closest("form").querySelector("canvas"));
});

document.addEventListener("kept", (event) => {
  const form = event.target;
  if (!form.dataset.kind || event.detail.refused) return;
  const state = form.querySelector("[data-state]");
  if (state) state.textContent = event.detail.sent ? state.dataset.saved : state.dataset.waiting;
  if (form.dataset.kind !== "check") form.reset();
  const canvas = form.querySelector("canvas");
  if (canvas) clear(canvas);
  if (event.detail.sent) document.dispatchEvent(new Event("refresh"));
});
