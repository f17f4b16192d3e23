// How charts write days, amounts and counts: as the rest of the page does. chart.js and bands.js use it.

// The user's choice; the page's own language is always English.
const { locale, day, shortDay, months } = document.currentScript.dataset;
const monthNames = months.split("|");
const whole = new Intl.NumberFormat(locale);

// A UTC day by a pattern of the server's, so that it reads as on the rest of the page: d MMM y → 12 Mar 2026.
function written(time, pattern) {
  const date = new Date(time * 1000);
  const [dayOfMonth, month] = [date.getUTCDate(), date.getUTCMonth()];
  const parts = { d: dayOfMonth, M: month + 1, MMM: monthNames[month], y: date.getUTCFullYear() };
  const padded = { dd: String(parts.d).padStart(2, "0"), MM: String(parts.M).padStart(2, "0") };
  return pattern.replace(/'([^']*)'|d+|M+|y/g, (token, literal) => literal ?? padded[token] ?? parts[token]);
}

function wordsFor(box) {
  const { currency, exponent, hidden, hundredths } = box.dataset;
  if (hidden !== undefined) return { full: () => "•••", short: () => "" }; // the line keeps its shape without amounts
  if (hundredths !== undefined) {
    const tick = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
    const full = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
    return { full: (n) => full.format(Math.round(n / 10) / 10), short: (n) => tick.format(n / 100) };
  }
  if (!currency) return { full: (n) => whole.format(n), short: (n) => whole.format(n) };
  const unit = 10 ** Number(exponent);
  const options = { style: "currency", currency }; // the same symbols as on the page: CA$ is not $
  const full = new Intl.NumberFormat(locale, { ...options, minimumFractionDigits: Number(exponent) });
  const tick = new Intl.NumberFormat(locale, { ...options, minimumFractionDigits: 0, maximumFractionDigits: 2 });
  return { full: (n) => full.format(n / unit), short: (n) => tick.format(n / unit) };
}
