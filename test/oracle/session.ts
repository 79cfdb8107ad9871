/**
 * What a connection said about itself in CONNECT, and the judgement on it.
 *
 * Fields left out keep what they were: at first verbose, pedantic and echo, everything else off. Names of fields are
 * read in any case, as Go's JSON does.
 */

export interface Session {
  readonly verbose: boolean;
  readonly pedantic: boolean;
  readonly echo: boolean;
  readonly headers: boolean;
  readonly noResponders: boolean;
  readonly protocol: number;
  readonly user: string;
  readonly password: string;
}

export const greeted: Session = {
  verbose: true,
  pedantic: true,
  echo: true,
  headers: false,
  noResponders: false,
  protocol: 0,
  user: '',
  password: '',
};

/** An answer of null closes without a word. */
export type Judgement = { readonly session: Session } | { readonly refused: string | null };

type Kind = 'boolean' | 'number' | 'string';
const fields: readonly { readonly name: string; readonly key: keyof Session; readonly kind: Kind }[] = [
  { name: 'verbose', key: 'verbose', kind: 'boolean' },
  { name: 'pedantic', key: 'pedantic', kind: 'boolean' },
  { name: 'echo', key: 'echo', kind: 'boolean' },
  { name: 'headers', key: 'headers', kind: 'boolean' },
  { name: 'no_responders', key: 'noResponders', kind: 'boolean' },
  { name: 'protocol', key: 'protocol', kind: 'number' },
  { name: 'user', key: 'user', kind: 'string' },
  { name: 'pass', key: 'password', kind: 'string' },
];

function parsed(json: string): unknown {
  try {
    return JSON.parse(Buffer.from(json, 'latin1').toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

export function connect(before: Session, json: string): Judgement {
  const given = parsed(json);
  if (given === undefined || Array.isArray(given) || (typeof given !== 'object' && given !== null)) return { refused: null };
  const session: Record<string, unknown> = { ...before };
  let account = false;
  for (const [name, value] of Object.entries((given ?? {}) as Record<string, unknown>)) {
    const lower = name.toLowerCase();
    if (value === null) continue;
    if (lower === 'account' || lower === 'new_account') account ||= value !== '' && value !== false;
    const field = fields.find((one) => one.name === lower);
    if (field === undefined) continue;
    if (typeof value !== field.kind) return { refused: null };
    session[field.key] = value;
  }
  const result = session as unknown as Session;
  if (account) return { refused: 'Authorization Violation' };
  if (result.protocol < 0 || result.protocol > 1) return { refused: 'invalid client protocol' };
  if (result.noResponders && !result.headers) return { refused: 'no responders requires headers support' };
  return { session: result };
}
