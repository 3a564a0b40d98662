// Sorting of the tables of contexts, and a shadow where a table goes on. Without it, rows stand in the order of the grid.
"use strict";
const tables = [...document.querySelectorAll("table.contexts")];

function sortBy(table, column, ascending) {
  const body = table.tBodies[0];
  const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
  const compare = (a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === "" || y === "") return (x === "") - (y === ""); // what has no value stays at the end
    const numbers = !isNaN(x) && !isNaN(y);
    return (numbers ? x - y : x.localeCompare(y, undefined, { numeric: true })) * (ascending ? 1 : -1);
  };
  body.append(...[...body.rows].sort(compare));
}

// The text of a head becomes a button.
function asButton(head) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  head.append(button);
  return button;
}

for (const table of tables) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = asButton(head);
    button.className = "sorts";
    button.addEventListener("click", () => {
      const ascending = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      sortBy(table, column, ascending);
    });
  });
}

for (const scroll of document.querySelectorAll(".table .scroll"))
  scroll.addEventListener("scroll", () => scroll.classList.toggle("scrolled", scroll.scrollLeft > 0), { passive: true });
