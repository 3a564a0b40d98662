// Which contexts are shown: of rows, sentences and figures alike.
const filters = document.querySelector("form.filters");
if (filters) {
  filters.hidden = false;
  filters.addEventListener("submit", (event) => event.preventDefault());
  const selects = [...filters.querySelectorAll("select[name]")];
  const held = [...document.querySelectorAll("tr, li, p")].filter((one) => selects.some((select) => select.name in one.dataset));
  const rows = held.filter((one) => one.closest(".table") === tables[0].closest(".table"));
  for (const select of selects) select.addEventListener("input", () => choose({ where: { ...chosen.where, [select.name]: select.value } }));
  watchers.push(() => {
    for (const select of selects) select.value = chosen.where[select.name] ?? "";
    for (const one of held) one.hidden = !isShown(one.dataset);
    const shown = rows.filter((row) => !row.hidden).length;
    filters.querySelector("output").textContent = rows.length ? `${shown} of ${rows.length} shown` : "";
  });
}
