// Offers the browser's own time zone, which the server cannot know, among those of the settings page.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const isCity = /^(?!Etc\/)[A-Z][A-Za-z]+\//.test(zone ?? "");

function select() {
  return document.getElementById("id_time_zone");
}

function offer() {
  if (![...select().options].some((option) => option.value === zone)) select().options.add(new Option(zone, zone), 0);
  const own = [...select().options].find((option) => option.value === zone);
  own.textContent += " (your browser’s)";
  return own.selected;
}

if (isCity && !offer()) {
  document.getElementById("id_time_zone_helptext").prepend(`Your browser is in ${zone}. `);
}

// The list of all time zones replaces the short one; what was chosen in that stays chosen.
let chosen = select().value;
document.addEventListener("htmx:beforeSwap", () => (chosen = select().value));
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id !== "id_time_zone") return;
  if (isCity) offer();
  select().value = chosen;
  document.querySelector("#id_time_zone_helptext a").remove();
  select().focus();
});
