// The small parts every view is made of.

import { html, useEffect, useRef } from "../html.js";
import { sentence, toneOf } from "../wording.js";

export const Badge = ({ code, tone, children }) =>
  html`<span class="badge ${tone ?? toneOf(code)}">${children ?? sentence(code)}</span>`;

export const Notice = ({ tone = "plain", role, children }) => html`<div class="notice ${tone}" role=${role}>${children}</div>`;

export const Problem = ({ error }) => error && html`<${Notice} tone="bad" role="alert">${error.message}<//>`;

export const Empty = ({ children }) => html`<p class="empty">${children}</p>`;

export function Field({ label, hint, children }) {
  return html`<label class="field"><span class="label">${label}</span>${children}${hint && html`<span class="hint">${hint}</span>`}</label>`;
}

export const Loading = ({ what = "Loading" }) => html`<p class="empty" role="status">${what} …</p>`;

// What was read, or how it stands with reading it.
export function Shown({ of, children }) {
  if (of.data === null) return of.error ? html`<${Problem} error=${of.error} />` : html`<${Loading} />`;
  return html`<${Problem} error=${of.error} />${children(of.data)}`;
}

// Rows under named columns; on a narrow screen each row is a small card with its names beside the values.
export function Table({ caption, columns, rows, keyOf, empty = "Nothing here." }) {
  if (!rows.length) return html`<${Empty}>${empty}<//>`;
  return html`<table class="rows">
    <caption class="unseen">${caption}</caption>
    <thead><tr>${columns.map((c) => html`<th scope="col" class=${c.number && "number"}>${c.name || html`<span class="unseen">Actions</span>`}</th>`)}</tr></thead>
    <tbody>
      ${rows.map((row) => html`<tr key=${keyOf(row)}>
        ${columns.map((c) => html`<td data-name=${c.name} class=${c.number && "number"}><div>${c.of(row)}</div></td>`)}
      </tr>`)}
    </tbody>
  </table>`;
}

// Asks for a reason, or whatever its form holds, before something is done. The browser's own dialog: focus stays in
// it, Escape closes it.
export function Dialog({ title, onClose, children }) {
  const element = useRef(null);
  useEffect(() => {
    const before = document.activeElement;
    element.current.showModal();
    return () => before?.focus?.();
  }, []);
  return html`<dialog ref=${element} class="dialog" aria-label=${title} onClose=${onClose}>
    <header><h2>${title}</h2><button type="button" class="icon" aria-label="Close" onClick=${() => element.current.close()}>×</button></header>
    ${children}
  </dialog>`;
}

export function Choices({ legend, name, value, options, onChange }) {
  return html`<fieldset class="choices"><legend class="unseen">${legend}</legend>
    ${options.map(([code, text]) => html`<label><input type="radio" name=${name} value=${code} checked=${code === value} onChange=${() => onChange(code)} /><span>${text}</span></label>`)}
  </fieldset>`;
}
