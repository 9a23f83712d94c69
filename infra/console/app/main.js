// The console: which view is shown, and who is signed in.

import { html, render, useEffect, useState } from "./html.js";
import { signOut, useStaff } from "./staff.js";
import { SignIn } from "./parts/sign_in.js";
import { Pharmacist } from "./views/pharmacist.js";
import { Refills } from "./views/refills.js";
import { Stock } from "./views/stock.js";
import { System } from "./views/system.js";
import { Try } from "./views/try.js";

const VIEWS = [
  { path: "try", name: "Try", shows: Try, icon: "M4 5h16v11H9l-5 4z" },
  { path: "pharmacist", name: "Pharmacist", shows: Pharmacist, forStaff: true, icon: "M6 3h12v18H6zM9 8h6M9 12h6M9 16h3" },
  { path: "stock", name: "Stock", shows: Stock, forStaff: true, icon: "M3 8l9-5 9 5v8l-9 5-9-5zM3 8l9 5 9-5M12 13v8" },
  { path: "refills", name: "Refills", shows: Refills, forStaff: true, icon: "M4 5h16v16H4zM4 10h16M8 3v4M16 3v4" },
  { path: "system", name: "System", shows: System, forStaff: true, icon: "M3 12h4l3-8 4 16 3-8h4" },
];
const STAFF = { path: "staff", name: "Staff sign-in", shows: SignedIn, forStaff: true };

function useView() {
  const named = () => [...VIEWS, STAFF].find((view) => `#/${view.path}` === location.hash) ?? VIEWS[0];
  const [view, setView] = useState(named);
  useEffect(() => {
    const turn = () => {
      setView(named);
      scrollTo(0, 0);
    };
    addEventListener("hashchange", turn);
    return () => removeEventListener("hashchange", turn);
  }, []);
  return view;
}

function useSettings() {
  const [settings, setSettings] = useState(null);
  useEffect(() => {
    fetch("/console/settings.json").then((answer) => answer.json()).then(setSettings, () => setSettings({ demo: null }));
  }, []);
  return settings;
}

function Console() {
  const view = useView();
  const staff = useStaff();
  const settings = useSettings();
  useEffect(() => {
    document.title = `${view.name} · Nexus Pharmacy`;
  }, [view]);
  if (!settings) return null;
  return html`
    <a class="skip" href="#content" onClick=${toContent}>Skip to the content</a>
    <header class="top">
      <a class="brand" href="#/try"><img src="/console/favicon.svg" alt="" width="28" height="28" /><span>Nexus <span class="rest">Pharmacy</span></span></a>
      <nav aria-label="Views">
        ${VIEWS.map((one) => html`<a href="#/${one.path}" aria-current=${one === view ? "page" : undefined}>
          <svg viewBox="0 0 24 24" aria-hidden="true"><path d=${one.icon} /></svg><span>${one.name}</span>
        </a>`)}
      </nav>
      <div class="me">${staff
        ? html`<span class="name">${staff.name}</span><button type="button" class="quiet" onClick=${signOut}>Sign out</button>`
        : html`<a class="quiet" href="#/staff">Staff</a>`}
      </div>
    </header>
    <main id="content" tabindex="-1" class=${view.path}>
      ${view.forStaff && !staff
        ? html`<${SignIn} title=${view.name} demo=${settings.demo} />`
        : html`<${view.shows} demo=${settings.demo} staff=${staff} key=${view.path} />`}
    </main>`;
}

function SignedIn({ staff }) {
  return html`<section class="sign-in card"><h1>Signed in</h1><p>You are ${staff.name}, ${staff.role}. What you may see is in the views above.</p></section>`;
}

function toContent(event) {
  event.preventDefault();
  document.getElementById("content").focus();
}

render(html`<${Console} />`, document.getElementById("console"));
