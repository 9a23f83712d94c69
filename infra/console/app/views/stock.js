// The shelf: products and their lots, what runs low, what expires, and what is recalled.

import { html, useState } from "../html.js";
import { query, staffApi } from "../api.js";
import { usePages, useRead } from "../loading.js";
import { Badge, Choices, Field, Problem, Table } from "../parts/basic.js";
import { ProductLots } from "../parts/lots.js";
import { day, plural, rupees } from "../wording.js";

const TABS = [["all", "All"], ["low", "Low"], ["expiring", "Expiring"]];

export function Stock({ staff }) {
  const [tab, setTab] = useState("all");
  const [product, setProduct] = useState(null);
  return html`<div class="view-head"><h1>Stock</h1><${Choices} legend="What is shown" name="shelf" value=${tab} options=${TABS} onChange=${(next) => { setTab(next); setProduct(null); }} /></div>
    ${product
      ? html`<${ProductLots} productId=${product} staff=${staff} onBack=${() => setProduct(null)} key=${product} />`
      : tab === "expiring" ? html`<${Expiring} onOpen=${setProduct} />` : html`<${Products} low=${tab === "low"} onOpen=${setProduct} key=${tab} />`}`;
}

const opens = (product, onOpen) => html`<button type="button" class="link" onClick=${() => onOpen(product.product_id)}>${product.product_name}</button> <span class="id">${product.product_id}</span>`;

function Products({ low, onOpen }) {
  const [search, setSearch] = useState("");
  const list = usePages(async (cursor) => {
    const page = await staffApi.get(`/api/admin/inventory${query({ low_stock: low || undefined, cursor })}`);
    return { rows: page.products, next: page.next_cursor };
  }, [low]);
  // The catalogue finds a name however it is spelt; the shelf tells the rest.
  const found = useRead(async () => {
    if (!search) return null;
    const products = await staffApi.get(`/api/products${query({ search, limit: 8 })}`);
    return Promise.all(products.map((one) => staffApi.get(`/api/admin/inventory/${one.product_id}`)));
  }, [search]);
  const rows = search ? (found.data ?? []) : list.rows;
  return html`<section class="card" aria-label=${low ? "Low stock" : "All products"}>
    ${!low && html`<div class="fields filter"><${Field} label="Find a product"><input type="search" value=${search} placeholder="Name, brand or ingredient" onChange=${(e) => setSearch(e.target.value.trim())} /><//></div>`}
    <${Problem} error=${list.error ?? found.error} />
    <${Table} caption="Stock by product" keyOf=${(row) => row.product_id} rows=${rows} empty=${list.loading || found.loading ? "Loading …" : low ? "Nothing is low." : "No such product."} columns=${[
      { name: "Product", of: (row) => opens(row, onOpen) },
      { name: "Pack", of: (row) => row.package_size },
      { name: "Price", number: true, of: (row) => rupees(row.price) },
      { name: "Sellable", number: true, of: (row) => html`${row.stock_quantity} ${row.low_stock && html`<${Badge} tone="wait">low<//>`}` },
      { name: "In orders", number: true, of: (row) => row.reserved || "–" },
      { name: "Set aside", of: (row) => aside(row) },
      { name: "Next expiry", of: (row) => html`${day(row.next_expiry)} ${row.expiring > 0 && html`<${Badge} tone="wait">${row.expiring} soon<//>`}` },
    ]} />
    ${!search && list.more && html`<div class="more"><button type="button" onClick=${list.showMore} disabled=${list.loading}>Show more</button></div>`}
  </section>`;
}

const aside = (row) => ["held", "recalled", "expired"].filter((kind) => row[kind] > 0).map((kind) => html`<${Badge} key=${kind} tone=${kind === "held" ? "wait" : "bad"}>${row[kind]} ${kind}<//> `);

function Expiring({ onOpen }) {
  const [days, setDays] = useState(90);
  const list = usePages(async (cursor) => {
    const page = await staffApi.get(`/api/admin/inventory/batches/expiring${query({ days, include_expired: true, cursor })}`);
    return { rows: page.batches, next: page.next_cursor };
  }, [days]);
  return html`<section class="card" aria-label="Lots that expire soon">
    <div class="fields filter"><${Field} label="Within"><select value=${days} onChange=${(e) => setDays(Number(e.target.value))}>${[30, 60, 90, 180, 365].map((one) => html`<option value=${one} selected=${one === days}>${one} days</option>`)}</select><//></div>
    <${Problem} error=${list.error} />
    <${Table} caption="Lots, the first to expire first" keyOf=${(row) => row.batch_id} rows=${list.rows} empty=${list.loading ? "Loading …" : "No lot expires so soon."} columns=${[
      { name: "Product", of: (row) => opens(row, onOpen) },
      { name: "Lot", of: (row) => row.lot },
      { name: "Expiry", of: (row) => html`${day(row.expiry)} <${Badge} tone=${row.days_left <= 0 ? "bad" : "wait"}>${row.days_left <= 0 ? "expired" : plural(row.days_left, "day")}<//>` },
      { name: "Packs", number: true, of: (row) => row.quantity },
      { name: "Status", of: (row) => html`<${Badge} code=${row.status} />` },
    ]} />
    ${list.more && html`<div class="more"><button type="button" onClick=${list.showMore} disabled=${list.loading}>Show more</button></div>`}
  </section>`;
}
