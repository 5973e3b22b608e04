// Clicking a heading sorts its table. Without scripts the tables are complete and merely stay in their order.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") !== "descending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
      const compare = (one, other) => {
        const [a, b] = [Number(key(one)), Number(key(other))];
        if (Number.isNaN(a) || Number.isNaN(b)) {
          // What has no number comes last, whichever way round.
          const text = key(one).localeCompare(key(other)) * (down ? -1 : 1);
          return Number.isNaN(a) - Number.isNaN(b) || text;
        }
        return down ? b - a : a - b;
      };
      table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
    });
  });
}
