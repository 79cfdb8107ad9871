// What users and routes may publish and subscribe to: the `permissions` map and its parts.
// Kept true: every subject that gets through is valid; a queue name may follow only in subscribe permissions.

import { isValidSubject } from '../../subject/subject.ts';
import type { ConfigValue } from '../config-value.ts';
import { defineTable } from '../key-table.ts';
import type { ValueType } from '../key-table.ts';
import type { Permissions, ResponsePermission, SubjectPermission } from '../options-auth.ts';
import type { Reader } from '../reader.ts';
import { block, integer, quotedDuration } from '../value-types.ts';

const DEFAULT_RESPONSES: ResponsePermission = { max: 1, expiresMs: 120_000 };

function checkSubject(value: ConfigValue & { kind: 'string' }, reader: Reader, withQueue: boolean): string | undefined {
  const [subject = '', queue, ...rest] = withQueue ? value.value.trim().split(/\s+/) : [value.value];
  if (!isValidSubject(subject) || rest.length > 0)
    return reader.report(value.at, `subject "${value.value}" is not a valid subject`);
  if (queue !== undefined && !isValidSubject(queue)) return reader.report(value.at, `queue "${queue}" is not a valid queue`);
  return queue === undefined ? subject : `${subject} ${queue}`;
}

/** One subject or a list of them. */
export function subjects(withQueue: boolean): ValueType<string[]> {
  return {
    name: withQueue ? 'subject, or "subject queue", or list' : 'subject or list',
    read(value, reader, key) {
      const items = value.kind === 'array' ? value.items : [value];
      const read: string[] = [];
      for (const item of items) {
        if (item.kind !== 'string') reader.wrongType(item, key, 'a subject or a list of subjects');
        else {
          const subject = checkSubject(item, reader, withQueue);
          if (subject !== undefined) read.push(subject);
        }
      }
      return read;
    },
  };
}

/** A subject, a list, or `{allow, deny}`. A subject or list alone is what is allowed. */
function subjectPermission(withQueue: boolean): ValueType<SubjectPermission> {
  const list = subjects(withQueue);
  const table = defineTable<SubjectPermission>('permission', [
    { key: 'allow', field: 'allow', type: list, reload: 'yes', doc: 'Only these are allowed.' },
    { key: 'deny', field: 'deny', type: list, reload: 'yes', doc: 'These are denied, even when also allowed.' },
  ]);
  const map = block<SubjectPermission>(table, () => ({}));
  return {
    name: `${list.name}, or map`,
    table,
    read(value, reader, key) {
      if (value.kind === 'map') return map.read(value, reader, key);
      const allow = list.read(value, reader, key);
      return allow === undefined ? undefined : { allow };
    },
  };
}

const responsesTable = defineTable<ResponsePermission>('allow_responses', [
  {
    key: 'max',
    aliases: ['max_msgs', 'max_messages', 'max_responses'],
    field: 'max',
    type: integer,
    reload: 'yes',
    default: '1',
    doc: 'Replies allowed for one request, negative for no limit.',
  },
  {
    key: 'expires',
    aliases: ['expiration', 'ttl'],
    field: 'expiresMs',
    type: quotedDuration,
    reload: 'yes',
    default: '"2m"',
    doc: 'How long replies are allowed, negative for no limit.',
  },
]);

const responsesMap = block(responsesTable, () => ({ ...DEFAULT_RESPONSES }));

/** Zero means the default, as in nats-server. */
function withDefaults(read: ResponsePermission): ResponsePermission {
  return {
    max: read.max === 0 ? DEFAULT_RESPONSES.max : read.max,
    expiresMs: read.expiresMs === 0 ? DEFAULT_RESPONSES.expiresMs : read.expiresMs,
  };
}

const permissionsTable = defineTable<Permissions>('permissions', [
  {
    key: 'publish',
    aliases: ['pub', 'import'],
    field: 'publish',
    type: subjectPermission(false),
    reload: 'yes',
    doc: 'Subjects that may be published to.',
  },
  {
    key: 'subscribe',
    aliases: ['sub', 'export'],
    field: 'subscribe',
    type: subjectPermission(true),
    reload: 'yes',
    doc: 'Subjects that may be subscribed to; a second word limits the queue names.',
  },
  {
    key: 'allow_responses',
    aliases: ['publish_allow_responses'],
    reload: 'yes',
    fields: ['allowResponses'],
    doc: 'Whoever receives a request may publish to its reply subject. With it and no list of allowed subjects, nothing else may be published.',
    spread: {
      name: 'boolean or map',
      table: responsesTable,
      assign(target, value, reader, key) {
        if (value.kind === 'bool') {
          if (value.value) target.allowResponses = { ...DEFAULT_RESPONSES };
          return;
        }
        const read = responsesMap.read(value, reader, key);
        if (read !== undefined) target.allowResponses = withDefaults(read);
      },
    },
  },
]);

export const permissions: ValueType<Permissions> = block<Permissions>(permissionsTable, () => ({}));
