// Ports for reading configurations in tests: files in memory, a given environment, the real SHA-256.

import { createHash } from 'node:crypto';
import { ConfigError } from '../../../../ts/core/config/config-error.ts';
import { parseConfig } from '../../../../ts/core/config/config-parser.ts';
import { configJson } from '../../../../ts/core/config/config-value.ts';
import { readConfigText } from '../../../../ts/core/config/read-config.ts';
import type { ConfigPorts, ReadConfig } from '../../../../ts/core/config/read-config.ts';

export interface Surroundings {
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

export function memoryPorts({ files = {}, env = {} }: Surroundings = {}): ConfigPorts {
  return {
    env,
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw new Error(`open ${path}: no such file or directory`);
      return text;
    },
    sha256: (text) => createHash('sha256').update(text).digest('hex'),
  };
}

/** The parsed text as JSON. */
export function parsed(text: string, around?: Surroundings): unknown {
  return JSON.parse(configJson(parseConfig(text, 'test.conf', memoryPorts(around))));
}

export function read(text: string, around?: Surroundings): ReadConfig {
  return readConfigText(text, 'test.conf', memoryPorts(around));
}

/** The lines of the ConfigError that `attempt` throws; a failure of the test when it throws nothing or something else. */
export function mistakes(attempt: () => unknown): string[] {
  try {
    attempt();
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  throw new Error('nothing was wrong with it');
}
