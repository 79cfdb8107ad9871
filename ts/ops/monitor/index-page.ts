// The page at the root of the monitoring port: what this server is, and a link to every endpoint. Links are relative, so that they hold
// behind a proxy that mounts the port under a path of its own.

import type { ServerSnapshot } from '../../engine/snapshot.ts';

export interface IndexLink {
  readonly title: string;
  readonly path: string;
}

const style = `
  body { font: 16px/1.6 system-ui, sans-serif; margin: 3rem; color: #222; max-width: 40rem }
  dl { display: grid; grid-template-columns: 7rem 1fr; margin: 1.5rem 0 } dd { margin: 0; font-family: ui-monospace, monospace }
  a { color: #1558b0; text-decoration: none } a:hover { text-decoration: underline }
  li code { color: #777; margin-left: .5rem }
  @media (prefers-color-scheme: dark) { body { background: #16181c; color: #ddd } a { color: #8ab4f8 } }
`;

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => entities[char] ?? char);
}

/** `base` is the last segment of the page's own address, empty at the root. */
export function indexPage(server: ServerSnapshot, base: string, links: readonly IndexLink[]): string {
  const facts = [
    ['Server', server.name],
    ['ID', server.id],
    ['Version', server.version],
    ['Runtime', server.runtime],
  ].map(([name = '', value = '']) => `<dt>${name}</dt><dd>${escaped(value)}</dd>`);
  const prefix = base === '' ? '.' : `./${base}`;
  const items = links.map(
    ({ title, path }) => `<li><a href="${escaped(prefix + path)}">${escaped(title)}</a><code>${escaped(path)}</code></li>`,
  );
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${escaped(server.name)}</title><style>${style}</style></head>
<body>
<h1>Slipstream</h1>
<dl>${facts.join('')}</dl>
<ul>
${items.join('\n')}
</ul>
</body>
</html>
`;
}
