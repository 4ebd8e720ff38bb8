// The filters of a table. They are kept in the address, so that a link shows what its sender saw.
"use strict";

const form = document.getElementById("filter");
const table = document.getElementById("cases");

function wanted() {
  const given = new FormData(form);
  return {
    text: given.get("text").trim().toLowerCase().split(/\s+/).filter(Boolean),
    verdict: given.get("verdict"),
    toolchain: given.get("toolchain"),
    topic: given.get("topic") || "",
  };
}

function hide(element, hidden) {
  element.toggleAttribute("data-filtered", hidden);
}

function fits(row, filter) {
  if (!filter.text.every((word) => row.dataset.words.includes(word))) return false;
  if (!filter.verdict) return true;
  const cells = row.querySelectorAll(filter.toolchain ? `td[data-toolchain="${filter.toolchain}"]` : "td");
  return Array.from(cells).some((cell) => cell.dataset.kinds.split(" ").includes(filter.verdict));
}

function apply() {
  const filter = wanted();
  let shown = 0;
  for (const body of table.tBodies) {
    let here = 0;
    const elsewhere = filter.topic && body.dataset.topic !== filter.topic;
    for (const row of body.querySelectorAll("tr.row")) {
      const fitting = !elsewhere && fits(row, filter);
      hide(row, !fitting);
      here += fitting;
    }
    hide(body, here === 0);
    shown += here;
  }
  for (const cell of table.querySelectorAll("[data-toolchain]")) {
    hide(cell, filter.toolchain !== "" && cell.dataset.toolchain !== filter.toolchain);
  }
  const rows = table.querySelectorAll("tr.row").length;
  form.querySelector("output").textContent = shown === rows ? "" : `${shown} of ${rows} shown`;
}

function remember() {
  const kept = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  history.replaceState(null, "", `${location.pathname}${String(kept) && `?${kept}`}${location.hash}`);
}

function open() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const details = target && target.closest("details");
  if (details) {
    details.open = true;
    target.scrollIntoView();
  }
}

if (form && table) {
  form.hidden = false;
  for (const [name, value] of new URLSearchParams(location.search)) {
    const field = form.elements.namedItem(name);
    if (field) field.value = value;
  }
  const changed = () => { apply(); remember(); };
  form.addEventListener("input", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(changed));
  apply();
}
window.addEventListener("hashchange", open);
open();
