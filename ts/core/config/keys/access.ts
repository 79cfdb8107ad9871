// Keys of the file's own level about who is trusted: fallback users, system account, operators, proxies, certificates' status.
// Kept true: whether the named users and accounts exist is checked at the start, when everything is read.

import type { Row } from '../key-table.ts';
import type { Options } from '../options.ts';
import { bool, record, text, texts } from '../value-types.ts';
import { operators } from './operators.ts';
import { tls } from './tls.ts';
import { ocsp, ocspCache, operatorKeys, preload, proxies, resolver } from './trust.ts';

export const accessRows: readonly Row<Options>[] = [
  {
    key: 'no_auth_user',
    field: 'noAuthUser',
    type: text,
    reload: 'part',
    doc: 'User of clients without credentials. A reload may remove it.',
  },
  {
    key: 'default_sentinel',
    field: 'defaultSentinel',
    type: text,
    reload: 'yes',
    doc: 'JWT of clients without credentials.',
  },
  {
    key: 'system_account',
    aliases: ['system'],
    field: 'systemAccount',
    type: text,
    reload: 'no',
    default: '$SYS',
    doc: "Account of the server's own subjects.",
  },
  {
    key: 'no_system_account',
    aliases: ['no_system', 'no_sys_acc'],
    field: 'noSystemAccount',
    type: bool,
    reload: 'no',
    default: 'false',
    doc: 'There is none.',
  },
  { key: 'allow_non_tls', field: 'allowNonTls', type: bool, reload: 'no', default: 'false', doc: 'Clients may go without TLS.' },
  {
    key: 'proxy_protocol',
    field: 'proxyProtocol',
    type: bool,
    reload: 'no',
    default: 'false',
    doc: 'Client connections may begin with a PROXY header, version 1 or 2, that names the client. Others are served as they are.',
  },
  { key: 'proxies', spread: proxies, fields: ['trustedProxies'], reload: 'yes', doc: 'Trusted proxies.' },
  {
    key: 'trusted_keys',
    aliases: ['trusted'],
    field: 'trustedKeys',
    type: operatorKeys,
    reload: 'no',
    doc: 'Public keys of operators.',
  },
  {
    key: 'operator',
    aliases: ['operators', 'root', 'roots', 'root_operator', 'root_operators'],
    field: 'operators',
    type: operators,
    reload: 'no',
    doc: 'JWTs of operators, or files that hold them.',
  },
  {
    key: 'resolver',
    aliases: ['account_resolver', 'accounts_resolver'],
    field: 'resolver',
    type: resolver,
    reload: 'part',
    doc: 'Where accounts of an operator come from.',
  },
  { key: 'resolver_tls', field: 'resolverTls', type: tls('others'), reload: 'yes', doc: 'TLS to it.' },
  {
    key: 'resolver_preload',
    field: 'resolverPreload',
    type: preload,
    reload: 'yes',
    doc: 'Accounts that are known from the start.',
  },
  {
    key: 'resolver_pinned_accounts',
    field: 'resolverPinnedAccounts',
    type: texts,
    reload: 'yes',
    doc: 'Only these accounts.',
  },
  { key: 'ocsp', field: 'ocsp', type: ocsp, reload: 'yes', doc: 'Stapling of certificate status.' },
  {
    key: 'ocsp_cache',
    field: 'ocspCache',
    type: ocspCache,
    reload: 'yes',
    doc: 'Where status of peers is kept.',
  },
  {
    key: 'default_js_domain',
    field: 'defaultJsDomain',
    type: record(text),
    reload: 'no',
    doc: 'By account without JetStream, the domain that its clients ask when they ask for JetStream, through an import of `$JS.<domain>.API.>`.',
  },
];
