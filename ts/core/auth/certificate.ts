// verify_and_map: which configured user a client certificate stands for. E-mail names are tried first, then DNS names, then URIs,
// then the subject: as written, and with its parts in any order.
import type { User } from './table.ts';

export interface CertificateNames {
  /** RFC 2253 text, most specific part first. */
  readonly subject: string;
  readonly emails: readonly string[];
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
}

/** Parts of a distinguished name; a comma behind a backslash belongs to its part. */
function nameParts(subject: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (let at = 0; at < subject.length; at++) {
    const char = subject.charAt(at);
    if (char === '\\') part += char + subject.charAt(++at);
    else if (char === ',') {
      parts.push(part);
      part = '';
    } else part += char;
  }
  parts.push(part);
  return parts.map(normalPart).filter((text) => text !== '');
}

function normalPart(part: string): string {
  const [type = '', ...value] = part.trim().split('=');
  return value.length === 0 ? type : `${type.trim().toUpperCase()}=${value.join('=').trim()}`;
}

function sameParts(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((part, at) => part === right[at]);
}

export function userOfCertificate(names: CertificateNames, users: ReadonlyMap<string, User>): User | undefined {
  for (const name of [...names.emails, ...names.dnsNames, ...names.uris]) {
    const user = users.get(name);
    if (user !== undefined) return user;
  }
  const exact = users.get(names.subject);
  if (exact !== undefined) return exact;
  const parts = nameParts(names.subject);
  const sorted = parts.toSorted();
  const candidates = [...users.values()].filter((user) => user.name.includes('='));
  return (
    candidates.find((user) => sameParts(nameParts(user.name), parts)) ??
    candidates.find((user) => sameParts(nameParts(user.name).toSorted(), sorted))
  );
}
