// Lines for a syslog, as Go's log/syslog writes them for nats-server, and addresses of a syslog as `remote_syslog` names them.
//
//   another machine  <severity>2026-11-28T12:00:00+01:00 host tag[pid]: text     facility 0
//   this machine     <24 + severity>Nov 28 12:00:00 tag[pid]: text               facility daemon
//   systemd-journald <severity>text, behind a preamble that names the rest
//
// Kept true: a line ends in one line break, however its text ended.

import type { LogLevel } from './log-line.ts';

const severities: Readonly<Record<LogLevel, number>> = { fatal: 2, error: 3, warn: 4, info: 5, debug: 7, trace: 5 };
const DAEMON = 24;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export type SyslogForm = 'remote' | 'local' | 'journal';

export interface SyslogSender {
  readonly host: string;
  /** Name of the program. */
  readonly tag: string;
  readonly pid: number;
}

export interface SyslogAddress {
  readonly network: 'udp' | 'tcp' | 'unix';
  /** Of a `unix` address. */
  readonly path: string;
  readonly host: string;
  readonly port: number;
}

export function syslogLine(form: SyslogForm, { host, tag, pid }: SyslogSender, level: LogLevel, text: string, now: Date): string {
  const severity = severities[level];
  const end = text.endsWith('\n') ? '' : '\n';
  if (form === 'journal') return `<${severity}>${text}${end}`;
  if (form === 'local') return `<${DAEMON + severity}>${stamp(now)} ${tag}[${pid}]: ${text}${end}`;
  return `<${severity}>${rfc3339(now)} ${host} ${tag}[${pid}]: ${text}${end}`;
}

/** What journald wants to know first: the name, no unit, the usual priority; lines have their own, and go on to another syslog. */
export function journalPreamble(tag: string): string {
  return `${tag}\n\n${DAEMON + severities.info}\n1\n1\n0\n0\n`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function clock(at: Date): string {
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

function stamp(at: Date): string {
  return `${MONTHS[at.getMonth()]} ${String(at.getDate()).padStart(2)} ${clock(at)}`;
}

function rfc3339(at: Date): string {
  const east = -at.getTimezoneOffset();
  const size = Math.abs(east);
  const zone = east === 0 ? 'Z' : `${east < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${clock(at)}${zone}`;
}

/** Throws, in nats-server's words, when the text is no address. */
export function parseSyslogAddress(text: string): SyslogAddress {
  const [, scheme = '', rest = ''] = /^([a-z][a-z\d+.-]*):(?:\/\/)?(.*)$/i.exec(text) ?? [];
  const network = scheme.toLowerCase();
  if (network === 'unix') return { network, path: rest.replace(/^[^/]*/, ''), host: '', port: 0 };
  if (network !== 'udp' && network !== 'tcp') throw new Error(`error invalid network type: ${JSON.stringify(network)}`);
  const authority = rest.replace(/[/?#].*$/, '').replace(/^.*@/, '');
  const [, host, port] = /^(?:\[([^\]]*)\]|[^:]*):(\d{1,5})$/.exec(authority) ?? [];
  if (port === undefined || Number(port) > 65_535) {
    const why = authority.includes(':') ? 'invalid port' : 'missing port in address';
    throw new Error(`error connecting to syslog: "dial ${network}: address ${authority}: ${why}"`);
  }
  const plain = host ?? authority.slice(0, authority.lastIndexOf(':'));
  return { network, path: '', host: plain === '' ? 'localhost' : plain, port: Number(port) };
}
