// An order on its way to the warehouse and back, live. The patient sees how far it is; staff also what was sent,
// answered and told.

import { html, useEffect, useState } from "../html.js";
import { staffApi } from "../api.js";
import { useRead } from "../loading.js";
import { clock, sentence, toneOf, words } from "../wording.js";
import { Badge, Problem } from "./basic.js";

const WAY = [["confirmed", "Placed"], ["processing", "At the warehouse"], ["shipped", "Shipped"], ["delivered", "Delivered"]];
const ENDS = ["delivered", "cancelled"];
const EVERY = 1500;

export function OrderWay({ orderId, api, staff }) {
  const [isOver, setOver] = useState(false);
  const order = useRead(async () => api.get(`/api/orders/${orderId}`), [orderId], isOver ? null : EVERY);
  const status = order.data?.status;
  useEffect(() => setOver(ENDS.includes(status)), [status]);
  const far = WAY.findIndex(([code]) => code === status);
  return html`<div class="way" data-order=${orderId} data-status=${status ?? ""}>
    <p class="headline"><strong>${orderId}</strong> ${status && html`<${Badge} code=${status} />`}
      ${order.data?.tracking && html`<span class="soft">tracking ${order.data.tracking.tracking_number}</span>`}</p>
    <${Problem} error=${order.error} />
    <ol class="stations">${WAY.map(([code, name], place) => html`<li key=${code} class=${place <= far ? "reached" : ""} aria-current=${place === far ? "step" : undefined}>${name}</li>`)}</ol>
    ${status === "awaiting_pharmacist" && html`<p class="finding wait">It waits for a pharmacist; nothing has left.</p>`}
    ${staff
      ? html`<${Deliveries} orderId=${orderId} isOver=${isOver} />`
      : html`<p class="soft small-text"><a href="#/staff">Sign in as staff</a> to see the outbox, the partner’s reports and the messages.</p>`}
  </div>`;
}

export function Deliveries({ orderId, isOver = false }) {
  const told = useRead(() => staffApi.get(`/api/admin/orders/${orderId}/deliveries`), [orderId], isOver ? 10_000 : EVERY);
  if (!told.data) return html`<${Problem} error=${told.error} />`;
  const rows = [
    ...told.data.events.map((event) => ({
      at: event.created_at,
      what: `${sentence(event.event_type)} written to the outbox`,
      state: event.state,
      detail: event.attempts ? `${event.attempts} attempt${event.attempts === 1 ? "" : "s"}${event.last_error ? `, ${event.last_error}` : ""}` : null,
    })),
    ...told.data.exchanges.map((one) => ({
      at: one.logged_at,
      what: one.direction === "out" ? `${sentence(one.subject)} sent to the warehouse` : `Warehouse reports: ${words(one.subject)}`,
      state: one.outcome,
      detail: [one.http_status && `HTTP ${one.http_status}`, one.ms && `${one.ms} ms`].filter(Boolean).join(", "),
    })),
    ...told.data.notifications.map((one) => ({
      at: one.created_at,
      what: `Patient told: ${words(one.kind)}`,
      state: one.status,
      detail: one.channel,
    })),
  ].sort((a, b) => a.at.localeCompare(b.at));
  return html`<ol class="timeline" aria-label="What was sent, answered and told">${rows.map((row, place) => html`<li key=${place} class=${toneOf(row.state)}>
    <time datetime=${row.at}>${clock(row.at)}</time> <span>${row.what} <${Badge} code=${row.state} />${row.detail && html` <span class="soft">${row.detail}</span>`}</span>
  </li>`)}</ol>`;
}
