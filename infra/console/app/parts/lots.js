// One product, lot by lot: receive, hold, release, recall, correct, and every pack that came or went.

import { html, useState } from "../html.js";
import { query, staffApi } from "../api.js";
import { useAction, usePages, useRead } from "../loading.js";
import { day, moment, plural, words } from "../wording.js";
import { Badge, Dialog, Field, Notice, Problem, Shown, Table } from "./basic.js";
import { Reasoned } from "./review.js";

const ACTIONS = {
  hold: { verb: "Hold", hint: "It is not sold until a pharmacist releases it." },
  release: { verb: "Release", hint: "It is sold again." },
  recall: { verb: "Recall", hint: "For good: it leaves the sellable stock at once and cannot come back." },
};

export function ProductLots({ productId, staff, onBack }) {
  const at = `/api/admin/inventory/${productId}`;
  const product = useRead(() => staffApi.get(at), [at]);
  const moves = usePages(async (cursor) => {
    const page = await staffApi.get(`${at}/movements${query({ limit: 15, cursor })}`);
    return { rows: page.movements, next: page.next_cursor };
  }, [at]);
  const [doing, setDoing] = useState(null);
  const [recipients, setRecipients] = useState(null);
  const after = () => {
    setDoing(null);
    product.again();
    moves.again();
  };
  const can = (lot) => [
    ...(lot.status === "available" ? ["hold"] : []),
    ...(lot.status === "held" && staff.role === "pharmacist" ? ["release"] : []),
    ...(lot.status === "recalled" ? [] : ["recall"]),
  ];
  return html`<div class="stack">
    <button type="button" class="quiet back-to" onClick=${onBack}>← All products</button>
    <${Shown} of=${product}>${(data) => html`<section class="card" aria-label="Lots">
      <header class="headline"><h2>${data.product_name}</h2><span class="id">${data.product_id}</span> <span class="soft">${data.package_size} · ${plural(data.stock_quantity, "pack")} sellable, low at ${data.low_stock_threshold}</span></header>
      <${Table} caption="Lots, the first to expire first" keyOf=${(lot) => lot.batch_id} rows=${data.batches} empty="No lot is here." columns=${[
        { name: "Lot", of: (lot) => html`<strong>${lot.lot}</strong>` },
        { name: "Expiry", of: (lot) => html`${day(lot.expiry)} ${lot.days_left <= 0 && html`<${Badge} tone="bad">expired<//>`}` },
        { name: "Status", of: (lot) => html`<${Badge} code=${lot.status} /> ${lot.status_reason && html`<span class="soft small-text">${lot.status_reason}</span>`}` },
        { name: "Free", number: true, of: (lot) => lot.quantity },
        { name: "In orders", number: true, of: (lot) => lot.reserved || "–" },
        { name: "", of: (lot) => html`<div class="buttons">
          ${can(lot).map((action) => html`<button type="button" key=${action} class=${`small ${action === "recall" ? "danger" : ""}`} aria-label=${`${ACTIONS[action].verb} lot ${lot.lot}`} onClick=${() => setDoing({ action, lot })}>${ACTIONS[action].verb} …</button>`)}
          <button type="button" class="small" aria-label=${`Correct lot ${lot.lot}`} onClick=${() => setDoing({ action: "correct", lot })}>Correct …</button>
          <button type="button" class="small quiet" aria-label=${`Who got it: lot ${lot.lot}`} onClick=${() => setRecipients({ lot })}>Who got it</button>
        </div>` },
      ]} />
    </section>`}<//>
    <${Receive} at=${at} onDone=${after} />
    <section class="card" aria-label="Movements"><h2>Every pack that came or went</h2>
      <${Table} caption="Movements, the latest first" keyOf=${(row) => row.movement_id} rows=${moves.rows} columns=${[
        { name: "When", of: (row) => moment(row.moved_at) },
        { name: "Lot", of: (row) => row.lot },
        { name: "What", of: (row) => words(row.kind) },
        { name: "Change", number: true, of: (row) => (row.change > 0 ? `+${row.change}` : row.change) },
        { name: "Left", number: true, of: (row) => row.quantity_after },
        { name: "Why", of: (row) => row.order_id ?? row.reason ?? "–" },
        { name: "Who", of: (row) => row.moved_by ?? "–" },
      ]} />
      ${moves.more && html`<div class="more"><button type="button" onClick=${moves.showMore} disabled=${moves.loading}>Show more</button></div>`}
    </section>
    ${doing?.action === "correct" && html`<${Correct} at=${at} lot=${doing.lot} onDone=${after} onClose=${() => setDoing(null)} />`}
    ${doing && doing.action !== "correct" && html`<${Reasoned} title=${`${ACTIONS[doing.action].verb} lot ${doing.lot.lot}`} hint=${ACTIONS[doing.action].hint} verb=${ACTIONS[doing.action].verb} onClose=${() => setDoing(null)} act=${async (reason) => {
      const answer = await staffApi.post(`${at}/batches/${doing.lot.batch_id}/${doing.action}`, { reason });
      after();
      if (doing.action === "recall") setRecipients({ lot: doing.lot, answer });
    }} />`}
    ${recipients && html`<${Recipients} at=${at} of=${recipients} onClose=${() => setRecipients(null)} />`}
  </div>`;
}

function Recipients({ at, of, onClose }) {
  const read = useRead(async () => of.answer ?? staffApi.get(`${at}/batches/${of.lot.batch_id}/recipients`), [of]);
  return html`<${Dialog} title=${`Who got packs of lot ${of.lot.lot}`} onClose=${onClose}><div class="body stack">
    <${Shown} of=${read}>${(data) => html`
      <p>${plural(data.count, "order")}, ${plural(data.packs, "pack")}.</p>
      ${of.answer && html`<${Notice} tone="good" role="status">The lot is recalled and not sold any more.<//>`}
      ${data.open_orders > 0 && html`<${Notice} tone="wait">${plural(data.open_orders, "order")} of it ${data.open_orders === 1 ? "has" : "have"} not left yet: cancel ${data.open_orders === 1 ? "it" : "them"}.<//>`}
      <${Table} caption="Who got packs" keyOf=${(row) => row.order_id} rows=${data.recipients} empty="Nobody." columns=${[
        { name: "Order", of: (row) => row.order_id },
        { name: "Patient", of: (row) => html`${row.name} <span class="id">${row.patient_id}</span>` },
        { name: "Reach", of: (row) => row.phone ?? row.email },
        { name: "Packs", number: true, of: (row) => row.packs },
        { name: "Status", of: (row) => html`<${Badge} code=${row.status} />` },
      ]} />`}<//>
  </div><//>`;
}

function Receive({ at, onDone }) {
  const [form, setForm] = useState({ lot: "", expiry: "", packs: "" });
  const [key, setKey] = useState(() => crypto.randomUUID());
  const change = (name) => (event) => setForm({ ...form, [name]: event.target.value });
  const receive = useAction(async () => {
    const lot = await staffApi.post(`${at}/batches`, { lot: form.lot, expiry: form.expiry, packs: Number(form.packs) }, key);
    setForm({ lot: "", expiry: "", packs: "" });
    setKey(crypto.randomUUID());
    onDone();
    return lot;
  });
  const submit = (event) => {
    event.preventDefault();
    receive.run();
  };
  return html`<form class="card stack" aria-label="Receive a lot" onSubmit=${submit}><h2>Receive a lot</h2>
    <div class="fields">
      <${Field} label="Lot" hint="As printed"><input required maxlength="50" value=${form.lot} onInput=${change("lot")} /><//>
      <${Field} label="Expiry" hint="Not sold from this day on"><input type="date" required value=${form.expiry} onInput=${change("expiry")} /><//>
      <${Field} label="Packs"><input type="number" min="1" max="100000" required value=${form.packs} onInput=${change("packs")} /><//>
    </div>
    <${Problem} error=${receive.error} />
    ${receive.done && html`<${Notice} tone="good" role="status">Lot ${receive.done.lot} is here: ${plural(receive.done.quantity, "pack")}.<//>`}
    <div class="buttons"><button class="primary" disabled=${receive.busy}>Receive</button></div>
  </form>`;
}

function Correct({ at, lot, onDone, onClose }) {
  const [counted, setCounted] = useState(lot.on_shelf);
  const [reason, setReason] = useState("");
  const [key] = useState(() => crypto.randomUUID());
  const correct = useAction(async () => {
    await staffApi.post(`${at}/batches/${lot.batch_id}/corrections`, { counted: Number(counted), reason }, key);
    onDone();
  });
  const submit = (event) => {
    event.preventDefault();
    correct.run();
  };
  return html`<${Dialog} title=${`Correct lot ${lot.lot}`} onClose=${onClose}><form class="stack" onSubmit=${submit}>
    <${Field} label="Packs on the shelf" hint="Those of orders that have not left are among them"><input type="number" min="0" required value=${counted} onInput=${(e) => setCounted(e.target.value)} /><//>
    <${Field} label="Reason"><textarea required minlength="3" rows="2" value=${reason} onInput=${(e) => setReason(e.target.value)}></textarea><//>
    <${Problem} error=${correct.error} />
    <div class="buttons"><button class="primary" disabled=${correct.busy}>Correct</button></div>
  </form><//>`;
}
