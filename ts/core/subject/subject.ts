// Subjects: tokens, validity and how two patterns relate. The kernel matches messages; this decides about configuration,
// permissions and API requests, where subjects are few and strings.
// Kept true: `*` and `>` are wildcards only as whole tokens, and `>` only as the last one.

const inToken = /[ \t\r\n\f]/;

const STAR = 0x2a;
const FULL = 0x3e;

export function tokens(subject: string): string[] {
  return subject.split('.');
}

/** May be subscribed to: no empty token, no white space, `>` only at the end. */
export function isValidSubject(subject: string): boolean {
  if (subject === '' || inToken.test(subject)) return false;
  const parts = tokens(subject);
  return parts.every((token, at) => token !== '' && (token !== '>' || at === parts.length - 1));
}

export function hasWildcard(subject: string): boolean {
  return tokens(subject).some((token) => token === '*' || token === '>');
}

/** May be published to: valid and without wildcards. */
export function isValidLiteral(subject: string): boolean {
  return isValidSubject(subject) && !hasWildcard(subject);
}

/** Literal subjects that match `subject` all match `pattern` too. Either may hold wildcards. */
export function isSubsetMatch(subject: string, pattern: string): boolean {
  return isSubset(tokens(subject), tokens(pattern));
}

export function isSubset(subject: readonly string[], pattern: readonly string[]): boolean {
  for (let at = 0; at < pattern.length; at++) {
    const wanted = pattern[at];
    const token = subject[at];
    if (token === undefined) return false;
    if (wanted === '>') return true;
    if (token === '>') return false;
    if (wanted !== '*' && wanted !== token) return false;
  }
  return subject.length === pattern.length;
}

/** The literal `subject`, whose `*` and `>` are ordinary characters, is matched by `pattern`. */
export function matchesLiteral(subject: readonly string[], pattern: readonly string[]): boolean {
  for (let at = 0; at < pattern.length; at++) {
    const wanted = pattern[at];
    const token = subject[at];
    if (token === undefined) return false;
    if (wanted === '>') return true;
    if (wanted !== '*' && wanted !== token) return false;
  }
  return subject.length === pattern.length;
}

function isWildcardAt(subject: string, at: number): boolean {
  const first = subject.charCodeAt(at);
  return first === STAR || first === FULL;
}

/**
 * Some literal subject matches both. Most pairs that are compared differ in a token without wildcards, which is seen without cutting them
 * into tokens.
 */
export function subjectsOverlap(left: string, right: string): boolean {
  let same = 0;
  while (same < left.length && same < right.length && left.charCodeAt(same) === right.charCodeAt(same)) same++;
  if (same === left.length && same === right.length) return true;
  const token = same === 0 ? 0 : left.lastIndexOf('.', same - 1) + 1;
  return (isWildcardAt(left, token) || isWildcardAt(right, token)) && tokensOverlap(left, right);
}

function tokensOverlap(left: string, right: string): boolean {
  const a = tokens(left);
  const b = tokens(right);
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const x = a[at];
    const y = b[at];
    if (x === '>' || y === '>') return true;
    if (x !== '*' && y !== '*' && x !== y) return false;
  }
  return a.length === b.length;
}
