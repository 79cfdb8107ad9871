// On which subjects the JetStream API listens, and on which it only counts as listening: nats-server takes every request below `$JS.API`
// and says nothing about those it does not know, so that whoever asks waits in vain. Requests for messages are not among them: consumers
// and direct gets listen for themselves, and a request to one that does not exist finds no responders.

import { apiPrefix } from '../../core/jetstream/api.ts';
import type { Subjects } from './ports.ts';

/** Behind the prefix; every subject of the API's table is below one of them. */
export const apiSubjects = [
  'INFO',
  'STREAM.>',
  'CONSUMER.CREATE.>',
  'CONSUMER.DURABLE.>',
  'CONSUMER.NAMES.>',
  'CONSUMER.LIST.>',
  'CONSUMER.INFO.>',
  'CONSUMER.DELETE.>',
  'CONSUMER.PAUSE.>',
  'CONSUMER.RESET.>',
  'CONSUMER.UNPIN.>',
  'CONSUMER.LEADER.>',
];

/** What is the API's under the prefix of a domain: nats-server maps only these. */
const ofDomain = ['INFO', 'STREAM.>', 'CONSUMER.>', 'DIRECT.>', 'META.>', 'SERVER.>', 'ACCOUNT.>'];

const ofMessages = ['CONSUMER.MSG.NEXT.>', 'DIRECT.GET', 'DIRECT.GET.>'];

/** What API requests begin with: `$JS.API`, and with a domain its own form. */
export function apiPrefixes(domain: string): readonly string[] {
  return domain === '' ? [apiPrefix] : [apiPrefix, `$JS.${domain}.API`];
}

/** The subjects on which a request waits instead of being told that nobody is there. */
export function heardSubjects(domain: string): Subjects {
  const below = (prefix: string, subjects: readonly string[]): string[] => subjects.map((subject) => `${prefix}.${subject}`);
  const prefixes = apiPrefixes(domain);
  return {
    allow: prefixes.flatMap((prefix) => below(prefix, prefix === apiPrefix ? ['>'] : ofDomain)),
    deny: prefixes.flatMap((prefix) => below(prefix, ofMessages)),
  };
}
