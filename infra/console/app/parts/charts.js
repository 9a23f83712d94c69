// Small charts, drawn as they are: no axis that says nothing. What is seen is also said, for who cannot see it.

import { html } from "../html.js";

const HEIGHT = 96;

// Stacked bars over time. `bars`: [{label, values: {series: number}}], `series`: [[name, colour class]].
export function Bars({ title, bars, series, empty }) {
  const sums = bars.map((bar) => series.reduce((sum, [name]) => sum + (bar.values[name] ?? 0), 0));
  const most = Math.max(...sums, 1);
  const totals = series.map(([name]) => [name, bars.reduce((sum, bar) => sum + (bar.values[name] ?? 0), 0)]).filter(([, n]) => n);
  const said = totals.map(([name, n]) => `${name} ${n}`).join(", ");
  const step = 100 / bars.length;
  return html`<figure class="chart">
    <figcaption><strong>${title}</strong> <span class="soft">${said || empty}</span></figcaption>
    <svg viewBox=${`0 0 100 ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label=${`${title}: ${said || empty}`}>
      <line x1="0" x2="100" y1=${HEIGHT - 0.5} y2=${HEIGHT - 0.5} class="base" />
      ${bars.map((bar, place) => {
        let top = HEIGHT - 1;
        return series.map(([name, tone]) => {
          const height = ((bar.values[name] ?? 0) / most) * (HEIGHT - 8);
          top -= height;
          return height > 0 && html`<rect key=${`${place} ${name}`} class=${tone} x=${place * step + step * 0.12} width=${step * 0.76} y=${top} height=${height}><title>${`${bar.label}: ${name} ${bar.values[name]}`}</title></rect>`;
        });
      })}
    </svg>
    <div class="ends soft" aria-hidden="true"><span>${bars[0]?.label}</span><span>most ${most} an hour</span><span>${bars.at(-1)?.label}</span></div>
    <ul class="legend" aria-hidden="true">${series.map(([name, tone]) => html`<li key=${name}><i class=${tone}></i>${name}</li>`)}</ul>
  </figure>`;
}

// Counts side by side: [{name, parts: [[tone, count, what]]}], the largest first.
export function Counts({ title, rows, empty }) {
  const most = Math.max(...rows.map((row) => row.parts.reduce((sum, [, count]) => sum + count, 0)), 1);
  return html`<figure class="chart"><figcaption><strong>${title}</strong></figcaption>
    ${rows.length
      ? html`<ul class="counts">${rows.map((row) => html`<li key=${row.name}>
          <span>${row.name}</span>
          <span class="track" aria-hidden="true">${row.parts.map(([tone, count]) => count > 0 && html`<i class=${tone} style=${{ width: `${(count / most) * 100}%` }}></i>`)}</span>
          <span class="number">${row.parts.filter(([, count]) => count).map(([, count, what]) => `${count}${what ? ` ${what}` : ""}`).join(", ")}</span>
        </li>`)}</ul>`
      : html`<p class="soft">${empty}</p>`}
  </figure>`;
}

const DAY = 86_400_000;
const SPAN = { before: 30, after: 45 };

// Supplies on one line of time, today marked: [{key, name, detail, from, to, tone, actions}], days as YYYY-MM-DD.
export function Supplies({ rows, label }) {
  const today = Date.parse(new Date().toISOString().slice(0, 10));
  const place = (text) => Math.min(Math.max(((Date.parse(text) - today) / DAY + SPAN.before) / (SPAN.before + SPAN.after), 0), 1) * 100;
  const now = (SPAN.before / (SPAN.before + SPAN.after)) * 100;
  return html`<div class="supplies" role="list" aria-label=${label}>
    <div class="scale soft" aria-hidden="true"><span>${SPAN.before} days ago</span><span style=${{ left: `${now}%` }}>today</span><span>in ${SPAN.after} days</span></div>
    ${rows.map((row) => html`<div class="supply" role="listitem" key=${row.key}>
      <div class="what"><span><strong>${row.name}</strong> ${row.detail}</span>${row.actions}</div>
      <div class="line" aria-hidden="true">
        <i class=${`bar ${row.tone}`} style=${{ left: `${place(row.from)}%`, width: `${Math.max(place(row.to) - place(row.from), 0.6)}%` }}></i>
        <i class="now" style=${{ left: `${now}%` }}></i>
      </div>
    </div>`)}
  </div>`;
}
