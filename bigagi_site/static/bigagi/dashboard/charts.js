// Charts made of the tables that stand beside them, so that both say the same.
const COLORS = ["#24807a", "#c7803c", "#5b6fb5", "#a8557f", "#6d8f3a", "#8a6fc0", "#8a8f98"];
const DARK_COLORS = ["#5fc2b8", "#e5ab6d", "#93a5e8", "#dc90b3", "#a6c873", "#bba5ee", "#a3a9b1"];
const charts = new Map();

/** Draw the charts of all figures that have none yet, and forget those whose figures are gone. */
export function drawCharts(board) {
  for (const [canvas, chart] of charts) {
    if (canvas.isConnected) continue;
    chart.destroy();
    charts.delete(canvas);
  }
  for (const figure of board.querySelectorAll("[data-chart]")) {
    const canvas = figure.querySelector("canvas");
    if (canvas && !charts.has(canvas)) charts.set(canvas, new window.Chart(canvas, describe(figure)));
  }
}

/** Give the charts the colours of the theme. */
export function repaintCharts() {
  for (const [canvas, chart] of charts) {
    const { data, options } = describe(canvas.closest("[data-chart]"));
    Object.assign(chart, { data, options });
    chart.update("none");
  }
}

/** Return what a table says: the labels of its rows, and a series for each column. */
export function readTable(table) {
  const rows = [...table.tBodies[0].rows];
  const heads = [...table.tHead.rows[0].cells].slice(1);
  return {
    labels: rows.map((row) => row.cells[0].textContent.trim()),
    series: heads.map((head, at) => ({
      name: head.textContent.trim(),
      values: rows.map((row) => Number(row.cells[at + 1].dataset.value)),
    })),
  };
}

// As `stores/records/units.py` writes them.
export function formatUsd(nano) {
  const dollars = nano / 1e9;
  if (!dollars || Math.abs(dollars) >= 1) return `$${dollars.toLocaleString("en", { maximumFractionDigits: 2 })}`;
  return `$${dollars.toPrecision(2)}`;
}

export function formatShort(number) {
  if (Math.abs(number) < 10_000) return number.toLocaleString("en", { maximumFractionDigits: 0 });
  for (const [size, unit] of [[1e3, "k"], [1e6, "M"], [1e9, "B"], [1e12, "T"]]) {
    if (Math.abs(number) < size * 999.5 || unit === "T") return `${Number((number / size).toPrecision(3))}${unit}`;
  }
}

function describe(figure) {
  const { labels, series } = readTable(figure.querySelector("table"));
  const isDark = document.documentElement.classList.contains("dark");
  const colors = isDark ? DARK_COLORS : COLORS;
  const style = getComputedStyle(figure);
  const [quiet, line] = [style.getPropertyValue("--quiet"), style.getPropertyValue("--line")];
  const format = figure.dataset.chart === "usd" ? formatUsd : formatShort;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  return {
    type: "bar",
    data: {
      labels,
      datasets: series.map(({ name, values }, at) => ({
        label: name,
        data: values,
        backgroundColor: colors[at % colors.length],
        borderRadius: 2,
        maxBarThickness: 28,
      })),
    },
    options: {
      animation: calm ? false : { duration: 200 },
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: { stacked: true, grid: { display: false }, border: { color: line }, ticks: { color: quiet, maxRotation: 0, autoSkipPadding: 12 } },
        y: { stacked: true, beginAtZero: true, grid: { color: line }, border: { display: false }, ticks: { color: quiet, callback: (value) => format(value), maxTicksLimit: 5 } },
      },
      plugins: {
        legend: { position: "bottom", labels: { color: quiet, boxWidth: 10, boxHeight: 10 } },
        tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${format(item.parsed.y)}` } },
      },
    },
  };
}
