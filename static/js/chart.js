// Charts of steps. <div data-plot="id of a json_script" data-series="name"> becomes a chart, with a second line if it has
// data-second. Columns are lists of equal length, t in epoch seconds, null where the value is unknown; `marks` are the
// places of marked days. words.js writes them.

const DAY = 86400;
const GAP = 12; // px between the plot and the labels of its scale
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
    if (span < 75 * DAY) return written(time, shortDay);
    const year = date.getUTCFullYear();
    const label = year === shownYear || shownYear === null ? monthNames[date.getUTCMonth()] : String(year);
    shownYear = year;
    return label;
  });
}

function lastKnown(values) {
  for (let at = values.length - 1; at >= 0; at -= 1) if (values[at] !== null) return at;
  return -1;
}

// A dashed line at the first value, from which the others have moved; below the lines.
function drawStart(ink) {
  return (plot) => {
    const first = plot.data[1].find((value) => value !== null);
    if (first === undefined) return;
    const scale = window.devicePixelRatio || 1;
    const y = Math.round(plot.valToPos(first, "y", true));
    const pen = plot.ctx;
    pen.save();
    pen.beginPath();
    pen.setLineDash([4 * scale, 4 * scale]);
    pen.lineWidth = scale;
    pen.strokeStyle = ink["ink-3"];
    pen.moveTo(plot.bbox.left, y);
    pen.lineTo(plot.bbox.left + plot.bbox.width, y);
    pen.stroke();
    pen.restore();
  };
}

function drawMarks(columns, ink) {
  return (plot) => {
    const scale = window.devicePixelRatio || 1;
    const pen = plot.ctx;
    pen.save();
    pen.fillStyle = ink.paper;
    pen.strokeStyle = ink.ink;
    pen.lineWidth = 1.5 * scale;
    for (const at of columns.marks || []) {
      if (plot.data[1][at] === null) continue;
      const [x, y] = [plot.valToPos(plot.data[0][at], "x", true), plot.valToPos(plot.data[1][at], "y", true)];
      pen.beginPath();
      pen.arc(x, y, 3 * scale, 0, 2 * Math.PI);
      pen.fill();
      pen.stroke();
    }
    pen.restore();
  };
}

// Marks the last value, and writes it in the column of the scale: there it can touch neither the line nor a tick.
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
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    pen.fillStyle = ink.ink;
    pen.fillText(words.full(plot.data[1][at]), plot.bbox.left + plot.bbox.width + GAP * scale, y);
    pen.restore();
  };
}

// The labels of the scale, without those that the last value stands beside or on.
function tickLabels(plot, ticks, words) {
  const at = lastKnown(plot.data[1]);
  const last = at < 0 ? -Infinity : plot.valToPos(plot.data[1][at], "y");
  return ticks.map((tick) => (Math.abs(plot.valToPos(tick, "y") - last) < 18 ? "" : words.short(tick)));
}

// The values between two gaps, which no line shows.
function lonely(plot, series) {
  const values = plot.data[series];
  const isKnown = (at) => values[at] !== null && values[at] !== undefined;
  return values.map((_, at) => at).filter((at) => isKnown(at) && !isKnown(at - 1) && !isKnown(at + 1));
}

function hover(box, words, columns) {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  const value = document.createElement("b");
  const [rest, more] = Array.from({ length: 2 }, () => document.createElement("span"));
  rest.className = "when";
  more.className = "more";
  tip.append(value, rest, more);
  return {
    ready: (plot) => plot.over.append(tip),
    move: (plot) => {
      const at = plot.cursor.idx;
      const amount = at === null || at === undefined ? null : plot.data[1][at];
      tip.hidden = amount === null || amount === undefined || plot.cursor.left < 0;
      if (tip.hidden) return;
      value.textContent = words.full(amount);
      const covered = columns.priced ? ` · ${whole.format(columns.priced[at])} of ${whole.format(columns.copies[at])} priced` : "";
      rest.textContent = written(plot.data[0][at], day) + covered;
      const beside = plot.data[2]?.[at] ?? null;
      const copies = columns.added?.[at];
      const lines = [
        beside === null ? "" : `${box.dataset.named} ${words.full(beside)}`,
        copies ? `${whole.format(copies)} ${copies === 1 ? "copy" : "copies"} added` : "",
      ];
      more.textContent = lines.filter((line) => line).join(" · ");
      const room = plot.over.clientWidth - tip.offsetWidth;
      const left = plot.valToPos(plot.data[0][at], "x") + 12;
      const flipped = left > room ? left - tip.offsetWidth - 24 : left;
      tip.style.transform = `translate(${Math.max(0, flipped)}px, 0)`;
    },
  };
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
  const names = ["accent", "ink", "ink-2", "ink-3", "line", "paper"];
  const ink = Object.fromEntries(names.map((name) => [name, colour(box, `--${name}`)]));
  const paths = uPlot.paths.stepped({ align: 1 });
  const lone = { show: true, filter: lonely, size: 5 };
  const font = `12px ${getComputedStyle(box).fontFamily}`;
  const tooltip = hover(box, words, columns);
  const axis = { stroke: ink["ink-3"], font, ticks: { show: false } };
  return {
    width: box.clientWidth,
    height: box.clientHeight,
    tzDate: (time) => uPlot.tzDate(new Date(time * 1000), "UTC"),
    padding: [8, 0, 0, 1],
    legend: { show: false },
    cursor: {
      y: false,
      points: { size: 9, width: 2, fill: ink.paper, stroke: (plot, series) => (series === 1 ? ink.accent : ink["ink-2"]) },
      drag: { x: false, y: false },
    },
    scales: { x: { time: true }, y: { range: [Number(box.dataset.low), Number(box.dataset.high)] } },
    axes: [
      { ...axis, gap: 6, size: 30, grid: { show: false }, splits: dayTicks, values: dayLabels },
      {
        ...axis,
        side: 1,
        space: 58,
        gap: GAP,
        size: axisWidth,
        grid: { stroke: ink.line, width: 1 },
        incrs: WHOLE_STEPS,
        values: (plot, ticks) => tickLabels(plot, ticks, words),
      },
    ],
    series: [
      {},
      { stroke: ink.accent, width: 2.25, fill: area(box), paths, points: lone },
      ...(box.dataset.second ? [{ stroke: ink["ink-2"], width: 1.5, paths, points: lone }] : []),
    ],
    hooks: {
      ready: [tooltip.ready],
      setCursor: [tooltip.move],
      drawAxes: [drawStart(ink)],
      draw: [drawMarks(columns, ink), drawLast(box, words, ink)],
    },
  };
}

function columnsOf(box) {
  return JSON.parse(document.getElementById(box.dataset.plot).textContent);
}

// The server's drawing stays under the plot, invisible: it is what gets printed.
function draw(box, axisWidth) {
  const columns = columnsOf(box);
  const plot = new uPlot(
    optionsFor(box, columns, wordsFor(box), axisWidth),
    [columns.t, columns[box.dataset.series], ...(box.dataset.second ? [columns[box.dataset.second]] : [])],
    box,
  );
  box.classList.add("live");
  const sizes = new ResizeObserver(() => {
    if (box.clientWidth) plot.setSize({ width: box.clientWidth, height: box.clientHeight }); // 0 on paper
  });
  sizes.observe(box);
  return () => {
    sizes.disconnect();
    plot.destroy();
  };
}

let erase = [];

function drawAll() {
  for (const one of erase) one();
  const boxes = [...document.querySelectorAll("[data-plot]")];
  // One width for all plots of a page, so that their days line up.
  const axisWidth = Math.max(...boxes.map((box) => box.querySelector(".scale").clientWidth));
  erase = boxes.map((box) => draw(box, axisWidth));
}

// The library's stylesheet is loaded late, so that it does not block the page, and into a layer below all of site.css:
// outside of a layer, its font would win over the page's. Without it, the server's drawing stays.
async function addSheet(address) {
  const [sheet, answer] = [new CSSStyleSheet(), await fetch(address)];
  sheet.replaceSync(`@layer vendor { ${await answer.text()} }`);
  document.adoptedStyleSheets.push(sheet);
  await document.fonts.ready;
}

addSheet(document.currentScript.dataset.sheet).then(drawAll);
for (const look of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
  window.matchMedia(look).addEventListener("change", drawAll);
}
