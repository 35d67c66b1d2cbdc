const drawings = JSON.parse(document.getElementById("drawings").textContent);
// Where there is little room, long names would leave none for the chart, and long legends would be cut off.
const draw = (place, spec) => {
  const narrow = place.clientWidth < 400;
  const config = { axis: { labelLimit: narrow ? 120 : 260 }, legend: narrow ? { columns: 2 } : {} };
  return window.vegaEmbed(place, spec, { renderer: "svg", actions: false, config });
};
for (const [name, spec] of Object.entries(drawings.model)) draw(document.getElementById(name), spec);

// The charts of a tensor are drawn when it is opened.
const drawTensor = (details) => {
  if (!details.open || details.dataset.drawn) return;
  details.dataset.drawn = "yes";
  for (const place of details.querySelectorAll("[data-chart]")) {
    const name = place.dataset.chart;
    draw(place, { ...drawings.templates[name], data: { values: drawings.tensors[details.dataset.number][name] } });
  }
};
const tensors = [...document.querySelectorAll("details[data-number]")];
for (const details of tensors) details.addEventListener("toggle", () => drawTensor(details));
const openAll = (open) => {
  for (const details of tensors) details.open = open && !details.hidden;
};
document.getElementById("open-all").addEventListener("click", () => openAll(true));
document.getElementById("close-all").addEventListener("click", () => openAll(false));

const openTarget = () => {
  const target = document.getElementById(location.hash.slice(1));
  if (!(target instanceof HTMLDetailsElement)) return;
  target.open = true;
  target.scrollIntoView();
  target.querySelector("summary").focus();
};
addEventListener("hashchange", openTarget);
document.addEventListener("click", (event) => {
  if (event.target.closest("td a")) setTimeout(openTarget);
});
openTarget();

const table = document.getElementById("tensors");
const body = table.tBodies[0];
const cell = (row, column) => row.cells[column].dataset.value;
table.tHead.addEventListener("click", (event) => {
  const header = event.target.closest("th");
  if (!header) return;
  const descending = header.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const column = header.cellIndex;
  const compare = header.dataset.kind === "number"
    ? (a, b) => cell(a, column) - cell(b, column)
    : (a, b) => cell(a, column).localeCompare(cell(b, column), undefined, { numeric: true });
  const rows = [...body.rows].sort(compare);
  body.append(...(descending ? rows.reverse() : rows));
});

const search = document.getElementById("search");
search.addEventListener("input", () => {
  const wanted = search.value.trim().toLowerCase();
  let count = 0;
  for (const row of body.rows) {
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
    count += !row.hidden;
    const details = document.getElementById(`tensor-${row.dataset.number}`);
    if (details) details.hidden = row.hidden;
  }
  document.getElementById("shown").textContent = `${count} of ${body.rows.length} tensors`;
});
