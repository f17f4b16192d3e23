// Opens the print dialog of a page that is made for paper; without this file, the browser's own command does the same.
window.addEventListener("load", () => window.print());
