// The register of Schedule H1 sales.

import { html, useState } from "../html.js";
import { query, staffApi } from "../api.js";
import { usePages } from "../loading.js";
import { moment } from "../wording.js";
import { Badge, Field, Problem, Table } from "./basic.js";

export function Register() {
  const [filter, setFilter] = useState({ patient_id: "", product_id: "", since: "", until: "" });
  const change = (name) => (event) => setFilter({ ...filter, [name]: event.target.value.trim() });
  const list = usePages(async (cursor) => {
    const page = await staffApi.get(`/api/admin/dispense-register${query({ ...filter, cursor })}`);
    return { rows: page.entries, next: page.next_cursor };
  }, [filter.patient_id, filter.product_id, filter.since, filter.until]);
  return html`<section class="card" aria-label="H1 register">
    <div class="fields filter">
      <${Field} label="Patient"><input placeholder="PAT001" value=${filter.patient_id} onChange=${change("patient_id")} /><//>
      <${Field} label="Product"><input placeholder="MED060" value=${filter.product_id} onChange=${change("product_id")} /><//>
      <${Field} label="From"><input type="date" value=${filter.since} onChange=${change("since")} /><//>
      <${Field} label="To"><input type="date" value=${filter.until} onChange=${change("until")} /><//>
    </div>
    <${Problem} error=${list.error} />
    <${Table} caption="Sales of Schedule H1 medicines, the latest first" keyOf=${(row) => row.register_id} rows=${list.rows} empty=${list.loading ? "Loading …" : "No entries."} columns=${[
      { name: "No.", number: true, of: (row) => row.register_id },
      { name: "When", of: (row) => moment(row.entered_at) },
      { name: "Entry", of: (row) => html`<${Badge} tone=${row.entry === "reversed" ? "bad" : "good"}>${row.entry}<//>` },
      { name: "Patient", of: (row) => html`${row.patient_name} <span class="id">${row.patient_id}</span>` },
      { name: "Prescriber", of: (row) => row.prescriber },
      { name: "Medicine", of: (row) => html`${row.product_name} <span class="id">${row.product_id}</span>` },
      { name: "Packs", number: true, of: (row) => `${row.packs} (${row.units})` },
      { name: "Lots", of: (row) => row.lots.join(", ") || "–" },
      { name: "Order", of: (row) => row.order_id },
    ]} />
    ${list.more && html`<div class="more"><button type="button" onClick=${list.showMore} disabled=${list.loading}>Show more</button></div>`}
  </section>`;
}
