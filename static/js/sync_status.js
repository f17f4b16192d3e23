// Announces the progress of a sync to screen readers: a new state, a new reason to wait, and each quarter that is done.
// Every update of the page is not announced, since there is one every 2 seconds.
const status = document.getElementById("sync-status");

function textOf(box, selector) {
  return box.querySelector(selector)?.textContent.trim().replace(/\s+/g, " ") ?? "";
}

function read() {
  const box = document.getElementById("progress");
  const bar = box.querySelector("progress");
  const quarter = bar ? Math.floor((4 * bar.value) / bar.max) : 0;
  const waits = textOf(box, ".waits");
  const words = [textOf(box, ".badge"), waits, textOf(box, ".big")].filter(Boolean).join(". ");
  return { key: [textOf(box, ".badge"), Boolean(waits), bar?.ariaLabel, quarter].join(), words };
}

let last = read().key;
document.addEventListener("htmx:afterSettle", () => {
  const { key, words } = read();
  if (key === last) return;
  last = key;
  status.textContent = words;
});
