// Which contexts are shown.
const filters = document.querySelector("form.filters");
if (filters) {
  filters.hidden = false;
  const selects = [...filters.querySelectorAll("select")];
  filters.addEventListener("submit", (event) => event.preventDefault());
  filters.addEventListener("input", () => {
    const wanted = selects.filter((select) => select.value);
    for (const table of tables)
      for (const row of table.tBodies[0].rows)
        row.hidden = wanted.some((select) => row.dataset[select.name] !== select.value);
    const rows = [...tables[0].closest(".table").querySelectorAll("tbody tr")];
    filters.querySelector("output").textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} shown`;
  });
}

