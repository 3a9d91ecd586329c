/** The page at `/`: what runs here and where to go on. */
import { html } from 'hono/html';
import { type EntityIdentifier, entityConfigurationUrl } from '../../federation/identifiers.ts';
import type { Html } from './page-shell.ts';

/** What anybody may know about an authority. */
export interface PublicAuthority {
  entityIdentifier: string;
  name: string;
}

export function renderStartPage(authorities: readonly PublicAuthority[]): Html {
  return html`<main class="page">
<h1>Holdfast</h1>
<p>This service runs Trust Anchors and Intermediates of OpenID Federation: it says which entities belong to a federation,
and answers whoever wants to check.</p>
<h2>Authorities</h2>
${authorities.length === 0 ? html`<p>There are none yet.</p>` : html`<ul>${authorities.map(renderAuthority)}</ul>`}
<h2>More</h2>
<ul>
<li><a href="/docs">Documentation</a> of the API and the federation endpoints</li>
<li><a href="/openapi.yaml">openapi.yaml</a>, the same for programs</li>
<li>Health: <a href="/healthz">healthz</a>, <a href="/readyz">readyz</a></li>
</ul>
</main>`;
}

function renderAuthority({ entityIdentifier, name }: PublicAuthority): Html {
  const configuration = entityConfigurationUrl(entityIdentifier as EntityIdentifier);
  return html`<li>${name}: <code>${entityIdentifier}</code>, <a href="${configuration}">Entity Configuration</a></li>
`;
}
