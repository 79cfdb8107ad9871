// What consumers have in common, kept once: most differ only in their names, their filters and where they push to, and there may be very many.
// Kept true: a configuration comes out of `configOf` as it went in; what no consumer holds any more is forgotten.

import { consumerConfigSchema, type ConsumerConfig } from '../jetstream/consumer-config.ts';
import { filtersOf } from './check-config.ts';
import { PullRequests } from './pull-request.ts';
import { settingsOf, type ConsumerSettings, type StreamSettings } from './settings.ts';

/** Stands for what is a consumer's own; no name or filter can be it. */
const own = '\0';

const fields = Object.keys(consumerConfigSchema.fields) as (keyof ConsumerConfig)[];

/** What consumers share: their configuration without their own parts, and what follows from it. */
export interface CommonConfig {
  readonly key: string;
  readonly config: ConsumerConfig;
  readonly settings: ConsumerSettings;
  readonly requests: PullRequests;
}

/** A consumer's own parts of its configuration. */
export interface OwnConfig {
  readonly name: string;
  readonly filters: readonly string[];
  readonly deliverSubject: string;
}

function withoutOwn(config: ConsumerConfig, name: string): ConsumerConfig {
  return {
    ...config,
    name: config.name === name ? own : config.name,
    durable_name: config.durable_name === name ? own : config.durable_name,
    filter_subject: config.filter_subject === '' ? '' : own,
    filter_subjects: [],
    deliver_subject: config.deliver_subject === '' ? '' : own,
  };
}

/** A value of a configuration as text; different values have different texts. */
function textOf(value: ConsumerConfig[keyof ConsumerConfig]): string {
  if (Array.isArray(value)) return value.map(textOf).join(' ');
  return typeof value === 'string' || typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The whole configuration of a consumer. */
export function configOf({ config }: CommonConfig, { name, filters, deliverSubject }: OwnConfig): ConsumerConfig {
  const [first = '', ...others] = filters;
  return {
    ...config,
    name: config.name === own ? name : config.name,
    durable_name: config.durable_name === own ? name : config.durable_name,
    filter_subject: config.filter_subject === own ? first : '',
    filter_subjects: config.filter_subject === own ? others : filters,
    deliver_subject: deliverSubject,
  };
}

/** A consumer's own parts of a configuration. */
export function ownConfig(config: ConsumerConfig, name: string): OwnConfig {
  return { name, filters: filtersOf(config), deliverSubject: config.deliver_subject };
}

export class ConfigPool {
  readonly #shared = new Map<string, CommonConfig & { holders: number }>();

  get size(): number {
    return this.#shared.size;
  }

  /** What a consumer's configuration shares with others of its kind; let go with `release`. */
  hold(config: ConsumerConfig, name: string, stream: StreamSettings): CommonConfig {
    const rest = withoutOwn(config, name);
    const key = [stream.tellsSettled, stream.maxMessageBytes, ...fields.map((field) => textOf(rest[field]))].join('\n');
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      shared = { key, config: rest, settings: settingsOf(config, stream), requests: new PullRequests(rest), holders: 0 };
      this.#shared.set(key, shared);
    }
    shared.holders += 1;
    return shared;
  }

  release({ key }: CommonConfig): void {
    const shared = this.#shared.get(key);
    if (shared !== undefined && --shared.holders === 0) this.#shared.delete(key);
  }
}
