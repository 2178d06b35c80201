"""What the page does while it is read: search, highlight, copy. Without it all is there to be read, too.

No text becomes HTML here: what is shown is set as text. The page keeps nothing and asks for nothing.
"""

SCRIPT = r"""
"use strict";
(() => {
const $ = id => document.getElementById(id);
const map = $("map"), tip = $("tip"), field = $("q"), told = $("found"), none = $("none");
const rows = [...document.querySelectorAll(".rows>li")];
const groups = [...document.querySelectorAll(".group")];
const buttons = [...document.querySelectorAll(".labels button")];
const fold = text => text.normalize("NFKC").toLowerCase();
const number = count => count.toLocaleString("en");
const radius = +map.dataset.radius;
const points = [];
for (const row of rows) if (row.dataset.p) {
  const [x, y] = row.dataset.p.split(",");
  points.push({row, x: +x, y: +y});
}
const dot = (p, r) => `M${p.x - r} ${p.y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0-${2 * r} 0`;
const MOST_MARKED = 3000;  // on the map; more tell little, and take long to draw
let texts = null, chosen = null, at = null, next = 0;

function words() {
  texts ??= new Map(rows.map(row =>
    [row, fold(row.textContent + " " + row.closest(".group").dataset.output)]));
  return fold(field.value).split(/\s+/).filter(Boolean);
}

function filter() {
  const wanted = words();
  let count = 0;
  const fits = new Set();
  for (const group of groups) {
    let some = 0;
    const open = chosen === null || group.dataset.rank === chosen;
    for (const row of group.lastElementChild.children) {
      const here = open && wanted.every(word => texts.get(row).includes(word));
      if (row.hidden === here) row.hidden = !here;
      if (here) { some++; fits.add(row); }
    }
    if (group.hidden === some > 0) group.hidden = !some;
    count += some;
  }
  told.textContent = count === rows.length ? `${number(count)} in all`
    : `${number(count)} of ${number(rows.length)}`;
  none.hidden = count > 0;
  const searching = wanted.length > 0 && fits.size <= MOST_MARKED;
  map.classList.toggle("dim", searching || chosen !== null);
  for (const path of map.querySelectorAll(".points"))
    path.classList.toggle("on", !searching && path.dataset.rank === chosen);
  $("hits").setAttribute("d", searching
    ? points.filter(p => fits.has(p.row)).map(p => dot(p, radius)).join("") : "");
}

function later() {
  cancelAnimationFrame(next);
  next = requestAnimationFrame(filter);
}

function choose(rank) {
  chosen = chosen === rank ? null : rank;
  for (const button of buttons)
    button.setAttribute("aria-pressed", String(button.dataset.rank === chosen));
  filter();
}

function point(p) {
  at = p;
  tip.hidden = !p;
  $("here").setAttribute("d", p ? dot(p, Math.round(radius * 1.6)) : "");
  if (!p) return;
  const box = map.getBoundingClientRect(), scale = box.width / map.viewBox.baseVal.width;
  const x = p.x * Math.min(scale, box.height / map.viewBox.baseVal.height)
    + (box.width - map.viewBox.baseVal.width * Math.min(scale, box.height / map.viewBox.baseVal.height)) / 2;
  const y = p.y * Math.min(scale, box.height / map.viewBox.baseVal.height);
  const said = p.row.querySelector(".said").textContent;
  tip.firstElementChild.textContent = said.length > 200 ? said.slice(0, 200) + "…" : said;
  tip.lastElementChild.textContent = p.row.closest(".group").dataset.output
    || (p.row.querySelector(".gives")?.textContent ?? "").slice(0, 200);
  tip.style.left = tip.style.right = tip.style.top = tip.style.bottom = "auto";
  if (x < box.width / 2) tip.style.left = `${x + 14}px`; else tip.style.right = `${box.width - x + 14}px`;
  if (y < box.height / 2) tip.style.top = `${y + 14}px`;
  else tip.style.bottom = `${tip.parentElement.clientHeight - y + 14}px`;
}

function nearest(event) {
  const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
  let best = null, least = (6 * radius) ** 2;
  for (const p of points) {
    const away = (p.x - place.x) ** 2 + (p.y - place.y) ** 2;
    if (away < least) { least = away; best = p; }
  }
  return best;
}

function step(dx, dy) {
  if (!at) return point(points[0]);
  let best = null, least = Infinity;
  for (const p of points) {
    const along = (p.x - at.x) * dx + (p.y - at.y) * dy;
    const aside = Math.abs((p.x - at.x) * dy - (p.y - at.y) * dx);
    if (along > 0 && along + 3 * aside < least) { least = along + 3 * aside; best = p; }
  }
  if (best) point(best);
}

function go(p) {
  if (!p) return;
  document.querySelector(".here")?.classList.remove("here");
  if (p.row.hidden) {
    field.value = "";
    chosen = null;
    choose(null);
  }
  p.row.classList.add("here");
  p.row.tabIndex = -1;
  p.row.focus({preventScroll: true});
  p.row.scrollIntoView({block: "center"});
}

async function copy(code) {
  getSelection().selectAllChildren(code);
  try { await navigator.clipboard.writeText(code.textContent); } catch { return; }
  code.classList.add("done");
  setTimeout(() => code.classList.remove("done"), 1200);
}

const arrows = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
document.querySelector(".find").hidden = false;
for (const button of buttons) {
  button.disabled = false;
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => choose(button.dataset.rank));
}
map.tabIndex = 0;
map.addEventListener("pointermove", event => point(nearest(event)));
map.addEventListener("pointerleave", () => point(null));
map.addEventListener("blur", () => point(null));
map.addEventListener("click", event => go(nearest(event)));
map.addEventListener("keydown", event => {
  if (arrows[event.key]) { event.preventDefault(); step(...arrows[event.key]); }
  if (event.key === "Enter") go(at);
});
field.addEventListener("input", later);
document.addEventListener("keydown", event => {
  if (event.key === "/" && document.activeElement !== field) { event.preventDefault(); field.select(); }
  if (event.key === "Escape") {
    field.value = "";
    if (chosen !== null) choose(chosen); else filter();
  }
});
document.addEventListener("click", event => {
  const code = event.target.closest?.(".run");
  if (code) copy(code);
});
function fromAddress() {
  const asked = new URLSearchParams(location.hash.slice(1)).get("q");
  if (asked !== null) { field.value = asked; filter(); field.scrollIntoView(); }
}
addEventListener("hashchange", fromAddress);
filter();
fromAddress();
setTimeout(words, 500);  // so that the first key finds the texts ready
})();
"""
"""The script: `#q=taxi` at the end of the page's address searches at once."""
