// Looking for what was checked and decided.

import { html, useState } from "../html.js";
import { query, staffApi } from "../api.js";
import { usePages, useRead } from "../loading.js";
import { moment, sentence } from "../wording.js";
import { Badge, Dialog, Field, Problem, Shown, Table } from "./basic.js";
import { Checks } from "./turn.js";

const CODES = ["prescription_required", "schedule_x", "allergy", "interaction", "condition", "age", "duplicate_therapy", "max_daily_dose", "quantity_limit", "refill_too_soon", "out_of_stock", "not_found", "rules_unavailable"];
const OUTCOMES = ["proposed", "refused", "placed", "placed_before", "changed", "expired", "questions", "said", "declined"];

export function DecisionSearch({ limit }) {
  const [filter, setFilter] = useState({ patient_id: "", order_id: "", outcome: "", code: "", since: "", until: "" });
  const [opened, setOpened] = useState(null);
  const change = (name) => (event) => setFilter({ ...filter, [name]: event.target.value.trim() });
  const list = usePages(async (cursor) => {
    const page = await staffApi.get(`/api/admin/decisions${query({ ...filter, limit, cursor })}`);
    return { rows: page.decisions, next: page.next_cursor };
  }, Object.values(filter));
  const choice = (name, codes) => html`<select value=${filter[name]} onChange=${change(name)}><option value="">Any</option>${codes.map((code) => html`<option value=${code}>${sentence(code)}</option>`)}</select>`;
  return html`<section class="card" aria-label="Decisions">
    <div class="fields filter">
      <${Field} label="Patient"><input placeholder="PAT001" value=${filter.patient_id} onChange=${change("patient_id")} /><//>
      <${Field} label="Order"><input placeholder="ORD042" value=${filter.order_id} onChange=${change("order_id")} /><//>
      <${Field} label="Outcome">${choice("outcome", OUTCOMES)}<//>
      <${Field} label="Finding">${choice("code", CODES)}<//>
      <${Field} label="From"><input type="date" value=${filter.since} onChange=${change("since")} /><//>
      <${Field} label="To"><input type="date" value=${filter.until} onChange=${change("until")} /><//>
    </div>
    <${Problem} error=${list.error} />
    <${Table} caption="Decisions, the latest first" keyOf=${(row) => row.decision_id} rows=${list.rows} empty=${list.loading ? "Loading …" : "Nothing was decided like that."} columns=${[
      { name: "When", of: (row) => moment(row.decided_at) },
      { name: "Patient", of: (row) => html`${row.patient_name} <span class="id">${row.patient_id}</span>` },
      { name: "Asked", of: (row) => sentence(row.kind) },
      { name: "Outcome", of: (row) => html`<${Badge} code=${row.outcome} />` },
      { name: "Found", of: (row) => [...new Set(row.findings.map((one) => one.code))].map((code) => html`<${Badge} key=${code} tone=${row.findings.some((one) => one.code === code && one.severity === "block") ? "bad" : "wait"}>${sentence(code)}<//> `) },
      { name: "Order", of: (row) => row.order_id ?? "–" },
      { name: "", of: (row) => html`<button type="button" class="small quiet" aria-label=${`Look at decision ${row.decision_id}`} onClick=${() => setOpened(row)}>Look</button>` },
    ]} />
    ${list.more && html`<div class="more"><button type="button" onClick=${list.showMore} disabled=${list.loading}>Show more</button></div>`}
    ${opened && html`<${Looked} of=${opened} onClose=${() => setOpened(null)} />`}
  </section>`;
}

function Looked({ of, onClose }) {
  const read = useRead(() => staffApi.get(`/api/decisions/${of.trace_id}`), [of.trace_id]);
  return html`<${Dialog} title=${`${of.patient_name}, ${moment(of.decided_at)}`} onClose=${onClose}><div class="body stack">
    <${Shown} of=${read}>${({ decisions }) => decisions.map((one) => html`<${Checks} of=${one} key=${one.decided_at} />`)}<//>
    <p class="trace">Trace <code>${of.trace_id}</code></p>
  </div><//>`;
}
