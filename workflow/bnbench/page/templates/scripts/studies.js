// Which studies are shown: those that have all the words.
"use strict";
const form = document.querySelector("form.find");
if (form) {
  form.hidden = false;
  const rows = [...document.querySelector("table.studies").tBodies[0].rows];
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    const words = form.querySelector("input").value.toLowerCase().split(/\s+/);
    for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
    form.querySelector("output").textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} shown`;
  });
}
