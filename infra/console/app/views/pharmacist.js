// The pharmacists' desk: what waits for them, the register, and what was decided.

import { html, useState } from "../html.js";
import { staffApi } from "../api.js";
import { useRead } from "../loading.js";
import { Badge, Choices, Empty, Shown } from "../parts/basic.js";
import { DecisionSearch } from "../parts/decision_search.js";
import { Register } from "../parts/register.js";
import { AllergyRemoval, PrescriptionReview, WaitingOrder } from "../parts/review.js";
import { ago, plural } from "../wording.js";

const TABS = [["queue", "To review"], ["register", "H1 register"], ["decisions", "Decisions"]];

export function Pharmacist({ staff }) {
  const [tab, setTab] = useState("queue");
  return html`<div class="view-head"><h1>Pharmacist</h1><${Choices} legend="What is shown" name="desk" value=${tab} options=${TABS} onChange=${setTab} /></div>
    ${tab === "queue" ? html`<${Queue} staff=${staff} />` : tab === "register" ? html`<${Register} />` : html`<${DecisionSearch} />`}`;
}

function Queue({ staff }) {
  const queue = useRead(async () => {
    const [waiting, removals] = await Promise.all([staffApi.get("/api/admin/prescriptions"), staffApi.get("/api/admin/allergy-removals")]);
    return { ...waiting, removals: removals.removals };
  }, [], 15_000);
  const [chosen, setChosen] = useState(null);
  const [results, setResults] = useState([]);
  const isPharmacist = staff.role === "pharmacist";
  const after = (result) => {
    if (result) setResults((before) => [result, ...before]);
    setChosen(null);
    queue.again();
  };
  return html`<${Shown} of=${queue}>${(data) => {
    const entries = [
      ...data.prescriptions.map((one) => ({ key: one.prescription_id, kind: "Prescription", at: one.created_at, who: one.patient_name, what: one.file ? "uploaded" : plural(one.items.length, "item"), one, shows: PrescriptionReview })),
      ...data.orders.map((one) => ({ key: one.order_id, kind: "Order", at: one.placed_at, who: one.patient_name, what: plural(one.items.length, "item"), one, shows: WaitingOrder })),
      ...data.removals.map((one) => ({ key: `allergy ${one.removal_id}`, kind: "Allergy", at: one.requested_at, who: one.patient_name, what: one.allergy, one, shows: AllergyRemoval })),
    ].sort((a, b) => a.at.localeCompare(b.at));
    const open = entries.find((entry) => entry.key === chosen) ?? null;
    return html`
      ${results.map((result, place) => html`<div key=${results.length - place}>${result}</div>`)}
      ${!entries.length
        ? html`<div class="card"><${Empty}>Nothing waits for a pharmacist.<//></div>`
        : html`<div class="split">
          <ul class="queue" aria-label="What waits, oldest first">${entries.map((entry) => html`<li key=${entry.key}>
            <button type="button" aria-pressed=${entry === open} onClick=${() => setChosen(entry.key)}>
              <span class="row"><strong>${entry.kind} ${entry.key.startsWith("allergy") ? "" : entry.key}</strong><span class="soft">${ago(entry.at)}</span></span>
              <span class="row"><span>${entry.who}</span><${Badge} tone="wait">${entry.what}<//></span>
            </button></li>`)}</ul>
          <section class="card review" aria-label="Review">
            ${open
              ? html`<${open.shows} of=${open.one} key=${open.key} isPharmacist=${isPharmacist} onDone=${after} prescriptions=${data.prescriptions} onOpen=${setChosen} />`
              : html`<${Empty}>Choose what to look at. The oldest stands first.<//>`}
          </section>
        </div>`}`;
  }}<//>`;
}
