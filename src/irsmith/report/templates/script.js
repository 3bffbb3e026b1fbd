"use strict";
for (const sample of document.querySelectorAll(".sample")) {
  const tabs = [...sample.querySelectorAll("[role=tab]")];
  const panels = [...sample.querySelectorAll("[role=tabpanel]")];
  let kept = null;
  const light = (line) => {
    for (const lit of sample.querySelectorAll(".lit")) lit.classList.remove("lit");
    if (line) for (const one of sample.querySelectorAll(`[data-l="${line}"]`)) one.classList.add("lit");
    tabs.forEach((tab, place) => tab.classList.toggle("has", Boolean(panels[place].querySelector(".lit"))));
  };
  const lineOf = (event) => event.target.closest("[data-l]")?.dataset.l ?? null;
  sample.addEventListener("mouseover", (event) => light(lineOf(event) ?? kept));
  sample.addEventListener("mouseleave", () => light(kept));
  sample.addEventListener("click", (event) => {
    const line = lineOf(event);
    if (!line) return;
    kept = kept === line ? null : line;
    light(kept ?? line);
    const here = event.target.closest("pre");
    for (const text of sample.querySelectorAll("pre")) {
      const first = text === here || !text.offsetParent ? null : text.querySelector(".lit");
      if (first) text.scrollTop += first.getBoundingClientRect().top - text.getBoundingClientRect().top - 60;
    }
  });
  tabs.forEach((tab, place) => tab.addEventListener("click", () => {
    tabs.forEach((other, n) => other.setAttribute("aria-selected", String(n === place)));
    panels.forEach((panel, n) => { panel.hidden = n !== place; });
  }));
}
