// The kernel of the jobs pool: what runs over memories of its own beside the server, with the same record code. One instance a
// thread.

export { alloc, free } from '../lib/arena';
export { maskedCrc32c } from '../archive/crc32c';
export { contentLength, decodeBlock } from '../archive/s2-decode';
export { encodeBlock } from '../archive/s2-encode';
export {
  scanBlock,
  scanDamages,
  scanDamagesLength,
  scanEntries,
  scanEntriesLength,
  scanGoodEnd,
  scanSubjectCount,
  scanSubjects,
  scanSubjectsLength,
  scanTombstones,
} from '../record/scan';
