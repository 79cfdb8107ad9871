// `default_js_domain`: accounts without JetStream of their own whose clients ask as if they had it. What they ask goes to the API of a domain,
// which is to be had through an import or a leaf node.
// Kept true: an account with JetStream is left as it is; a mapping of the account's own wins over one of these with the same source.

import { DEFAULT_SYSTEM_ACCOUNT, GLOBAL_ACCOUNT } from '../config/options.ts';
import type { Options, SubjectMapping } from '../config/options.ts';
import { isPublicNkey } from '../jwt/token.ts';
import { isValidSubject } from '../subject/subject.ts';
import type { Account } from './registry.ts';

/** What is asked for, and where it is behind `$JS.<domain>.API.`. */
const asked: readonly (readonly [subject: string, behind: string])[] = [
  ['$JS.API.INFO', 'INFO'],
  ...['STREAM', 'CONSUMER', 'DIRECT', 'META', 'SERVER', 'ACCOUNT'].map((group) => [`$JS.API.${group}.>`, `${group}.>`] as const),
  ['$KV.>', '$KV.>'],
  ['$OBJ.>', '$OBJ.>'],
];

function domainMappings(domain: string): SubjectMapping[] {
  return asked.map(([source, behind]) => ({
    source,
    destinations: [{ subject: `$JS.${domain}.API.${behind}`, weight: 100, cluster: '' }],
  }));
}

/** The account as its default domain makes it. */
export function inDefaultDomain(account: Account, { defaultJsDomain }: Options): Account {
  const domain = Object.hasOwn(defaultJsDomain, account.name) ? defaultJsDomain[account.name] : '';
  if (domain === undefined || domain === '' || account.jetstream !== undefined || account.tiers !== undefined) return account;
  const own = new Set(account.mappings.map(({ source }) => source));
  return { ...account, mappings: [...account.mappings, ...domainMappings(domain).filter(({ source }) => !own.has(source))] };
}

/** The first thing that is wrong, in nats-server's words. */
export function defaultDomainProblem(options: Options): string | undefined {
  const entries = Object.entries(options.defaultJsDomain);
  const trusting = options.operators.length > 0;
  for (const [name, domain] of entries) {
    if (trusting && !isPublicNkey('account', name)) {
      return `default_js_domain contains account name "${name}", which is not a valid public account nkey`;
    }
    if (trusting || name === GLOBAL_ACCOUNT) continue;
    const account = options.accounts.get(name);
    if (account === undefined) {
      return `in non operator mode, \`default_js_domain\` references non existing account "${name}"`;
    }
    if (account.jetstream !== undefined && domain !== '') {
      return `default_js_domain contains account name "${name}" with enabled JetStream`;
    }
  }
  const system = options.systemAccount === '' ? DEFAULT_SYSTEM_ACCOUNT : options.systemAccount;
  for (const [name, domain] of entries) {
    if (name === system) return `system account "${name}" can not be in default_js_domain`;
    if (domain !== '' && !isValidSubject(`$JS.${domain}.API.>`)) {
      return `default_js_domain contains account "${name}" with invalid domain name "${domain}"`;
    }
  }
  return undefined;
}
