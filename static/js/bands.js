// A chart of bands over one axis of days, which the server has drawn: <div data-bands="id of a json_script">. One cursor
// goes through all bands, under the pointer or by a slider for the keyboard, and the legend tells the figures of its day.

function followed(box) {
  const columns = JSON.parse(document.getElementById(box.dataset.bands).textContent);
  const shown = [...box.querySelectorAll("[data-value]")];
  const names = shown.map((place) => place.dataset.value);
  // A row without any figure only keeps a gap open.
  const rows = columns.t.map((_, row) => row).filter((row) => names.some((name) => columns[name][row] !== null));
  // Only the price is an amount.
  const words = Object.fromEntries(names.map((name) => [name, wordsFor(name === "price" ? box : { dataset: {} })]));
  return { columns, shown, rows, words, days: box.querySelector("[data-day]") };
}

function cursorIn(area) {
  const line = document.createElement("div");
  line.className = "cursor";
  line.hidden = true;
  const points = [...area.querySelectorAll(".band")].map((band) => {
    const point = document.createElement("i");
    point.hidden = true;
    band.append(point);
    return { point, band };
  });
  area.append(line);
  return { line, points };
}

// Where a value is, from the top of its band: the server's scale goes from `low` to `high`.
function heightOf(band, value) {
  const [low, high] = [Number(band.dataset.low), Number(band.dataset.high)];
  return `${((high - value) / (high - low)) * 100}%`;
}

function follow(box) {
  const { columns, shown, rows, words, days } = followed(box);
  const area = box.querySelector(".area");
  const { line, points } = cursorIn(area);
  const [first, last] = [columns.t[0], columns.t[columns.t.length - 1]];
  const width = () => area.querySelector(".axis").clientWidth;
  const shareOf = (row) => (columns.t[row] - first) / Math.max(1, last - first);

  function tell(row) {
    days.textContent = written(columns.t[row], day);
    for (const place of shown) {
      const name = place.dataset.value;
      const value = columns[name][row];
      place.textContent = value === null ? "–" : words[name].full(value);
    }
  }

  function show(row) {
    line.hidden = false;
    line.style.left = `${shareOf(row) * width()}px`;
    for (const { point, band } of points) {
      const value = columns[band.dataset.series][row];
      point.hidden = value === null;
      if (value === null) continue;
      point.style.left = `${shareOf(row) * 100}%`;
      point.style.top = heightOf(band, value);
    }
    tell(row);
  }

  function hide() {
    line.hidden = true;
    for (const { point } of points) point.hidden = true;
    tell(columns.t.length - 1);
  }

  function nearest(share) {
    return rows.reduce((best, row) => (Math.abs(shareOf(row) - share) < Math.abs(shareOf(best) - share) ? row : best));
  }

  if (!rows.length) return;
  area.addEventListener("pointermove", (event) => {
    show(nearest((event.clientX - area.getBoundingClientRect().left) / width()));
  });
  area.addEventListener("pointerleave", hide);

  const slider = Object.assign(document.createElement("input"), { type: "range", min: 0, max: rows.length - 1, className: "vh" });
  slider.value = rows.length - 1;
  slider.setAttribute("aria-label", "Day of the chart");
  const choose = () => {
    show(rows[Number(slider.value)]);
    slider.setAttribute("aria-valuetext", box.querySelector(".legend").textContent.replace(/\s+/g, " ").trim());
  };
  slider.addEventListener("input", choose);
  slider.addEventListener("focus", choose);
  slider.addEventListener("blur", hide);
  area.after(slider);
}

for (const box of document.querySelectorAll("[data-bands]")) follow(box);
