// The filters of a list. They apply with the button or Enter, never when a choice changes: arrow keys change a select.
const form = document.querySelector("form.filters");
const apply = form.querySelector("[type=submit]");
const FOCUSED = "filters-focused";

form.addEventListener("formdata", ({ formData }) => {
  for (const [name, value] of [...formData]) if (!value) formData.delete(name); // keeps empty names out of the address
});
form.addEventListener("submit", () => sessionStorage.setItem(FOCUSED, document.activeElement?.id ?? ""));

// The button is emphasised while a choice has not been applied.
function isChanged(control) {
  if (control.type === "search") return control.value !== control.defaultValue;
  const selected = control.querySelector("[selected]") ?? control.options[0];
  return selected !== control.selectedOptions[0];
}
form.addEventListener("input", () => {
  apply.classList.toggle("plain", ![...form.querySelectorAll("select, [type=search]")].some(isChanged));
});

// The focus stays where it was when the filters were applied.
document.getElementById(sessionStorage.getItem(FOCUSED))?.focus();
sessionStorage.removeItem(FOCUSED);

// A page from the browser's back-forward cache has the controls as they were left; the list is that of the address.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  form.reset();
  apply.classList.add("plain");
});
