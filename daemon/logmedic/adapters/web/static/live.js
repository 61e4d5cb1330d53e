// Keeps a page alive: one stream of the daemon's, and what its frames mean for the page that is shown. Everything here
// can be missing: the pages are whole without it.
"use strict";

(() => {
  const STREAM = "/v1/events/stream";
  const STALE_AFTER_MS = 12000; // the daemon says every 5 s that it is there
  const REFRESH_EVERY_MS = 250;
  const COUNTS_EVERY_MS = 3000;
  const RETRY_MS = [1000, 2000, 4000, 8000];
  const LONGEST_LIST = 500;
  const WAYS = { n: "/", i: "/incidents", f: "/fixes", p: "/pulse", l: "/learned", r: "/rules", a: "/alerts", v: "/live" };
  const COUNTED = ["incidents", "alerts", "status", "issues", "fixes"];
  const page = (name) => document.getElementById(name);

  // -- the stream ---------------------------------------------------------------------------------------------------

  const stream = { source: null, last: "", seenAt: 0, staleSince: null, tries: 0, timer: 0, opened: false };

  function open() {
    close();
    const query = stream.last ? `?after=${encodeURIComponent(stream.last)}` : "";
    const source = new EventSource(STREAM + query);
    stream.source = source;
    source.addEventListener("open", () => source === stream.source && connected());
    source.addEventListener("error", () => source === stream.source && lost());
    source.addEventListener("alive", (frame) => { stream.last = frame.lastEventId || stream.last; alive(); });
    source.addEventListener("changed", (frame) => { alive(); changed(JSON.parse(frame.data).topics || []); });
    source.addEventListener("entry", (frame) => {
      alive();
      stream.last = frame.lastEventId || stream.last;
      document.dispatchEvent(new CustomEvent("logmedic:entry", { detail: JSON.parse(frame.data) }));
    });
    source.addEventListener("reset", () => { alive(); refresh(); });
  }

  function close() {
    clearTimeout(stream.timer);
    if (stream.source) stream.source.close();
    stream.source = null;
  }

  function connected() {
    alive();
    stream.tries = 0;
    refresh(); // what changed between the page's making, or the cut, and now
    counts();
  }

  function alive() {
    stream.seenAt = Date.now();
    stream.opened = true;
    stream.staleSince = null;
    tell("live", "live");
  }

  // A cut: the browser connects again by itself, behind the last event that it has. A refusal: it would not.
  function lost() {
    stale();
    if (stream.source && stream.source.readyState !== EventSource.CLOSED) return;
    if (stream.tries > 1) stream.last = ""; // what is refused may be what we resume behind
    again(RETRY_MS[Math.min(stream.tries++, RETRY_MS.length - 1)]);
  }

  function again(wait) {
    close();
    stream.timer = setTimeout(open, wait);
  }

  function stale() {
    if (stream.staleSince === null) stream.staleSince = new Date(stream.seenAt || Date.now());
    tell("stale", `stale since ${stream.staleSince.toISOString().slice(11, 19)} UTC, trying again`);
  }

  function tell(state, words) {
    const sign = page("live");
    if (!sign) return;
    sign.hidden = false;
    if (sign.dataset.state === state && sign.textContent === words) return; // heard once, not every time
    sign.dataset.state = state;
    sign.textContent = words;
  }

  // -- the page, shown anew -----------------------------------------------------------------------------------------

  function atMostEvery(span, act) {
    let last = 0;
    let timer = 0;
    return () => {
      if (timer) return;
      timer = setTimeout(() => { timer = 0; last = Date.now(); act(); }, Math.max(0, last + span - Date.now()));
    };
  }

  const refresh = atMostEvery(REFRESH_EVERY_MS, () => {
    const main = page("main");
    if (main && main.dataset.topics && window.htmx) window.htmx.trigger(main, "logmedic:changed");
  });
  const counts = atMostEvery(COUNTS_EVERY_MS, () => {
    const pages = page("pages");
    if (pages && window.htmx) window.htmx.trigger(pages, "logmedic:counts");
  });

  function changed(topics) {
    const main = page("main");
    const mine = main ? (main.dataset.topics || "").split(" ") : [];
    if (topics.some((each) => mine.includes(each))) refresh();
    if (topics.some((each) => COUNTED.includes(each))) counts();
  }

  // What somebody typed, opened, or chose stays as it is.
  const touched = new WeakSet();
  let typed = false;
  document.addEventListener("input", (event) => { touched.add(event.target); typed = true; });

  // A session that is over is asked to sign in: that page takes no other's place.
  function swapping(event) {
    if (new URL(event.detail.xhr.responseURL, window.location.href).pathname !== "/sign-in") return;
    event.detail.shouldSwap = false;
    close();
    stream.opened = false;
    if (typed) tell("stale", "signed out: load this page again");
    else window.location.reload();
  }

  function keepWhatIsInUse() {
    if (!window.Idiomorph) return;
    const defaults = window.Idiomorph.defaults;
    defaults.ignoreActiveValue = true;
    defaults.callbacks.beforeNodeMorphed = (old) => !(touched.has(old) || (old.dataset && "keep" in old.dataset));
    defaults.callbacks.beforeAttributeUpdated = (name, node) => {
      if (name === "open" && node.tagName === "DETAILS") return false;
      return name !== "data-chosen";
    };
    defaults.callbacks.beforeNodeRemoved = (node) => !(node.dataset && "keep" in node.dataset);
  }

  // -- times --------------------------------------------------------------------------------------------------------

  function span(seconds) {
    if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
    const minutes = Math.round(seconds / 60);
    if (minutes < 90) return `${minutes} min`;
    const three = (number) => String(Number(number.toPrecision(3)));
    return seconds < 48 * 3600 ? `${three(seconds / 3600)} h` : `${three(seconds / 86400)} days`;
  }

  function countdown(seconds) {
    if (seconds >= 3600) return span(seconds);
    const whole = Math.floor(seconds);
    return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  }

  function tick() {
    const now = Date.now();
    for (const each of document.querySelectorAll("time[data-ago]")) {
      say(each, `${span((now - Date.parse(each.dateTime)) / 1000)} ago`);
    }
    for (const each of document.querySelectorAll("time[data-left]")) {
      const left = (Date.parse(each.dateTime) - now) / 1000;
      say(each, left > 0 ? `${countdown(left)} left` : "over");
    }
    if (stream.opened && !document.hidden && now - stream.seenAt > STALE_AFTER_MS) {
      stale();
      if (stream.source && stream.source.readyState === EventSource.OPEN) again(0); // it only looks open
    }
  }

  function say(element, words) {
    if (element.textContent !== words) element.textContent = words;
  }

  // -- the list of what happens (Live) ------------------------------------------------------------------------------

  const held = [];
  let paused = false;

  function entered(row) {
    const list = page("entries");
    const form = page("entry");
    if (!list || !form || page(`e-${row.id}`) || !wanted(list, row)) return;
    if (paused) {
      held.push(row);
      held.splice(0, held.length - LONGEST_LIST);
      sayPaused();
      return;
    }
    list.prepend(made(form, row));
    while (list.childElementCount > LONGEST_LIST) list.lastElementChild.remove();
    const nothing = page("no-entries");
    if (nothing) nothing.hidden = true;
  }

  function wanted(list, row) {
    const { topic, severity } = list.dataset;
    return (!topic || topic === row.topic) && (!severity || severity === row.severity);
  }

  function made(form, row) {
    const item = form.content.firstElementChild.cloneNode(true);
    item.id = `e-${row.id}`;
    item.classList.add("new");
    const put = (name, words) => { const place = item.querySelector(`[data-put=${name}]`); if (place) place.textContent = plain(words); };
    const at = item.querySelector("time");
    at.dateTime = row.at;
    at.title = `${row.at.slice(0, 19).replace("T", " ")} UTC`;
    at.textContent = row.at.slice(11, 19);
    put("kind", row.kind.replaceAll("_", " "));
    put("title", row.title || row.subject);
    put("text", row.text);
    put("severity", row.severity);
    const severity = item.querySelector("[data-put=severity]");
    severity.className = `severity ${row.severity}`;
    if (!row.severity) severity.remove();
    const link = item.querySelector("a[data-put=title]");
    const place = placeOf(row.subject);
    if (place) link.href = place;
    else link.removeAttribute("href");
    return item;
  }

  // Nothing in it hides or reorders what is beside it.
  function plain(text) {
    return text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ").trim();
  }

  function placeOf(subject) {
    const at = subject.indexOf(":");
    const base = { incident: "/incidents/", rule: "/rules/", issue: "/learned/" }[subject.slice(0, at)];
    return base ? base + encodeURIComponent(subject.slice(at + 1)) : "";
  }

  function pause() {
    const button = page("pause");
    if (!button) return;
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    if (!paused) for (const row of held.splice(0)) entered(row);
    sayPaused();
  }

  function sayPaused() {
    const button = page("pause");
    button.textContent = !paused ? "Pause" : held.length ? `Go on (${held.length} new)` : "Go on";
  }

  // -- keys ---------------------------------------------------------------------------------------------------------

  let going = 0;

  function pressed(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || inField(event.target)) return;
    const key = event.key;
    if (going && Date.now() - going < 1500) {
      going = 0;
      if (WAYS[key]) { event.preventDefault(); window.location.assign(WAYS[key]); }
      return;
    }
    if (page("keys") && page("keys").open) return; // the dialog has its own
    if (key === "g") going = Date.now();
    else if (key === "/") focusOn(event, document.querySelector("main input[type=search]"));
    else if (key === "j" || key === "k") choose(event, key === "j" ? 1 : -1);
    else if (key === "p" && page("pause")) pause();
    else if (key === "?" && page("keys")) { event.preventDefault(); page("keys").showModal(); }
  }

  function inField(target) {
    return target.isContentEditable || ["INPUT", "SELECT", "TEXTAREA"].includes(target.tagName);
  }

  function focusOn(event, element) {
    if (!element) return;
    event.preventDefault();
    element.focus();
    if (element.select) element.select();
  }

  function choose(event, step) {
    const links = [...document.querySelectorAll("main .rows tbody tr, main .need, main .entries > li")]
      .map((row) => row.querySelector("a[href]")).filter(Boolean);
    if (!links.length) return;
    const at = links.findIndex((link) => link.closest("tr, .need, li").contains(document.activeElement));
    const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + step, 0), links.length - 1);
    focusOn(event, links[next]);
    links[next].scrollIntoView({ block: "nearest" });
  }

  // -- once ---------------------------------------------------------------------------------------------------------

  // One press is one order: the second of a double click would only be told what came of the first.
  function sent(event) {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
  }

  function start() {
    keepWhatIsInUse();
    for (const each of document.querySelectorAll("[data-scripted]")) each.hidden = false;
    if (page("pause")) page("pause").addEventListener("click", pause);
    if (page("ask-keys")) page("ask-keys").addEventListener("click", () => page("keys").showModal());
    document.addEventListener("logmedic:entry", (event) => entered(event.detail));
    document.addEventListener("htmx:beforeSwap", swapping);
    document.addEventListener("htmx:afterSwap", tick); // what came from the daemon says times in its own way
    document.addEventListener("keydown", pressed);
    document.addEventListener("submit", sent);
    window.addEventListener("pageshow", (event) => {
      for (const each of document.querySelectorAll("form[data-sent]")) delete each.dataset.sent;
      if (event.persisted) open();
    });
    // A page that nobody sees holds no connection: browsers have few of them for one host.
    document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
    window.addEventListener("pagehide", close);
    const list = page("entries");
    stream.last = list ? list.dataset.after || "" : "";
    setInterval(tick, 1000);
    tick();
    if (page("live") && !document.hidden) open();
  }

  document.addEventListener("DOMContentLoaded", start);
})();
