// Charts by Chart.js, as unfold ships it, in the page's colours.

import { byId } from "../../chats/chat/dom.js";

const charts = [];
let loading = null;

function load(address) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => resolve(globalThis.Chart);
    script.onerror = () => reject(new Error("The chart could not be loaded; the table has the same numbers."));
    document.head.append(script);
  });
  return loading;
}

// A colour as it is in the theme that is on: variables hold both.
function color(name) {
  const probe = document.body.appendChild(document.createElement("span"));
  probe.style.color = `var(${name})`;
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

// `sets`: [{id, labels, indexeddb, api}] with times in ms.
export async function draw(address, sets) {
  const Chart = await load(address);
  for (const chart of charts.splice(0)) chart.destroy();
  const [text, line, mine, theirs] = ["--text", "--line", "--accent", "--busy"].map(color);
  for (const { id, labels, indexeddb, api } of sets) {
    const axis = { ticks: { color: text }, grid: { color: line } };
    const ticks = {
      color: text,
      callback: (value) => (Number.isInteger(Math.log10(value)) ? value.toLocaleString("en") : null),
    };
    const steps = { ...axis, type: "logarithmic", min: 1, ticks };
    charts.push(
      new Chart(byId(id), {
        type: "bar",
        data: {
          labels,
          datasets: [
            { label: "IndexedDB", data: indexeddb, backgroundColor: theirs, maxBarThickness: 90 },
            { label: "API", data: api, backgroundColor: mine, maxBarThickness: 90 },
          ],
        },
        options: {
          animation: false,
          responsive: true,
          maintainAspectRatio: false,
          plugins: { legend: { labels: { color: text } } },
          scales: { x: axis, y: { ...steps, title: { display: true, text: "ms", color: text } } },
        },
      }),
    );
  }
}
