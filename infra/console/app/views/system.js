// How the service is doing: what it depends on, what it decided, what it sent, and by which rules.

import { html, useState } from "../html.js";
import { query, staffApi } from "../api.js";
import { useAction, usePages, useRead } from "../loading.js";
import { Badge, Choices, Dialog, Problem, Shown, Table } from "../parts/basic.js";
import { Bars, Counts } from "../parts/charts.js";
import { ago, moment, plural, sentence, toneOf } from "../wording.js";

const HOURS = [["6", "6 h"], ["24", "24 h"], ["168", "7 days"]];
const OUTCOMES = [["placed", "good"], ["proposed", "info"], ["refused", "bad"], ["other", "wait"]];

export function System({ staff }) {
  const [hours, setHours] = useState("24");
  const overview = useRead(() => staffApi.get(`/api/admin/service?hours=${hours}`), [hours], 10_000);
  return html`<div class="view-head"><h1>System</h1><${Choices} legend="How far back" name="hours" value=${hours} options=${HOURS} onChange=${setHours} /></div>
    <div class="stack">
      <${Health} />
      <${Shown} of=${overview}>${(data) => html`<${Overview} of=${data} />`}<//>
      <${Outbox} />
      <${RuleSets} staff=${staff} />
    </div>`;
}

const Tile = ({ name, value, tone, detail }) => html`<div class=${`tile ${tone ?? ""}`}><dt>${name}</dt><dd>${value}${detail && html` <span class="soft small-text">${detail}</span>`}</dd></div>`;

function Health() {
  const health = useRead(() => staffApi.get("/health/detailed"), [], 10_000);
  return html`<${Shown} of=${health}>${(data) => html`<dl class="tiles" aria-label="Health">
    <${Tile} name="Service" value=${sentence(data.status)} tone=${toneOf(data.status)} />
    ${Object.entries(data.checks).map(([name, check]) => html`<${Tile} key=${name} name=${sentence(name)} value=${sentence(check.status)} tone=${toneOf(check.status)} detail=${check.ms && `${check.ms} ms`} />`)}
  </dl>`}<//>`;
}

const hourOf = (text) => new Date(text).toLocaleTimeString("en-IN", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

function Overview({ of }) {
  const hours = of.hours.map((hour) => {
    const { placed = 0, proposed = 0, refused = 0, ...rest } = hour.decisions;
    const other = Object.values(rest).reduce((sum, n) => sum + n, 0);
    return { label: hourOf(hour.hour), values: { placed, proposed, refused, other } };
  });
  const sent = of.hours.map((hour) => ({ label: hourOf(hour.hour), values: { delivered: hour.delivered, failed: hour.failed } }));
  const counted = (counts) => Object.entries(counts).sort((a, b) => b[1] - a[1]).map(([code, n]) => ({ name: sentence(code), parts: [[toneOf(code), n]] }));
  const { outbox } = of;
  return html`
    <dl class="tiles" aria-label="Outbox">
      <${Tile} name="In the outbox" value=${outbox.waiting} tone=${outbox.overdue ? "wait" : "good"} detail=${outbox.overdue ? `${outbox.overdue} overdue` : "none overdue"} />
      <${Tile} name="Dead" value=${outbox.dead} tone=${outbox.dead ? "bad" : "good"} />
      <${Tile} name="Delivered" value=${outbox.delivered} detail=${`of ${outbox.written} written`} />
      <${Tile} name="To the partner" value=${outbox.median_seconds === null ? "–" : `${outbox.median_seconds.toFixed(2)} s`} detail="median" />
    </dl>
    <div class="charts">
      <div class="card"><${Bars} title="Decisions" bars=${hours} series=${OUTCOMES} empty="none" /></div>
      <div class="card"><${Bars} title="Deliveries to the warehouse" bars=${sent} series=${[["delivered", "good"], ["failed", "bad"]]} empty="none" /></div>
      <div class="card"><${Counts} title="Findings by code" empty="Nothing was found." rows=${of.refusals.map((one) => ({ name: sentence(one.code), parts: [["bad", one.blocked, "blocked"], ["wait", one.warned, "warned"]] }))} /></div>
      <div class="card stack"><${Counts} title="Messages to patients" empty="None." rows=${counted(of.notifications)} /><${Counts} title="Reports of the partner" empty="None." rows=${counted(of.reports)} /></div>
    </div>`;
}

const STATES = [["", "All"], ["waiting", "Waiting"], ["dead", "Dead"]];

function Outbox() {
  const [state, setState] = useState("");
  const list = usePages(async (cursor) => {
    const page = await staffApi.get(`/api/admin/outbox${query({ state, limit: 15, cursor })}`);
    return { rows: page.events, next: page.next_cursor };
  }, [state]);
  return html`<section class="card" aria-label="Outbox events">
    <div class="view-head"><h2>Outbox</h2><${Choices} legend="Which events" name="outbox" value=${state} options=${STATES} onChange=${setState} /></div>
    <${Problem} error=${list.error} />
    <${Table} caption="Events of the outbox, the latest first" keyOf=${(row) => row.position} rows=${list.rows} empty=${list.loading ? "Loading …" : "None."} columns=${[
      { name: "Written", of: (row) => html`<span title=${moment(row.created_at)}>${ago(row.created_at)}</span>` },
      { name: "Event", of: (row) => sentence(row.event_type) },
      { name: "For", of: (row) => (row.destination === "partner" ? "Warehouse" : "Patient") },
      { name: "Order", of: (row) => row.order_id ?? "–" },
      { name: "State", of: (row) => html`<${Badge} code=${row.state} />` },
      { name: "Attempts", number: true, of: (row) => row.attempts },
      { name: "Last error", of: (row) => row.last_error ?? "–" },
      { name: "Correlation", of: (row) => html`<code>${row.correlation_id.slice(0, 8)}</code>` },
    ]} />
    ${list.more && html`<div class="more"><button type="button" onClick=${list.showMore} disabled=${list.loading}>Show more</button></div>`}
  </section>`;
}

function RuleSets({ staff }) {
  const read = useRead(() => staffApi.get("/api/admin/rule-sets"), []);
  const [choosing, setChoosing] = useState(null);
  const activate = useAction(async () => {
    await staffApi.post("/api/admin/rule-sets", { version: choosing.version });
    setChoosing(null);
    read.again();
  });
  return html`<section class="card" aria-label="Rule sets"><h2>Clinical rules</h2>
    <${Shown} of=${read}>${(data) => html`<${Table} caption="Versions of the rules, newest first" keyOf=${(row) => row.version} rows=${data.rule_sets} empty="No rules: nothing clinical is sold." columns=${[
      { name: "Version", of: (row) => html`<code>${row.version}</code>` },
      { name: "Status", of: (row) => html`<${Badge} code=${row.status} />` },
      { name: "Source", of: (row) => row.source },
      { name: "Imported", of: (row) => moment(row.imported_at) },
      { name: "In force since", of: (row) => moment(row.activated_at) },
      { name: "", of: (row) => staff.role === "pharmacist" && row.status !== "active" && html`<button type="button" class="small" onClick=${() => setChoosing(row)}>Put in force …</button>` },
    ]} />`}<//>
    ${choosing && html`<${Dialog} title="Put other rules in force" onClose=${() => setChoosing(null)}><div class="body stack">
      <p>From now on every order is checked against <code>${choosing.version}</code>. The version before can be put in force again.</p>
      <${Problem} error=${activate.error} />
      <div class="buttons"><button type="button" class="primary" disabled=${activate.busy} onClick=${() => activate.run()}>Put in force</button></div>
    </div><//>`}
  </section>`;
}
