// The system account may have all streams of an account deleted, as `nats server account purge` asks. Only streams that are open here go;
// directories of accounts nobody knows are left alone.

import { responseType } from '../../core/jetstream/api.ts';
import { apiError } from '../../core/jetstream/errors.ts';
import { encodeJson } from '../../core/jetstream/json.ts';
import type { Log } from '../../ports/log.ts';
import type { JetStream } from './jetstream.ts';
import type { Door, ServerSubscription } from './ports.ts';

const encoder = new TextEncoder();
const type = responseType('account_purge_response');

/** Listens in the system account until cancelled. */
export function purgeOnDemand(door: Door, system: number, jetstream: JetStream, log: Log): ServerSubscription {
  return door.subscribe(system, '$JS.API.ACCOUNT.PURGE.*', ({ subject, reply }) => {
    const name = subject.split('.')[4] ?? '';
    const answer = (fields: object): void => {
      if (reply === '') return;
      door.soon(() => door.publish(system, reply, '', undefined, encoder.encode(encodeJson({ type, ...fields }))));
    };
    if (/[\\/]/.test(name)) {
      answer({ error: apiError('StreamGeneralErrorF', { err: 'account name can not contain path separators' }) });
      return;
    }
    const account = jetstream.accounts.get(name);
    const streams = [...(account?.streams.values() ?? [])];
    log.info(`Purge request for account ${name} (streams: ${streams.length}, hasAccount: ${account !== undefined})`);
    Promise.all(streams.map(async (stream) => account?.removeStream(stream))).then(
      () => answer({ initiated: true }),
      (thrown: unknown) => answer({ error: apiError('StreamDeleteErrF', { err: String(thrown) }) }),
    );
  });
}
