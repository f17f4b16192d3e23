// Applies a filter when it is chosen; without this file the “Apply” button does the same.
for (const form of document.querySelectorAll("form[data-instant]")) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select")) form.requestSubmit();
  });
  form.addEventListener("submit", () => {
    for (const control of form.querySelectorAll("input, select")) {
      if (!control.value) control.disabled = true; // keeps empty names out of the address
    }
  });
}
window.addEventListener("pageshow", () => {
  for (const control of document.querySelectorAll("form[data-instant] :disabled")) control.disabled = false;
});
