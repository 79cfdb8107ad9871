// Why a stream stopped writing: what the operator is told, what publishes are answered, and whether it may go on by itself.

import { apiError, type ApiError } from '../../core/jetstream/errors.ts';
import { FOREIGN } from './block-files.ts';

/** What the system says when there is no room: on the device, for the user, or a write that took only a part. */
const noRoom = new Set(['ENOSPC', 'EDQUOT', 'SHORT']);

export interface StreamFault {
  readonly text: string;
  readonly refusal: ApiError;
  /** Somebody else wrote to the files: they are left as they are. */
  readonly isForeign: boolean;
  readonly isNoRoom: boolean;
  /** The index is to be loaded anew; nothing is wrong with the blocks. */
  readonly isOfIndex: boolean;
}

/** What a fault of the disk, of an index or by another program means for its stream. */
export function streamFault({ code, message }: { readonly code: string; readonly message: string }): StreamFault {
  const isForeign = code === FOREIGN;
  const isNoRoom = noRoom.has(code);
  const isOfIndex = code === 'INDEX';
  const ending = endingOf({ isForeign, isNoRoom, isOfIndex });
  const refusal = isNoRoom ? apiError('StorageResourcesExceededErr') : apiError('StreamStoreFailedF', { err: message });
  return { text: `${message}; ${ending}`, refusal, isForeign, isNoRoom, isOfIndex };
}

function endingOf({ isForeign, isNoRoom, isOfIndex }: Pick<StreamFault, 'isForeign' | 'isNoRoom' | 'isOfIndex'>): string {
  if (isForeign) return 'the stream takes no more messages until the server is started again';
  if (isOfIndex) return 'the stream answers and takes messages again when it is made from the blocks; see to that disk';
  return `the stream takes messages again when ${isNoRoom ? 'there is room' : 'the disk does'}`;
}
