// Moving over a plot shows the instant and the nearest value. Works on the drawn path: x in the frame is time,
// y is value; the plot says in data attributes which instants and values its edges are.

const SVG = "http://www.w3.org/2000/svg";

function corners(path) {
  let x = 0;
  let y = 0;
  const found = [];
  for (const [, command, rest] of path.getAttribute("d").matchAll(/([MLHVh])([^MLHVh]*)/g)) {
    const [first, second] = rest.trim().split(/\s+/).map(Number);
    if (command === "M" || command === "L") [x, y] = [first, second];
    else if (command === "H") x = first;
    else if (command === "V") y = first;
    found.push([x, y]);
  }
  return found;
}

function nearest(svg, x) {
  let best = null;
  for (const path of svg.querySelectorAll("path.l0")) {
    path.corners ??= corners(path);
    for (const corner of path.corners) {
      if (!best || Math.abs(corner[0] - x) < Math.abs(best[0] - x)) best = corner;
    }
  }
  return best;
}

function clear(figure) {
  figure.querySelector(".tip")?.remove();
  figure.querySelector(".cursor")?.remove();
}

function move(event) {
  const svg = event.target.closest?.("svg.plot[data-from]");
  const figure = svg?.closest("figure");
  for (const other of document.querySelectorAll("figure:has(.tip)")) if (other !== figure) clear(other);
  if (!figure) return;
  const box = svg.getBoundingClientRect();
  const dot = nearest(svg, ((event.clientX - box.left) / box.width) * 10000);
  if (!dot) return;
  const { from, until, low, high, left, right, top, inner, zone, unit } = svg.dataset;
  const share = (dot[0] / 100 - left) / (right - left);
  const at = new Date(Number(from) + share * (until - from));
  const value = Number(low) + (1 - (dot[1] - top) / inner) * (high - low);
  const step = Math.abs(high - low) / 1000 || 1;
  const digits = Math.min(4, Math.max(0, Math.ceil(-Math.log10(step))));
  const when = at.toLocaleString(document.documentElement.lang, {
    timeZone: zone, month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });
  clear(figure);
  const line = document.createElementNS(SVG, "line");
  const x = `${dot[0] / 100}%`;
  const ends = { class: "cursor", x1: x, x2: x, y1: top, y2: Number(top) + Number(inner) };
  for (const [name, text] of Object.entries(ends)) line.setAttribute(name, text);
  svg.querySelector("g").append(line);
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.textContent = `${when}  ${value.toFixed(digits)} ${unit}`;
  figure.append(tip);
  const shift = box.left - figure.getBoundingClientRect().left;
  const middle = shift + (box.width * dot[0]) / 10000 - tip.offsetWidth / 2;
  const place = Math.min(Math.max(8, middle), figure.clientWidth - tip.offsetWidth - 8);
  tip.style.setProperty("left", `${place}px`);
  tip.style.setProperty("bottom", "34px");
}

document.addEventListener("pointermove", move);
document.addEventListener("pointerleave", () => document.querySelectorAll("figure:has(.tip)").forEach(clear));
