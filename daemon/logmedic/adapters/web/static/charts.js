// Puts a livelier drawing in the place of each that the page has already: its numbers come from the page's own JSON.
"use strict";

(() => {
  if (!window.uPlot) return;
  const HIGH = 150;
  const DASHES = [[], [6, 4], [2, 3]];
  const drawn = new Map(); // by the id of its place
  let answered = null;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const two = (number) => String(number).padStart(2, "0");
  const round = (value) => (value === null || value === undefined ? "-"
    : value >= 100 || Number.isInteger(value) ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3))));

  function time(seconds, long) {
    const at = new Date(seconds * 1000);
    const day = `${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
    const clock = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
    return long ? `${day} ${clock}` : clock;
  }

  function options(chart, wide, long) {
    const line = { stroke: () => colour("soft"), grid: { stroke: () => colour("line"), width: 1 }, ticks: { show: false } };
    return {
      width: wide,
      height: HIGH,
      tzDate: (seconds) => new Date(seconds * 1000),
      cursor: { sync: { key: "pulse" }, points: { size: 6 } },
      legend: { live: true },
      scales: { x: { time: true }, y: { range: (_, low, high) => [0, high > 0 ? high * 1.1 : 1] } },
      axes: [
        { ...line, size: 26, values: (_, ticks) => ticks.map((each) => time(each, long)), space: long ? 90 : 60 },
        { ...line, size: 66, values: (_, ticks) => ticks.map((each) => round(each) + chart.unit) },
      ],
      series: [
        { label: "UTC", value: (_, at) => (at === null ? "-" : time(at, long)) },
        ...chart.lines.map((each, place) => ({
          label: each.name,
          stroke: () => colour(each.tone),
          width: 1.75,
          dash: DASHES[place],
          spanGaps: false,
          points: { show: each.values.includes(null), size: 5 }, // else one between two gaps is not seen
          value: (_, value) => (value === null || value === undefined ? "-" : round(value) + chart.unit),
        })),
      ],
    };
  }

  function place(chart, times, long) {
    const figure = document.querySelector(`[data-chart="${CSS.escape(chart.id)}"]`);
    const room = figure && figure.querySelector(".live-plot");
    if (!room) return;
    const data = [times, ...chart.lines.map((each) => each.values)];
    figure.classList.add("lively");
    room.hidden = false;
    const old = drawn.get(chart.id);
    if (old && old.root.parentNode === room && old.series.length === data.length) {
      old.setData(data);
      return;
    }
    if (old) old.destroy();
    room.replaceChildren();
    drawn.set(chart.id, new window.uPlot(options(chart, Math.max(room.clientWidth, 200), long), data, room));
    room.setAttribute("aria-hidden", "true"); // the drawing and the table beside it say the same
  }

  function redraw() {
    if (!answered) return;
    const { begins, step, charts } = answered;
    const times = charts[0].lines[0].values.map((_, number) => begins + number * step);
    const long = step * times.length > 36 * 3600;
    for (const each of charts) place(each, times, long);
  }

  async function look() {
    const section = document.querySelector("[data-json]");
    if (!section) return;
    for (const each of drawn.values()) each.root.closest("figure")?.classList.add("lively"); // a morph took it away
    try {
      const answer = await fetch(section.dataset.json, { headers: { accept: "application/json" } });
      if (!answer.ok) return;
      answered = (await answer.json()).charts;
      redraw();
    } catch (error) {
      return; // the page has its own drawings
    }
  }

  function fit() {
    for (const each of drawn.values()) {
      const room = each.root.parentNode;
      if (room && room.clientWidth) each.setSize({ width: room.clientWidth, height: HIGH });
    }
  }

  window.addEventListener("resize", fit);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const each of drawn.values()) each.redraw();
  });
  document.addEventListener("htmx:afterSettle", (event) => { if (event.target.id === "main") look(); });
  look();
})();
