// Line charts. <div data-plot="id of a json_script" data-series="name"> becomes a chart; columns are lists of equal
// length, t in epoch seconds, null where the value is unknown. Plots with the same data-sync share their cursor.

// The user's choice; the page's own language is always English.
const locale = document.currentScript.dataset.locale;
const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" });
const month = new Intl.DateTimeFormat(locale, { month: "short", timeZone: "UTC" });
const dayOfMonth = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone: "UTC" });
const whole = new Intl.NumberFormat(locale);
const DAY = 86400;
const AREA_OPACITY = 0.2;
// Amounts and counts are whole numbers, so there are no ticks between them.
const WHOLE_STEPS = Array.from({ length: 36 }, (_, n) => [1, 2, 5][n % 3] * 10 ** Math.floor(n / 3));

function colour(box, name, opacity = 1) {
  box.style.color = `var(${name})`; // the browser resolves light-dark() for us
  const resolved = getComputedStyle(box).color;
  box.style.color = "";
  if (opacity === 1) return resolved;
  const pen = document.createElement("canvas").getContext("2d");
  pen.fillStyle = resolved;
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(pen.fillStyle.slice(at, at + 2), 16));
  return `rgba(${red}, ${green}, ${blue}, ${opacity})`;
}

function wordsFor(box) {
  const { currency, exponent, hidden } = box.dataset;
  if (hidden !== undefined) return { full: () => "•••", short: () => "" }; // the line keeps its shape without amounts
  if (!currency) return { full: (n) => whole.format(n), short: (n) => whole.format(n) };
  const unit = 10 ** Number(exponent);
  const options = { style: "currency", currency }; // the same symbols as on the page: CA$ is not $
  const full = new Intl.NumberFormat(locale, { ...options, minimumFractionDigits: Number(exponent) });
  const tick = new Intl.NumberFormat(locale, { ...options, minimumFractionDigits: 0, maximumFractionDigits: 2 });
  return { full: (n) => full.format(n / unit), short: (n) => tick.format(n / unit) };
}

// Ticks on the first of a month, or every few days back from the newest when the range is short.
function dayTicks(plot, axis, from, until) {
  const room = Math.max(2, Math.floor(plot.over.clientWidth / 78));
  const earliest = from + (until - from) * 0.035; // a label further left would be cut off
  const days = (until - from) / DAY;
  const ticks = [];
  if (days < 75) {
    const step = [1, 2, 3, 5, 7, 10, 14, 21].find((size) => days / size <= room) || 28;
    for (let time = until; time >= earliest; time -= step * DAY) ticks.unshift(time);
    return ticks;
  }
  const step = [1, 2, 3, 6, 12].find((size) => days / 30.4 / size <= room) || 24;
  const first = new Date(from * 1000);
  for (let at = 0; ; at += 1) {
    const time = Date.UTC(first.getUTCFullYear(), at, 1) / 1000;
    if (time > until) return ticks;
    if (time >= earliest && at % step === 0) ticks.push(time);
  }
}

function dayLabels(plot, times) {
  const span = plot.scales.x.max - plot.scales.x.min;
  let shownYear = null;
  return times.map((time) => {
    const date = new Date(time * 1000);
    if (span < 75 * DAY) return dayOfMonth.format(date);
    const year = date.getUTCFullYear();
    const label = year === shownYear || shownYear === null ? month.format(date) : String(year);
    shownYear = year;
    return label;
  });
}

function lastKnown(values) {
  for (let at = values.length - 1; at >= 0; at -= 1) if (values[at] !== null) return at;
  return -1;
}

// Writes the last value beside its point, so that no legend is needed.
function drawLast(box, words, ink) {
  return (plot) => {
    const at = lastKnown(plot.data[1]);
    if (at < 0) return;
    const scale = window.devicePixelRatio || 1;
    const x = plot.valToPos(plot.data[0][at], "x", true);
    const y = plot.valToPos(plot.data[1][at], "y", true);
    const pen = plot.ctx;
    pen.save();
    pen.beginPath();
    pen.arc(x, y, 4.5 * scale, 0, 2 * Math.PI);
    pen.fillStyle = ink.accent;
    pen.strokeStyle = ink.paper;
    pen.lineWidth = 2.5 * scale;
    pen.stroke();
    pen.fill();
    pen.font = `600 ${13 * scale}px ${getComputedStyle(box).fontFamily}`;
    pen.textAlign = "right";
    pen.fillStyle = ink.ink;
    pen.strokeStyle = ink.paper;
    pen.lineWidth = 4 * scale;
    pen.lineJoin = "round";
    const text = words.full(plot.data[1][at]);
    const under = x - pen.measureText(text).width;
    let peak = y;
    for (let back = at; back >= 0 && plot.valToPos(plot.data[0][back], "x", true) >= under; back -= 1) {
      if (plot.data[1][back] !== null) peak = Math.min(peak, plot.valToPos(plot.data[1][back], "y", true));
    }
    const isLow = y - peak > 24 * scale && y + 28 * scale < plot.bbox.top + plot.bbox.height;
    const textY = isLow ? y + 24 * scale : peak - 12 * scale;
    pen.strokeText(text, x + 4 * scale, textY);
    pen.fillText(text, x + 4 * scale, textY);
    pen.restore();
  };
}

function hover(box, words, columns) {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  const value = document.createElement("b");
  const rest = document.createElement("span");
  tip.append(value, rest);
  return {
    ready: (plot) => plot.over.append(tip),
    move: (plot) => {
      const at = plot.cursor.idx;
      const amount = at === null || at === undefined ? null : plot.data[1][at];
      tip.hidden = amount === null || amount === undefined || plot.cursor.left < 0;
      if (tip.hidden) return;
      value.textContent = words.full(amount);
      const covered = columns.priced ? ` · ${whole.format(columns.priced[at])} of ${whole.format(columns.copies[at])} priced` : "";
      rest.textContent = day.format(new Date(plot.data[0][at] * 1000)) + covered;
      const room = plot.over.clientWidth - tip.offsetWidth;
      const left = plot.valToPos(plot.data[0][at], "x") + 12;
      const flipped = left > room ? left - tip.offsetWidth - 24 : left;
      tip.style.transform = `translate(${Math.max(0, flipped)}px, 0)`;
    },
  };
}

// The scale runs from a little below the lowest value to a little above the highest; from zero if that is near.
function heights(plot, low, high) {
  if (low === null || high === null) return [0, 1];
  const room = Math.max((high - low) * 0.14, 1);
  return [low < (high - low) * 0.5 ? 0 : low - room, high + room];
}

// The fill is strong under the line and fades to nothing at the bottom.
function area(box) {
  const [strong, none] = [colour(box, "--accent", AREA_OPACITY), colour(box, "--accent", 0)];
  return (plot) => {
    const { top, height } = plot.bbox;
    if (!Number.isFinite(top + height) || height === 0) return strong;
    const fade = plot.ctx.createLinearGradient(0, top, 0, top + height);
    fade.addColorStop(0, strong);
    fade.addColorStop(1, none);
    return fade;
  };
}

function optionsFor(box, columns, words, axisWidth) {
  const ink = Object.fromEntries(["accent", "ink", "ink-3", "line", "paper"].map((name) => [name, colour(box, `--${name}`)]));
  const font = `12px ${getComputedStyle(box).fontFamily}`;
  const tooltip = hover(box, words, columns);
  const axis = { stroke: ink["ink-3"], font, ticks: { show: false } };
  return {
    width: box.clientWidth,
    height: box.clientHeight,
    tzDate: (time) => uPlot.tzDate(new Date(time * 1000), "UTC"),
    padding: [24, 0, 0, 1],
    legend: { show: false },
    cursor: {
      y: false,
      points: { size: 9, width: 2, fill: ink.paper, stroke: ink.accent },
      drag: { x: false, y: false },
      sync: box.dataset.sync ? { key: box.dataset.sync } : undefined,
    },
    scales: { x: { time: true }, y: { range: heights } },
    axes: [
      { ...axis, gap: 6, size: 30, grid: { show: false }, splits: dayTicks, values: dayLabels },
      {
        ...axis,
        side: 1,
        space: 58,
        gap: 8,
        size: axisWidth,
        grid: { stroke: ink.line, width: 1 },
        incrs: WHOLE_STEPS,
        values: (plot, ticks) => ticks.map(words.short),
      },
    ],
    series: [
      {},
      { stroke: ink.accent, width: 2.25, fill: area(box), spanGaps: false, points: { show: columns.t.length < 2 } },
    ],
    hooks: { ready: [tooltip.ready], setCursor: [tooltip.move], draw: [drawLast(box, words, ink)] },
  };
}

function columnsOf(box) {
  return JSON.parse(document.getElementById(box.dataset.plot).textContent);
}

function draw(box, axisWidth) {
  const columns = columnsOf(box);
  if (columns.t.length === 0) return;
  const words = wordsFor(box);
  box.replaceChildren();
  const plot = new uPlot(optionsFor(box, columns, words, axisWidth), [columns.t, columns[box.dataset.series]], box);
  new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: box.clientHeight })).observe(box);
}

// One width for all plots of a page, wide enough for the longest label, so that their days line up.
function widthFor(boxes) {
  const longest = boxes.map((box) => {
    const known = columnsOf(box)[box.dataset.series].filter((amount) => amount !== null);
    const unit = 10 ** Number(box.dataset.exponent || 0);
    return wordsFor(box).short(Math.ceil(Math.max(0, ...known) / unit) * unit).length;
  });
  return Math.max(62, 12 + 7 * Math.max(0, ...longest));
}

function drawAll() {
  const boxes = [...document.querySelectorAll("[data-plot]")];
  const axisWidth = widthFor(boxes);
  for (const box of boxes) draw(box, axisWidth);
}

// The library's stylesheet is loaded late on purpose, so that it does not block the page.
const sheet = document.createElement("link");
sheet.rel = "stylesheet";
sheet.href = document.currentScript.dataset.sheet;
sheet.addEventListener("load", () => document.fonts.ready.then(drawAll));
document.head.append(sheet);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
