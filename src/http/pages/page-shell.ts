/** The frame of our few pages: one inline style sheet, no script, nothing loaded from anywhere. */
import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { html, raw } from 'hono/html';
import { pageSecurityPolicy } from '../middleware/response-headers.ts';

/** HTML whose variable parts are escaped. */
export type Html = ReturnType<typeof html>;

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #f3f5f7; --line: #d3d9e0; --link: #0b57a4;
  --get: #11663a; --post: #0b57a4; --change: #7a4a00; --delete: #a3161c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e7ec; --paper: #14181d; --soft: #1d232a; --line: #3a444f;
  --link: #7db8f5; --get: #6fcf97; --post: #7db8f5; --change: #e8b25c; --delete: #ff8f8f; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
.page { max-width: 78rem; margin: 0 auto; padding: 1rem 1.25rem 4rem; }
.with-contents { display: grid; gap: 2.5rem; }
@media (min-width: 62rem) { .with-contents { grid-template-columns: 17rem minmax(0, 1fr); }
  .with-contents > nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; padding: 1rem 0; } }
nav ul { list-style: none; margin: 0 0 .75rem; padding: 0; font-size: .925rem; }
nav h2 { font-size: .925rem; margin: .75rem 0 .1rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 1rem 0; }
h2 { font-size: 1.4rem; margin: 2.75rem 0 .75rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.1rem; margin: 2rem 0 .4rem; } h4 { font-size: 1rem; margin: 1.1rem 0 .35rem; }
nav h2 { border: 0; padding: 0; }
p { margin: .5rem 0; max-width: 46rem; }
a { color: var(--link); } :focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; } .skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: .5rem; }
code, pre { font: .875em/1.5 ui-monospace, monospace; }
code { background: var(--soft); padding: .1em .3em; border-radius: 3px; overflow-wrap: anywhere; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 4px; padding: .75rem; overflow-x: auto; }
pre code { background: none; padding: 0; overflow-wrap: normal; }
.route { margin: .25rem 0 .5rem; } .route code { font-size: .95em; }
.method { font: bold .8rem/1 ui-monospace, monospace; margin-right: .4rem; }
.get { color: var(--get); } .post { color: var(--post); } .put, .patch { color: var(--change); } .delete { color: var(--delete); }
.scroll { overflow-x: auto; } .scroll:focus-visible { outline-offset: 0; }
table { border-collapse: collapse; width: 100%; font-size: .925rem; margin: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); }
td p { margin: 0; } td:first-child { white-space: nowrap; }
summary { cursor: pointer; padding: .2rem 0; } details { margin: .35rem 0; } .note { font-size: .875rem; }
`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** Answers with a page. @param title stands in the tab */
export function pageResponse(c: Context, title: string, body: Html): Response | Promise<Response> {
  c.header('content-security-policy', pageSecurityPolicy(STYLE_HASH));
  return c.html(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${raw(STYLE)}</style>
</head>
<body>
${body}
</body>
</html>
`);
}
